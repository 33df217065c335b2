/**
 * Owns the writing of the journal: the records of one turn of the event loop become durable together, in
 * order, and now and then a snapshot takes the place of a journal that has grown long. Must not know: what is
 * recorded.
 */
import type { AsperitasError } from '../runtime/index.ts';
import type { Journal } from './journal/journal.ts';
import { encodeRecord, type JournalRecord } from './journal-records.ts';
import { limits } from './limits.ts';

export interface RecorderTools {
  readonly journal: Journal;
  /** So many records, from the first on, are durable. */
  readonly onDurable: (through: number) => void;
  readonly onLost: (error: AsperitasError) => void;
  /** What stands for everything recorded so far. */
  readonly snapshot: () => Iterable<JournalRecord>;
}

export class Recorder {
  readonly #tools: RecorderTools;
  #count = 0;
  #flushed = 0;
  #durable = 0;
  /** What must not happen before so many records are durable. */
  #held: { readonly through: number; readonly action: () => void }[] = [];
  #batch: Uint8Array[] = [];
  /** Bytes of the last snapshot, and of what was appended since. */
  #snapshotBytes = 0;
  #appendedBytes = 0;
  #rewriting = false;

  constructor(tools: RecorderTools) {
    this.#tools = tools;
    void tools.journal.lost.then(tools.onLost);
  }

  /** Notes what earlier schedulers have left, so that it is cut short in time. */
  found(bytes: number): void {
    this.#appendedBytes += bytes;
  }

  take(record: JournalRecord): void {
    this.#count++;
    if (this.#tools.journal.forgetful === undefined) this.#batch.push(encodeRecord(record));
  }

  /** Does what can't be taken back when all that was recorded before is durable: another scheduler might
   * know nothing of the reason. */
  after(action: () => void): void {
    if (this.#durable === this.#count || this.#tools.journal.forgetful === true) action();
    else this.#held.push({ through: this.#count, action });
  }

  /** The turn is over. */
  flush(): void {
    if (this.#count === this.#flushed) return;
    const { journal, onLost } = this.#tools;
    const through = this.#count;
    this.#flushed = through;
    if (journal.forgetful === true) {
      this.#onDurable(through);
      return;
    }
    const batch = this.#batch;
    this.#batch = [];
    for (const bytes of batch) this.#appendedBytes += bytes.byteLength;
    journal.append(batch).then(() => this.#onDurable(through), onLost);
    this.#cutShort(journal);
  }

  #onDurable(through: number): void {
    this.#durable = through;
    const ripe = this.#held.findIndex((entry) => entry.through > through);
    const due = this.#held.splice(0, ripe < 0 ? this.#held.length : ripe);
    for (const { action } of due) action();
    this.#tools.onDurable(through);
  }

  async close(): Promise<void> {
    await this.#tools.journal.close();
  }

  #cutShort(journal: Journal): void {
    const most = limits.journalBytes + limits.journalGrowth * this.#snapshotBytes;
    if (this.#rewriting || this.#appendedBytes < most) return;
    this.#rewriting = true;
    this.#appendedBytes = 0;
    this.#snapshotBytes = 0;
    journal.rewrite(this.#encoded()).then(
      () => {
        this.#rewriting = false;
      },
      (error) => this.#tools.onLost(error),
    );
  }

  *#encoded(): Generator<Uint8Array, void, void> {
    for (const record of this.#tools.snapshot()) {
      const bytes = encodeRecord(record);
      this.#snapshotBytes += bytes.byteLength;
      yield bytes;
    }
  }
}
