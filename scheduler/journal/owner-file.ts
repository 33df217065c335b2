/**
 * Owns the file that says which process writes a folder, so that a second one started by mistake is refused
 * with a clear word. It does not keep a folder safe: a process on another machine can't be asked whether it
 * lives, so it is taken for dead, and what it still writes is refused by the epoch. Must not know: what the
 * folder holds.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsperitasError } from '../../runtime/index.ts';
import { identityOf, lifeOf, ownIdentity } from './process-identity.ts';

/** Folders that this process writes: the file can't tell one writer in it from another. */
const claimed = new Set<string>();

const fileOf = (folder: string): string => join(folder, 'owner');

/** Says that this process writes the folder from now on.
 * @param folder with symbolic links resolved
 * @throws AsperitasError `journal-in-use` */
export async function claimFolder(folder: string): Promise<void> {
  const file = fileOf(folder);
  const found = await readFile(file, 'utf8').catch(() => '');
  const owner = identityOf(found);
  const others = owner !== undefined && owner.pid !== process.pid && lifeOf(owner) === 'alive';
  if (others || claimed.has(folder)) {
    const pid = owner?.pid ?? process.pid;
    const message =
      `the journal in ${folder} is in use by process ${pid}: ` +
      'end that scheduler first, or give this one a journal of its own (--journal or --cluster-name)';
    throw new AsperitasError('journal-in-use', message, { folder, pid });
  }
  claimed.add(folder);
  // Whole or not at all: a reader must not find half of it.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(ownIdentity()), { mode: 0o600 });
  await rename(draft, file);
}

/** Lets another process write the folder. */
export async function leaveFolder(folder: string): Promise<void> {
  if (!claimed.delete(folder)) return;
  const file = fileOf(folder);
  const owner = identityOf(await readFile(file, 'utf8').catch(() => ''));
  if (owner?.pid === process.pid) await rm(file, { force: true });
}
