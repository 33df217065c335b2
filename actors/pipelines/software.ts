/**
 * Owns the versions of the software that runs, for records. Must not know: what is recorded.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

async function manifestAt(folder: string): Promise<Manifest | undefined> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Manifest);
}

/** The folder of our own package, above this file. */
async function ownFolder(): Promise<string | undefined> {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if ((await manifestAt(folder))?.name === 'asperitas') return folder;
    const above = dirname(folder);
    if (above === folder) return undefined;
    folder = above;
  }
}

/** Versions by name: asperitas, node and v8, the packages that asperitas runs on. */
export async function softwareVersions(): Promise<Readonly<Record<string, string>>> {
  const own = await ownFolder();
  const manifest = own === undefined ? undefined : await manifestAt(own);
  const versions: Record<string, string> = {
    asperitas: manifest?.version ?? 'unknown',
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
  };
  for (const name of Object.keys(manifest?.dependencies ?? {}).sort()) {
    // Below our own folder, or beside it where an installation has flattened the tree.
    const places = [join(own!, 'node_modules', name), join(dirname(own!), name)];
    const found = (await Promise.all(places.map(manifestAt))).find((one) => one?.name === name);
    if (found?.version !== undefined) versions[name] = found.version;
  }
  return versions;
}
