/** The simulated clock: things happen in the order of their times, and those of one time in the order in
 * which they were asked for. */
import { Heap } from '../../runtime/index.ts';

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
  readonly #timers = new Heap<Timer>(before);

  after(ms: number, action: () => void): void {
    this.#timers.push({ at: this.now + Math.max(0, ms), turn: this.#turn++, action });
  }

  /** Lets time pass until `done` says so or `limit` is reached; true if it was the former. */
  run(limit: number, done: () => boolean): boolean {
    while (!done()) {
      const next = this.#timers.first;
      if (next === undefined || next.at > limit) {
        this.now = limit;
        return done();
      }
      this.#timers.pop();
      this.now = next.at;
      next.action();
    }
    return true;
  }
}
