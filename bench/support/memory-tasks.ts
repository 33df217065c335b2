/** Tasks of bench/memory.ts: blocks of numbers, and their sums. Loaded by nodes. */
import { task } from '../../scheduler/index.ts';

const step = (seed: number, k: number): number => (seed * 7919 + k * 31) % 1009;

export const makeBlock = task('bench.make-block', (_, seed: number, bytes: number) => {
  const array = new Float64Array(new SharedArrayBuffer(bytes));
  for (let k = 0; k < array.length; k++) array[k] = step(seed, k);
  return array;
});

export const sumBlock = task('bench.sum-block', (_, array: Float64Array) => {
  let sum = 0;
  for (let k = 0; k < array.length; k++) sum += array[k]!;
  return sum;
});

export function sumOf(seed: number, bytes: number): number {
  let sum = 0;
  for (let k = 0; k < bytes / 8; k++) sum += step(seed, k);
  return sum;
}
