/**
 * Owns a queue in which lower ranks come first, and equal ranks in the order in which they were put in: a
 * binary heap. Entries are not taken out when they no longer count; who takes one looks whether it does.
 * Pure. Must not know: what is queued.
 */

interface Entry<T> {
  readonly rank: number;
  readonly turn: number;
  readonly item: T;
}

function before(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.rank === b.rank ? a.turn < b.turn : a.rank < b.rank;
}

export class RankQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #turn = 0;

  push(rank: number, item: T): void {
    const entry = { rank, turn: this.#turn++, item };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Takes the first entry out. */
  pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) this.#sink(last);
    return first.item;
  }

  /** All entries, in no strict order. */
  items(): T[] {
    return this.#heap.map(({ item }) => item);
  }

  #sink(entry: Entry<T>): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}
