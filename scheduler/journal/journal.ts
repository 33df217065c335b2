/**
 * Owns what every journal promises: an append-only list of records that outlives the scheduler which writes
 * it, and an epoch that tells one writer from the next. Must not know: what a record means, where it is kept.
 */
import type { AsperitasError } from '../../runtime/index.ts';

/** The journal of one scheduler, from when it became the writer until it ends or another takes over. */
export interface Journal {
  /** Greater than that of every earlier writer: the token by which an earlier one is told and kept out. */
  readonly epoch: number;
  /** It keeps nothing: the next scheduler will know nothing of this one. */
  readonly forgetful?: true;
  /** What was appended before, oldest first. To be read once, before anything is appended. A record that was
   * being written when its writer died is there whole or not at all. */
  read(): AsyncIterable<Uint8Array>;
  /** Resolves when all are durable, in this order, after those of earlier calls; calls need not be waited
   * for. Rejects with `journal-fenced` when another writer has taken over, else with `journal-failed`;
   * nothing may be taken for durable then. */
  append(records: readonly Uint8Array[]): Promise<void>;
  /** Puts other records in the place of all: a reader finds the old ones or these, never some of each.
   * Appends made meanwhile follow these. Gives the event loop its turn while it writes. */
  rewrite(records: Iterable<Uint8Array>): Promise<void>;
  /** Resolves if the journal is lost on its own account: with `journal-fenced` or `journal-failed`. */
  readonly lost: Promise<AsperitasError>;
  /** Waits for what was appended, and lets another writer in. */
  close(): Promise<void>;
}

/** The epoch after `former`, the last one that a journal has seen. Epochs follow the clock where they can, so
 * that those of another journal, or of none, are outdone as well. */
export function nextEpoch(former: number | undefined): number {
  return Math.max(Math.floor(Date.now() / 1000), (former ?? 0) + 1);
}
