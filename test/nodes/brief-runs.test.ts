/** Runs that end soon share a thread: many are handed over at once, and each still ends for itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Executor } from '../../nodes/executor.ts';
import { limits } from '../../nodes/limits.ts';
import { machineLimits } from '../../nodes/machine-limits.ts';
import { failureOf, request, resultOf, testModules } from '../support/node-data.ts';
import * as tasks from '../support/test-tasks.ts';
import { WorkerWorld } from './worker-world.ts';

async function executorOf(t: { after(end: () => Promise<void>): void }, threads = 1): Promise<Executor> {
  const executor = await Executor.start({
    threads,
    modules: testModules,
    node: 'a-1',
    site: 'a',
    graceMs: 50,
  });
  t.after(() => executor.close());
  return executor;
}

const brief = { brief: true } as const;

test('runs of a function that has proved brief start ahead of a free thread, up to a number', () => {
  const world = new WorkerWorld();
  world.tookMs = 1;
  world.make(1, 'a');
  const runs = Array.from({ length: limits.briefRuns + 1 }, (_, index) => 2 + index);
  const started = runs.flatMap((run) => world.compute(run, `k${run}`));
  assert.equal(started.length, limits.briefRuns);
  assert.deepEqual(world.done(2).slice(-1), [`start ${runs.at(-1)}`]);
});

test('a function of which a run took long is not brief; nor is a run that may have killed a node', () => {
  const world = new WorkerWorld();
  world.tookMs = limits.briefMs + 1;
  world.make(1, 'a');
  world.compute(2, 'b');
  assert.deepEqual(world.compute(3, 'c'), []);
  world.tookMs = 0;
  for (const run of [2, 3]) world.done(run);
  for (let run = 4; run < 20; run++) world.make(run, `d${run}`);
  world.compute(20, 'e');
  assert.deepEqual(world.compute(21, 'f'), ['start 21']);
  assert.deepEqual(world.compute(22, 'g', {}, { wary: true }), []);
});

test('brief runs give their own results and errors, in whatever company', async (t) => {
  const executor = await executorOf(t, 2);
  const many = Array.from({ length: 3 * machineLimits.batchRuns }, (_, index) => index);
  const outcomes = await Promise.all(
    many.map((index) =>
      executor.run(index % 10 === 3 ? request(tasks.failPlainly) : request(tasks.add, [[index, 1]]), brief),
    ),
  );
  for (const [index, outcome] of outcomes.entries()) {
    if (index % 10 === 3) assert.deepEqual(failureOf(outcome), [undefined, true]);
    else assert.equal(resultOf(outcome), index + 1);
  }
});

test('a run that ends its thread fails alone; those before and behind it are done by another', async (t) => {
  const executor = await executorOf(t);
  const outcomes = await Promise.all([
    executor.run(request(tasks.add, [[1, 1]]), brief),
    executor.run(request(tasks.exitProcess, [3]), brief),
    executor.run(request(tasks.add, [[2, 2]]), brief),
  ]);
  assert.equal(resultOf(outcomes[0]!), 2);
  assert.deepEqual(failureOf(outcomes[1]!), ['thread-died', true]);
  assert.equal(resultOf(outcomes[2]!), 4);
});

test('a run that proves long keeps neither the results before it nor the runs behind it', async (t) => {
  const executor = await executorOf(t, 2);
  const stop = new AbortController();
  const first = executor.run(request(tasks.add, [[1, 1]]), brief);
  const long = executor.run(request(tasks.waitUntilAborted), { brief: true, signal: stop.signal });
  const behind = Array.from({ length: 5 }, () => executor.run(request(tasks.add, [[3, 3]]), brief));
  assert.equal(resultOf(await first), 2);
  assert.deepEqual((await Promise.all(behind)).map(resultOf), [6, 6, 6, 6, 6]);
  stop.abort();
  assert.equal((await long).outcome, 'cancelled');
});

test('one of several is cancelled without harm to the others, begun or not', async (t) => {
  const executor = await executorOf(t);
  const [waiting, spinning, unbegun] = [
    request(tasks.waitUntilAborted),
    request(tasks.spinForEver),
    request(tasks.add),
  ];
  const runs = [waiting, spinning, unbegun, request(tasks.add, [[5, 5]])];
  const outcomes = runs.map((run) => executor.run(run, brief));
  setTimeout(() => {
    executor.cancel(unbegun.run);
    executor.cancel(waiting.run);
    setTimeout(() => executor.cancel(spinning.run), 30);
  }, 100);
  const ended = await Promise.all(outcomes);
  assert.deepEqual(
    ended.slice(0, 3).map(({ outcome }) => outcome),
    ['cancelled', 'cancelled', 'cancelled'],
  );
  assert.equal(resultOf(ended[3]!), 10);
});
