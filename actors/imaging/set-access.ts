/**
 * Owns the way of tasks to Measurement Sets: only below the folder that the node was given, and through a few
 * sets kept open, so that not every task reads the same subtables anew. Must not know: what is read.
 */
import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { AsperitasError } from '../../runtime/index.ts';
import type { TaskContext } from '../../scheduler/index.ts';
import { type MeasurementSet, openMeasurementSet } from '../io/measurement-set/measurement-set.ts';

/** Sets that a thread keeps open between tasks: those of one run, a handful; each holds a few files. */
const keptOpen = 4;

interface Entry {
  readonly set: Promise<MeasurementSet>;
  readonly stamp: number;
  users: number;
}

const entries = new Map<string, Entry>();

/** The real path of a set below the node's data folder. Throws `no-data-folder`, `outside-data-folder`,
 * `no-such-file`. */
export async function locateSet(
  context: Pick<TaskContext, 'data' | 'node' | 'site'>,
  path: string,
): Promise<string> {
  const { data, node, site } = context;
  if (data === undefined) {
    throw new AsperitasError(
      'no-data-folder',
      `node ${node} at ${site} may read no files: start it with --data and the folder of the sets`,
      { node, site },
    );
  }
  const folder = await realpath(data).catch(() => resolve(data));
  const wanted = resolve(folder, path);
  const real = await realpath(wanted).catch(() => undefined);
  if (real === undefined && isBelow(folder, wanted)) {
    const message = `${path}: no such file or directory below ${data} at ${site}; check the path`;
    throw new AsperitasError('no-such-file', message, { path, site });
  }
  if (real === undefined || !isBelow(folder, real)) {
    throw new AsperitasError(
      'outside-data-folder',
      `${path}: not below ${data}, the only folder that node ${node} at ${site} may read`,
      { path, node, site },
    );
  }
  return real;
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Opens a set, or takes an open one, for the time of `use`. */
export async function withSet<T>(
  context: TaskContext,
  path: string,
  use: (set: MeasurementSet) => Promise<T>,
): Promise<T> {
  const real = await locateSet(context, path);
  // A set that was written anew since has to be opened anew.
  const stamp = await stat(resolve(real, 'table.dat')).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const known = entries.get(real);
  const entry = known?.stamp === stamp ? known : { set: openMeasurementSet(real), stamp, users: 0 };
  entries.delete(real);
  entries.set(real, entry);
  entry.users++;
  try {
    if (known !== undefined && known !== entry && known.users === 0) await close(known);
    return await use(await entry.set);
  } catch (error) {
    if (entries.get(real) === entry) entries.delete(real);
    throw error;
  } finally {
    entry.users--;
    // Whoever leaves last closes what is kept no longer: after an error, or when it was written anew.
    if (entry.users === 0 && entries.get(real) !== entry) await close(entry);
    await closeIdle();
  }
}

async function closeIdle(): Promise<void> {
  for (const [path, entry] of entries) {
    if (entries.size <= keptOpen) return;
    if (entry.users > 0) continue;
    entries.delete(path);
    await close(entry);
  }
}

async function close({ set }: Entry): Promise<void> {
  await set.then(
    (open) => open.close(),
    () => undefined,
  );
}
