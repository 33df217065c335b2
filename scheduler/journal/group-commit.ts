/**
 * Owns the order of what is written to a journal: one write at a time, and what was appended while one was
 * under way goes into the next together, so that a flush to disk is shared. After a failure nothing is
 * written any more, or what comes later could be durable without what came before. Must not know: where
 * records are kept.
 */
import { journalLimits } from './limits.ts';
import { bytesInBlock } from './record-block.ts';

interface Append {
  readonly records: readonly Uint8Array[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}
/** What must be alone: nothing is written beside it. */
interface Exclusive {
  readonly task: () => Promise<void>;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export class GroupCommit {
  readonly #write: (records: readonly Uint8Array[]) => Promise<void>;
  #waiting: (Append | Exclusive)[] = [];
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param write makes records durable, or rejects */
  constructor(write: (records: readonly Uint8Array[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves when the records, as they are now, are durable. */
  append(records: readonly Uint8Array[]): Promise<void> {
    const copies = records.map((record) => new Uint8Array(record));
    return new Promise((done, failed) => this.#enter({ records: copies, done, failed }));
  }

  /** Runs the task when all that came before is durable, and before anything that comes later is written. */
  alone(task: () => Promise<void>): Promise<void> {
    return new Promise((done, failed) => this.#enter({ task, done, failed }));
  }

  /** Refuses everything from now on. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { failed } of this.#waiting.splice(0)) failed(this.#failure.error);
  }

  /** Resolves when nothing is under way; refuses what comes later. */
  async close(error: unknown): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    this.fail(error);
  }

  #enter(entry: Append | Exclusive): void {
    if (this.#failure !== undefined) {
      entry.failed(this.#failure.error);
      return;
    }
    this.#waiting.push(entry);
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // What is appended in this turn of the event loop is written together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const entries = this.#nextGroup();
      try {
        const [first] = entries;
        if ('task' in first!) await first.task();
        else await this.#write(entries.flatMap((entry) => (entry as Append).records));
        for (const { done } of entries) done();
      } catch (error) {
        this.#failure ??= { error };
        for (const { failed } of entries) failed(this.#failure.error);
        this.fail(error);
      }
    }
    // In the same step as the last look at what waits: what enters next begins anew.
    this.#writing = undefined;
  }

  #nextGroup(): (Append | Exclusive)[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      if ('task' in entry) break;
      for (const record of entry.records) bytes += bytesInBlock(record);
      if (count > 0 && bytes > journalLimits.blockBytes) break;
      count++;
    }
    return this.#waiting.splice(0, Math.max(count, 1));
  }
}

/** Parts records into lists of about a block's size. */
export function* inBlocks(records: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let list: Uint8Array[] = [];
  let bytes = 0;
  for (const record of records) {
    list.push(record);
    bytes += bytesInBlock(record);
    if (bytes < journalLimits.blockBytes) continue;
    yield list;
    list = [];
    bytes = 0;
  }
  if (list.length > 0) yield list;
}
