/**
 * Owns the choice of a journal by its URL. Must not know: how any of them keeps its records.
 */
import { AsperitasError } from '../../runtime/index.ts';
import type { Journal } from './journal.ts';
import { forgetfulJournal } from './memory.ts';

export interface JournalOptions {
  /** Gives up waiting to become the writer. */
  readonly signal?: AbortSignal;
  /** Names the cluster where several keep their journals on one server. */
  readonly name?: string;
  /** Where this scheduler will be found, for those who stand by. */
  readonly address?: string;
  /** The password of a server, in place of one in the URL, which every user of the machine could read. */
  readonly password?: string;
  /** Told of what an operator would want to know. */
  readonly log?: (line: string) => void;
}

/** Opens a journal as its one writer: `memory:` keeps nothing beyond the process, `lmdb:FOLDER` on this
 * machine, `redis://…` on a server, where others of the same name stand by.
 * @throws AsperitasError `unknown-journal`, `journal-in-use`, `journal-damaged`, `journal-unreachable`,
 *   `aborted`; `journal-failed` when it can't be opened */
export async function openJournal(url: string, options: JournalOptions = {}): Promise<Journal> {
  const { name = 'default', ...others } = options;
  if (url === 'memory:') return forgetfulJournal();
  // Loaded when it is wanted: clients and nodes read this file too, and need neither library.
  if (url.startsWith('lmdb:') && url !== 'lmdb:') {
    const { openLmdbJournal } = await import('./lmdb.ts');
    return await openLmdbJournal(url.slice('lmdb:'.length), others);
  }
  if (/^rediss?:\/\//.test(url)) {
    const { openRedisJournal } = await import('./redis-journal.ts');
    return await openRedisJournal(url, { cluster: name, ...others });
  }
  // What was given is not quoted: it may be a mistyped address with a password.
  const message = 'no journal can be kept there: use memory:, lmdb:FOLDER or redis://HOST:PORT';
  throw new AsperitasError('unknown-journal', message, { scheme: url.split(':')[0]!.slice(0, 20) });
}
