/** The simulated clock: things happen in the order of their times, and those of one time in the order in
 * which they were asked for. */
interface Timer {
  readonly at: number;
  readonly turn: number;
  readonly action: () => void;
}

function before(a: Timer, b: Timer): boolean {
  return a.at === b.at ? a.turn < b.turn : a.at < b.at;
}

export class SimulatedClock {
  /** Milliseconds. */
  now = 1000;
  #turn = 0;
  readonly #heap: Timer[] = [];

  after(ms: number, action: () => void): void {
    const timer = { at: this.now + Math.max(0, ms), turn: this.#turn++, action };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(timer, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  /** Lets time pass until `done` says so or `limit` is reached; true if it was the former. */
  run(limit: number, done: () => boolean): boolean {
    while (!done()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > limit) {
        this.now = limit;
        return done();
      }
      this.#removeFirst();
      this.now = next.at;
      next.action();
    }
    return true;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const entry = heap.pop()!;
    if (heap.length === 0) return;
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
