/** Tasks that submit tasks, on real nodes with one thread each: who waits gives its thread back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalCluster } from '../../nodes/index.ts';
import { countUp, failInside, fib, inc, leave, receive, say, waitForEver } from '../support/nested-tasks.ts';
import { eventually } from '../support/small-cluster.ts';

const modules = [new URL('../support/nested-tasks.js', import.meta.url).href];

test('tasks that submit tasks end on a node with one thread, and leave nothing behind', async (t) => {
  const cluster = await LocalCluster.start({ sites: { here: { threads: 1 } }, modules });
  t.after(() => cluster.close());
  const isEmpty = async (): Promise<boolean> => {
    const { tasks, nodes } = await cluster.status();
    const known = Object.values(tasks).reduce((a, b) => a + b);
    return known === 0 && nodes.every(({ running, storedBytes }) => running === 0 && storedBytes === 0);
  };

  await t.test('a recursion of depth five and more', async () => {
    assert.equal(await cluster.compute(fib(7), { timeoutMs: 60_000 }), 13);
    assert.equal(await cluster.compute(inc(1)), 2);
    await eventually(isEmpty, 'nothing is left');
  });

  await t.test('what a body leaves behind is released with its run', async () => {
    assert.match(await cluster.compute(leave(5), { timeoutMs: 60_000 }), /^nested\.inc-/);
    await eventually(isEmpty, 'nothing is left');
  });

  await t.test('tasks that wait for one another get on, though there is one thread', async () => {
    const received = cluster.submit(receive());
    await eventually(async () => (await cluster.queue('nested').size()) === 0, 'the queue is there');
    assert.deepEqual(await cluster.compute([received, say(7)], { timeoutMs: 60_000 }), [7, undefined]);
    const turns = Array.from({ length: 12 }, (_, turn) => countUp(turn));
    // In use here as well, or it would be forgotten between the tasks.
    const total = cluster.variable<number>('total');
    await total.set(0);
    await cluster.compute(turns, { timeoutMs: 60_000 });
    assert.equal(await total.get(), 12);
    received.release();
    await eventually(isEmpty, 'nothing is left');
  });

  await t.test('an error inside reaches the outermost wait', async () => {
    await assert.rejects(cluster.compute(failInside(), { timeoutMs: 60_000 }), {
      name: 'RangeError',
      message: 'from inside',
    });
  });

  await t.test('what a cancelled run waits for is cancelled with it', async () => {
    const future = cluster.submit(waitForEver());
    await eventually(async () => (await cluster.status()).tasks.assigned === 2, 'both are under way');
    // The one that waits has given its thread back to the other.
    assert.equal(future.status, 'pending');
    future.cancel();
    await eventually(isEmpty, 'nothing is left');
    assert.equal(await cluster.compute(inc(1), { timeoutMs: 60_000 }), 2);
  });
});
