/**
 * Owns seeded random numbers for graphs and for policies that draw lots: uniform, normal, exponential. Must
 * not know: what they decide.
 */
export class Draws {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
    // Seeds that lie close together must not begin alike.
    for (let index = 0; index < 4; index++) this.next();
  }

  /** From 0 to less than 1: a Weyl sequence through a 32-bit mixer. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to less than `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Never 0 or less: durations and sizes are drawn from it. */
  normal(mean: number, deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return Math.max(1e-7, mean + deviation * radius * Math.cos(2 * Math.PI * this.next()));
  }

  exponential(mean: number): number {
    return Math.max(1e-7, -mean * Math.log(1 - this.next()));
  }
}
