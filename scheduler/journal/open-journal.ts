/**
 * Owns the choice of a journal by its URL. Must not know: how any of them keeps its records.
 */
import { AsperitasError } from '../../runtime/index.ts';
import type { Journal } from './journal.ts';
import { forgetfulJournal } from './memory.ts';

export interface JournalOptions {
  /** Gives up waiting to become the writer. */
  readonly signal?: AbortSignal;
}

/** Opens a journal as its one writer. `memory:` keeps nothing beyond the process.
 * @throws AsperitasError `unknown-journal`; `journal-failed` when it can't be opened */
export async function openJournal(url: string, _options: JournalOptions = {}): Promise<Journal> {
  if (url === 'memory:') return forgetfulJournal();
  const message = `no journal can be kept at ${url}: use memory:`;
  throw new AsperitasError('unknown-journal', message, { url });
}
