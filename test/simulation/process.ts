/** A simulated process: what it hears while it is paused it hears afterwards, in order; what was meant for an
 * earlier life is lost. */
import type { SimulatedClock } from './clock.ts';

export interface Place {
  readonly name: string;
  readonly site: string;
}

export abstract class SimulatedProcess implements Place {
  readonly name: string;
  readonly site: string;
  readonly clock: SimulatedClock;
  /** Counts its lives; even numbers are deaths. */
  life = 0;
  #pausedUntil = 0;
  #inbox: (() => void)[] = [];

  constructor(place: Place, clock: SimulatedClock) {
    this.name = place.name;
    this.site = place.site;
    this.clock = clock;
  }

  get alive(): boolean {
    return this.life % 2 === 1;
  }

  get paused(): boolean {
    return this.#pausedUntil > this.clock.now;
  }

  /** Begins or ends a life. */
  turn(): void {
    this.life++;
    this.#pausedUntil = 0;
    this.#inbox = [];
  }

  /** Something reaches the process. */
  post(action: () => void): void {
    if (!this.alive) return;
    if (this.paused || this.#inbox.length > 0) this.#inbox.push(action);
    else action();
  }

  /** Something will reach the process, unless its life ends before. */
  later(ms: number, action: () => void): void {
    const { life } = this;
    this.clock.after(ms, () => {
      if (this.life === life) this.post(action);
    });
  }

  pause(ms: number): void {
    if (!this.alive) return;
    const { life } = this;
    this.#pausedUntil = Math.max(this.#pausedUntil, this.clock.now + ms);
    this.clock.after(ms, () => {
      if (this.life === life && !this.paused) this.#drain(life);
    });
  }

  #drain(life: number): void {
    while (this.life === life && !this.paused && this.#inbox.length > 0) this.#inbox.shift()!();
  }
}
