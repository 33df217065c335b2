/** Tasks for tests of faults, with results that can be checked: loaded by nodes that are then killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { task } from '../../scheduler/index.ts';

export const slowSquare = task('fault.slow-square', async (_, x: number, ms: number) => {
  await sleep(ms);
  return x * x;
});

export const total = task('fault.total', (_, terms: readonly number[]) => terms.reduce((a, b) => a + b, 0));

/** Ends the whole process that runs it, as the kernel does when memory is out: soon, but not before its node
 * could say that it had begun. */
export const killNode = task('fault.kill-node', async (): Promise<number> => {
  await sleep(150);
  process.kill(process.pid, 'SIGKILL');
  for (;;);
});

/** Numbers that only this seed gives, so many bytes of them. */
export const block = task('fault.block', (_, seed: number, bytes: number) => {
  const array = new Float64Array(new SharedArrayBuffer(bytes));
  for (let k = 0; k < array.length; k++) array[k] = (seed * 7919 + k * 31) % 1009;
  return array;
});

export const sum = task('fault.sum', (_, array: Float64Array) => array.reduce((a, b) => a + b, 0));

/** What `sum(block(seed, bytes))` must give. */
export function sumOfBlock(seed: number, bytes: number): number {
  let found = 0;
  for (let k = 0; k < bytes / 8; k++) found += (seed * 7919 + k * 31) % 1009;
  return found;
}

export const endThread = task('fault.end-thread', (): number => process.exit(3));

export const nodeOf = task('fault.node-of', ({ node }) => node);
