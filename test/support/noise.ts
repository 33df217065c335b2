/**
 * Owns reproducible pseudo-random numbers for tests of kernels: the same seed gives the same numbers
 * everywhere.
 */

/** A generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `length` numbers in [-1, 1). */
export function uniformNoise(length: number, seed: number): Float64Array {
  const next = seeded(seed);
  return Float64Array.from({ length }, () => 2 * next() - 1);
}
