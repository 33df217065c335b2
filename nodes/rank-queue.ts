/**
 * Owns a queue in which lower ranks come first, and equal ranks in the order in which they were put in.
 * Entries are not taken out when they no longer count; who takes one looks whether it does. Pure. Must not
 * know: what is queued.
 */
import { Heap } from '../runtime/index.ts';

interface Entry<T> {
  readonly rank: number;
  readonly turn: number;
  readonly item: T;
}

function before(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.rank === b.rank ? a.turn < b.turn : a.rank < b.rank;
}

export class RankQueue<T> {
  readonly #heap = new Heap<Entry<T>>(before);
  #turn = 0;

  push(rank: number, item: T): void {
    this.#heap.push({ rank, turn: this.#turn++, item });
  }

  /** Takes the first entry out. */
  pop(): T | undefined {
    return this.#heap.pop()?.item;
  }

  /** All entries, in no strict order. */
  items(): T[] {
    return this.#heap.entries.map(({ item }) => item);
  }
}
