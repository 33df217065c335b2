/** The executor on real threads: what goes in and comes out, and every way in which a run ends. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Executor, type ExecutorOptions } from '../../nodes/executor.ts';
import { GarbageMeter } from '../../nodes/garbage.ts';
import type { RunOutcome } from '../../nodes/run-request.ts';
import { isAsperitasError } from '../../runtime/index.ts';
import { datum, failureOf, numbers, request, resultOf, testModules } from '../support/node-data.ts';
import * as tasks from '../support/test-tasks.ts';

async function started(t: TestContext, options: Partial<ExecutorOptions> = {}): Promise<Executor> {
  const executor = await Executor.start({
    threads: 1,
    modules: testModules,
    node: 'a-1',
    site: 'a',
    ...options,
  });
  t.after(() => executor.close());
  return executor;
}

/** Runs a task and cancels it when it has been given a thread for a while. */
async function cancelledRun(executor: Executor, called: { readonly taskName: string }): Promise<RunOutcome> {
  const controller = new AbortController();
  const onStarted = (): void => void setTimeout(() => controller.abort(), 50);
  return executor.run(request(called), { signal: controller.signal, onStarted });
}

test('a task gets its arguments and inputs in their places, and gives its result', async (t) => {
  const executor = await started(t);
  const inputs = [datum(20), datum(3)];
  assert.equal(
    resultOf(await executor.run(request(tasks.add, [[{ $task: 1 }, { $task: 0 }, 19]], inputs))),
    42,
  );
  const value = { list: [1, undefined, 'two'], map: new Map([[1n, new Date(5)]]) };
  assert.deepEqual(resultOf(await executor.run(request(tasks.echo, [value]))), value);
});

test('a task is told where it runs', async (t) => {
  const executor = await started(t, { data: '/data' });
  const wanted = request(tasks.describe);
  const expected = { key: wanted.key, node: 'a-1', site: 'a', data: '/data', aborted: false };
  assert.deepEqual(resultOf(await executor.run(wanted)), expected);
});

test('arrays reach the thread as the same memory, and results have memory of their own', async (t) => {
  const executor = await started(t);
  const input = datum(numbers(80_000));
  const seen = resultOf(await executor.run(request(tasks.inspect, [{ $task: 0 }], [input])));
  const sum = numbers(80_000).reduce((total, value) => total + value, 0);
  assert.deepEqual(seen, { shared: true, bufferBytes: 80_000, sum });
  await executor.run(request(tasks.scribble, [{ $task: 0 }], [input]));
  assert.equal(new Float64Array(input.frames[0]!.buffer)[0], 42);

  const outcome = await executor.run(request(tasks.range, [1000]));
  assert.ok(outcome.outcome === 'done' && outcome.parts.frames[0]!.buffer instanceof SharedArrayBuffer);
  assert.deepEqual(
    resultOf(outcome),
    Float64Array.from({ length: 1000 }, (_, index) => index),
  );
});

test('a result that is part of a larger buffer brings nothing of the rest with it', async (t) => {
  const executor = await started(t);
  const outcome = await executor.run(request(tasks.middle));
  assert.ok(outcome.outcome === 'done');
  assert.equal(outcome.parts.frames[0]!.buffer.byteLength, 8000);
  assert.deepEqual(resultOf(outcome), new Float64Array(1000).fill(7));
});

test('runs share the threads, each in a lane of its own while it lasts', async (t) => {
  const executor = await started(t, { threads: 2 });
  const lanes: number[] = [];
  const running = Array.from({ length: 40 }, (_, index) =>
    executor.run(request(tasks.add, [[index, 1]]), { onStarted: (lane) => lanes.push(lane) }),
  );
  const outcomes = await Promise.all(running);
  assert.deepEqual(
    outcomes.map(resultOf),
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
  assert.deepEqual(
    outcomes.map(({ thread }) => thread),
    lanes,
  );
  assert.deepEqual([...new Set(lanes)].sort(), [0, 1]);
  for (const lane of [0, 1]) {
    const own = outcomes.filter(({ thread }) => thread === lane);
    const disordered = own.slice(1).filter(({ startMs }, index) => startMs < own[index]!.endMs);
    assert.deepEqual(disordered, []);
  }
});

test('what another attempt can not mend is told from what it can', async (t) => {
  const executor = await started(t);
  const failure = async (called: { readonly taskName: string } | string, args: readonly unknown[] = []) =>
    failureOf(await executor.run(request(called, args)));
  assert.deepEqual(await failure(tasks.failPlainly), [undefined, true]);
  assert.deepEqual(await failure(tasks.failOnInput, ['bad-option']), ['bad-option', false]);
  assert.deepEqual(await failure(tasks.failOnInput, ['disk-full']), ['disk-full', true]);
  assert.deepEqual(await failure(tasks.failOnInput, ['connection-lost']), ['connection-lost', true]);
  assert.deepEqual(await failure('test.nowhere'), ['unknown-task', false]);
  assert.deepEqual(await failure(tasks.unsendable), ['not-serialisable', false]);
  assert.deepEqual(await failure(tasks.echo, [{ $task: 5 }]), ['invalid-message', false]);
});

test('a cancelled body that looks at its signal stops, and its thread lives on', async (t) => {
  const executor = await started(t, { graceMs: 60_000 });
  await executor.run(request(tasks.countRuns));
  for (const body of [tasks.spinUntilAborted, tasks.waitUntilAborted]) {
    assert.equal((await cancelledRun(executor, body)).outcome, 'cancelled', body.taskName);
  }
  assert.equal(resultOf(await executor.run(request(tasks.countRuns))), 2);
});

test('a cancelled body that does not look loses its thread, and the next run gets a new one', async (t) => {
  const executor = await started(t, { graceMs: 50 });
  for (const body of [tasks.spinForEver, tasks.hang]) {
    await executor.run(request(tasks.countRuns));
    assert.equal((await cancelledRun(executor, body)).outcome, 'cancelled', body.taskName);
    assert.equal(resultOf(await executor.run(request(tasks.countRuns))), 1, body.taskName);
  }
});

test('a run that is cancelled before a thread is free never starts', async (t) => {
  const executor = await started(t, { graceMs: 50 });
  const first = new AbortController();
  const second = new AbortController();
  const running = executor.run(request(tasks.hang), { signal: first.signal });
  const waiting = executor.run(request(tasks.exitProcess, [1]), {
    signal: second.signal,
    onStarted: () => assert.fail('it started'),
  });
  second.abort();
  assert.equal((await waiting).outcome, 'cancelled');
  first.abort();
  assert.equal((await running).outcome, 'cancelled');
  assert.equal((await executor.run(request(tasks.echo), { signal: first.signal })).outcome, 'cancelled');
});

test('a body that ends its thread fails alone; the others and the next runs go on', async (t) => {
  const executor = await started(t, { threads: 2, heapBytes: 2 * 48 * 2 ** 20 });
  const deaths = [request(tasks.exitProcess, [3]), request(tasks.throwOutside), request(tasks.exhaustHeap)];
  for (const death of deaths) {
    const [killed, ...others] = await Promise.all([
      executor.run(death),
      ...[1, 2, 3].map((term) => executor.run(request(tasks.add, [[term]]))),
    ]);
    assert.deepEqual(failureOf(killed), ['thread-died', true], death.fn);
    assert.deepEqual(others.map(resultOf), [1, 2, 3]);
  }
  assert.equal(executor.threads, 2);
  const both = [1, 2].map((term) => executor.run(request(tasks.add, [[term]])));
  assert.deepEqual((await Promise.all(both)).map(resultOf), [1, 2]);
});

test('the death of a thread names the task and the cause', async (t) => {
  const executor = await started(t);
  const outcome = await executor.run(request(tasks.throwOutside));
  assert.ok(outcome.outcome === 'failed');
  assert.match(outcome.error.message, /test\.throw-outside.*nobody caught this/);
});

test('a module that can not be loaded is named at the start', async () => {
  const modules = [...testModules, new URL('./absent.js', import.meta.url).href];
  await assert.rejects(
    Executor.start({ threads: 2, modules, node: 'a-1', site: 'a' }),
    (error) => isAsperitasError(error, 'module-not-loaded') && error.message.includes('absent.js'),
  );
});

test('closing cancels what runs and what waits', async () => {
  const executor = await Executor.start({
    threads: 1,
    modules: testModules,
    node: 'a-1',
    site: 'a',
    graceMs: 50,
  });
  const runs = [request(tasks.hang), request(tasks.echo)].map((each) => executor.run(each));
  await executor.close();
  assert.deepEqual(
    (await Promise.all(runs)).map(({ outcome }) => outcome),
    ['cancelled', 'cancelled'],
  );
  assert.equal((await executor.run(request(tasks.echo))).outcome, 'cancelled');
});

test('a thread that dies between runs is replaced', async (t) => {
  const executor = await started(t);
  await executor.run(request(tasks.throwLater));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(resultOf(await executor.run(request(tasks.countRuns))), 1);
});

test('threads that end while they start are told of', async () => {
  const modules = [...testModules, 'data:text/javascript,process.exit(3)'];
  const started = Executor.start({ threads: 2, modules, node: 'a-1', site: 'a' });
  await assert.rejects(started, (error) => isAsperitasError(error, 'thread-died'));
});

test('the memory of scratch arrays is given back', async (t) => {
  const executor = await started(t);
  const before = process.memoryUsage.rss();
  let mostBytes = 0;
  for (let index = 0; index < 48; index++) {
    await executor.run(request(tasks.useScratch, [64 * 2 ** 20]));
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - before);
  }
  // 3 GiB went through. What is collected is given back a little later, on a busy machine later still.
  assert.ok(mostBytes < 1.5 * 2 ** 30, `${mostBytes} bytes`);
});

test('the memory of inputs and results that are gone is given back', async (t) => {
  const executor = await started(t);
  const pieceBytes = 64 * 2 ** 20;
  const garbage = new GarbageMeter();
  let mostBytes = 0;
  const before = process.memoryUsage.rss();
  for (let index = 0; index < 20; index++) {
    const outcome = await executor.run(request(tasks.range, [pieceBytes / 8]));
    assert.ok(outcome.outcome === 'done');
    await executor.run(request(tasks.sumOf, [{ $task: 0 }], [outcome.parts]));
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - before);
    garbage.released(pieceBytes);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // 1.25 GiB went through; without collection all of it would lie there.
  assert.ok(mostBytes < 0.75 * 2 ** 30, `${mostBytes} bytes`);
});
