/** Tasks that submit tasks, for tests of nodes: loaded by their threads. */
import { task } from '../../scheduler/index.ts';

export const inc = task('nested.inc', (_, value: number) => value + 1);

export const fib: ReturnType<typeof task<[number], number>> = task(
  'nested.fib',
  async (context, n: number): Promise<number> => {
    if (n < 2) return n;
    const cluster = await context.cluster();
    const [a, b] = await cluster.compute([fib(n - 1), fib(n - 2)]);
    return a + b;
  },
);

/** Ends only when its signal fires. */
export const dawdle = task(
  'nested.dawdle',
  ({ signal }) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
);

/** Waits for a task that never ends. */
export const waitForEver = task('nested.wait-for-ever', async (context) => {
  const cluster = await context.cluster();
  return cluster.compute(dawdle());
});

/** Leaves a future behind. */
export const leave = task('nested.leave', async (context, value: number) => {
  const cluster = await context.cluster();
  const future = cluster.submit(inc(value));
  await cluster.submit(inc(value + 1)).result();
  return future.key;
});

/** Waits for a task that fails. */
export const fail = task('nested.fail', (): number => {
  throw new RangeError('from inside');
});
export const failInside = task('nested.fail-inside', async (context) => {
  const cluster = await context.cluster();
  return cluster.compute(fail());
});

/** Waits for what another task says. */
export const receive = task('nested.receive', async (context) => {
  const cluster = await context.cluster();
  return cluster.queue<number>('nested').get();
});
export const say = task('nested.say', async (context, value: number) => {
  const cluster = await context.cluster();
  await cluster.queue<number>('nested').put(value);
});

/** Adds one to a variable that others change too. */
export const countUp = task('nested.count-up', async (context, _turn: number) => {
  const cluster = await context.cluster();
  const total = cluster.variable<number>('total');
  await cluster.lock('total').run(async () => {
    const count = (await total.tryGet())?.value ?? 0;
    await total.set(count + 1);
  });
});
