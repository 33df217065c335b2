/**
 * Tasks for tests of the machinery: well-behaved ones and such as fail, dawdle, or kill their thread. Loaded
 * by the threads of nodes under test.
 */
import { AsperitasError } from '../../runtime/index.ts';
import { task } from '../../scheduler/index.ts';

/** Kept by the thread between runs. */
let runs = 0;

/** Says which run of its thread this is. */
export const countRuns = task('test.count-runs', () => ++runs);

export const echo = task('test.echo', (_, value: unknown) => value);

export const add = task('test.add', (_, terms: readonly number[]) =>
  terms.reduce((sum, term) => sum + term, 0),
);

/** The parts of a context that can be sent. */
export const describe = task('test.describe', ({ key, node, site, data, signal }) => ({
  key,
  node,
  site,
  data,
  aborted: signal.aborted,
}));

/** Tells whether an array lies in shared memory, and the size of its buffer. */
export const inspect = task('test.inspect', (_, array: Float64Array) => ({
  shared: array.buffer instanceof SharedArrayBuffer,
  bufferBytes: array.buffer.byteLength,
  sum: array.reduce((sum, value) => sum + value, 0),
}));

/** Writes to the argument, as no body should: shows whether memory is shared. */
export const scribble = task('test.scribble', (_, array: Float64Array) => {
  array[0] = 42;
});

/** The numbers from 0, alone in a shared buffer. */
export const range = task('test.range', (_, length: number) => {
  const array = new Float64Array(new SharedArrayBuffer(8 * length));
  for (let index = 0; index < length; index++) array[index] = index;
  return array;
});

/** A view of a few numbers in the middle of a large buffer that holds other things. */
export const middle = task('test.middle', () => {
  const array = new Float64Array(new SharedArrayBuffer(80_000)).fill(7);
  return array.subarray(1000, 2000);
});

/** Sums an array that it got and returns nothing large. */
export const sumOf = task('test.sum', (_, array: Float64Array) => {
  let sum = 0;
  for (let index = 0; index < array.length; index++) sum += array[index]!;
  return sum;
});

/** The sum of arrays of one length, number by number. */
export const addArrays = task('test.add-arrays', (_, arrays: readonly Float64Array[]) => {
  const total = new Float64Array(new SharedArrayBuffer(8 * arrays[0]!.length));
  for (const array of arrays)
    for (let index = 0; index < total.length; index++) total[index]! += array[index]!;
  return total;
});

export const failPlainly = task('test.fail', () => {
  throw new Error('something of the machine');
});

export const failOnInput = task('test.bad-input', (_, code: string) => {
  throw new AsperitasError(code, 'as the test wants it', { code });
});

export const unsendable = task('test.unsendable', (): unknown => () => 1);

/** Never yields, but looks at its signal. */
export const spinUntilAborted = task('test.spin-until-aborted', ({ signal }) => {
  while (!signal.aborted);
  return 'stopped';
});

/** Waits for the event of its signal. */
export const waitUntilAborted = task(
  'test.wait-until-aborted',
  ({ signal }) =>
    new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('stopped'))),
);

/** Neither yields nor looks. */
export const spinForEver = task('test.spin-for-ever', () => {
  for (;;);
});

/** Waits for what never comes. */
export const hang = task('test.hang', () => new Promise<never>(() => setInterval(() => undefined, 1000)));

export const exitProcess = task('test.exit', (_, code: number) => process.exit(code));

/** Throws where nobody catches it, while its promise is pending. */
export const throwOutside = task(
  'test.throw-outside',
  () =>
    new Promise<never>(() => {
      setTimeout(() => {
        throw new Error('nobody caught this');
      });
    }),
);

/** Ends well, and its thread soon after. */
export const throwLater = task('test.throw-later', () => {
  setTimeout(() => {
    throw new Error('a late surprise');
  }, 10);
});

/** Works in a large array that it does not return. */
export const useScratch = task('test.use-scratch', (_, bytes: number) => {
  const scratch = new Uint8Array(new SharedArrayBuffer(bytes)).fill(1);
  return scratch.byteLength;
});

/** Fills the JavaScript heap until the thread is ended for it. */
export const exhaustHeap = task('test.exhaust-heap', () => {
  const hoard: string[][] = [];
  for (;;) hoard.push(Array.from({ length: 10_000 }, (_, index) => `${index}${hoard.length}`));
});
