/** Seeded random numbers for the simulation. A stream split off by name does not change when another one is
 * used more. */
export class Random {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#state = this.#seed;
  }

  split(name: string): Random {
    return new Random(hashText(name, this.#seed ^ 0x9e3779b9));
  }

  /** From 0 to less than 1 (a Weyl sequence through a 32-bit mixer). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    return mix(this.#state) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }

  /** Some of a list, at most `limit`, without repetition. */
  some<T>(list: readonly T[], limit: number): T[] {
    const rest = [...list];
    const found: T[] = [];
    while (rest.length > 0 && found.length < limit) {
      found.push(rest.splice(Math.floor(this.next() * rest.length), 1)[0]!);
    }
    return found;
  }
}

function mix(value: number): number {
  let word = Math.imul(value ^ (value >>> 15), value | 1);
  word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
  return (word ^ (word >>> 14)) >>> 0;
}

/** A 32-bit hash of a text (FNV-1a), continued from `start`. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start >>> 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash >>> 0);
}
