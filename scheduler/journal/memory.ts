/**
 * Owns the journal in memory: a log that outlives the scheduler but not the process, and the journal of a
 * scheduler that keeps none. Must not know: what a record means.
 */
import { AsperitasError } from '../../runtime/index.ts';
import { type Journal, nextEpoch } from './journal.ts';

/** Records that one journal after the other writes. */
export class MemoryLog {
  #records: Uint8Array[] = [];
  #epoch: number | undefined;
  #fence: ((error: AsperitasError) => void) | undefined;

  /** Begins a new epoch; the writer before is fenced. */
  open(): Journal {
    const epoch = nextEpoch(this.#epoch);
    this.#epoch = epoch;
    const message = 'another scheduler writes this journal now: this one must end';
    const fenced = (): AsperitasError => new AsperitasError('journal-fenced', message, { epoch });
    this.#fence?.(fenced());
    const check = (): void => {
      if (this.#epoch !== epoch) throw fenced();
    };
    return {
      epoch,
      lost: new Promise((resolve) => {
        this.#fence = resolve;
      }),
      read: () => this.#read(),
      append: async (records) => {
        check();
        this.#records.push(...records.map((record) => new Uint8Array(record)));
      },
      rewrite: async (records) => {
        check();
        this.#records = Array.from(records, (record) => new Uint8Array(record));
      },
      close: async () => undefined,
    };
  }

  async *#read(): AsyncGenerator<Uint8Array, void, void> {
    for (const record of [...this.#records]) yield record;
  }
}

/** Keeps nothing: what the scheduler knows ends with it. */
export function forgetfulJournal(): Journal {
  return {
    epoch: nextEpoch(undefined),
    forgetful: true,
    lost: new Promise(() => undefined),
    async *read() {},
    append: async () => undefined,
    rewrite: async () => undefined,
    close: async () => undefined,
  };
}
