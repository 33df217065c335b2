/**
 * Owns what stands for the version of a module of tasks: a digest of its file and of all files that it
 * reaches by relative paths. Installed packages are not followed: they have versions of their own. Must not
 * know: what a module declares, who compares digests.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsperitasError } from '../runtime/index.ts';

/** Modules that declare the tasks of asperitas itself, found by name at run time. */
export const ownModules = [new URL('../actors/index.js', import.meta.url).href];

/** Digests by the name of the module, and by its URL. */
export interface ModuleVersions {
  readonly byName: Readonly<Record<string, string>>;
  readonly byUrl: Readonly<Record<string, string>>;
}

/** More files than any module has of its own. */
const mostFiles = 5_000;

/** What a file imports or opens beside itself. Dynamic paths are not seen; nor could they be. */
const reached = /(?:\bfrom|\bimport|\bnew\s+URL)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+)\1/g;
const isCode = /\.[cm]?[jt]s$/;

/** The name under which versions are compared: the file's, wherever it lies on each machine. */
function nameOf(url: string): string {
  if (!url.startsWith('file:')) return url.slice(0, 100);
  const path = fileURLToPath(url);
  const name = basename(path);
  return name.startsWith('index.') ? `${basename(dirname(path))}/${name}` : name;
}

/** The digest of a module, in hexadecimal.
 * @throws AsperitasError `module-not-loaded` where the module itself can't be read */
export async function moduleDigest(url: string): Promise<string> {
  if (!url.startsWith('file:')) return createHash('sha256').update(url).digest('hex');
  const seen = new Set([url]);
  const lines: string[] = [];
  for (const file of seen) {
    const data = await readFile(fileURLToPath(file)).catch((cause: NodeJS.ErrnoException) => {
      // What is reached may be a folder or made later; the module itself must be there.
      if (file !== url) return undefined;
      const message = `can't load the module ${url}: ${cause.code}`;
      throw new AsperitasError('module-not-loaded', message, { url }, { cause });
    });
    if (data === undefined) continue;
    lines.push(`${relative(url, file)} ${createHash('sha256').update(data).digest('hex')}`);
    if (!isCode.test(file) || seen.size > mostFiles) continue;
    for (const [, , path] of data.toString('utf8').matchAll(reached)) seen.add(new URL(path!, file).href);
  }
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

/** Where a file lies as seen from the module, whatever folder both are in. */
function relative(from: string, to: string): string {
  const own = from.split('/').slice(0, -1);
  const other = to.split('/');
  let same = 0;
  while (same < own.length && own[same] === other[same]) same++;
  return '../'.repeat(own.length - same) + other.slice(same).join('/');
}

/** @throws AsperitasError `module-not-loaded`, `usage` for two modules of one name */
export async function versionsOf(urls: readonly string[]): Promise<ModuleVersions> {
  const byName: Record<string, string> = {};
  const byUrl: Record<string, string> = {};
  for (const url of new Set(urls)) {
    const name = nameOf(url);
    if (Object.hasOwn(byName, name)) {
      const message = `two modules are named ${name}: give them file names of their own`;
      throw new AsperitasError('usage', message, { module: name });
    }
    byName[name] = byUrl[url] = await moduleDigest(url);
  }
  return { byName, byUrl };
}

/** @throws AsperitasError `module-mismatch` where a module has changed since its version was announced */
export async function checkVersion(url: string, digest: string | undefined): Promise<void> {
  if (digest === undefined) return;
  const now = await moduleDigest(url);
  if (now === digest) return;
  const message =
    `the module ${nameOf(url)} has changed (${now.slice(0, 12)}) since its node announced it ` +
    `(${digest.slice(0, 12)}): restart the node`;
  throw new AsperitasError('module-mismatch', message, { module: nameOf(url), digest: now });
}
