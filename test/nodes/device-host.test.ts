/** The host of a device on a real thread: warm state, one run at a time, crashes and their limit. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MessageChannel, Worker } from 'node:worker_threads';
import { DeviceHost, type DeviceHostOptions } from '../../nodes/device-host.ts';
import { serveCalls, ThreadCalls } from '../../nodes/thread-calls.ts';
import { datum, failureOf, numbers, request, resultOf, testModules } from '../support/node-data.ts';
import * as tasks from '../support/test-tasks.ts';

function opened(t: TestContext, options: Partial<DeviceHostOptions> = {}): DeviceHost {
  const host = DeviceHost.open({
    device: 'gpu0',
    lane: 4,
    modules: testModules,
    node: 'a-1',
    site: 'a',
    ...options,
  });
  t.after(() => host.close());
  return host;
}

test('runs of a device come one after the other, in its lane, and find what was loaded', async (t) => {
  const host = opened(t);
  const runs = Array.from({ length: 20 }, () => host.run(request(tasks.countRuns)));
  const outcomes = await Promise.all(runs);
  assert.deepEqual(
    outcomes.map(resultOf),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  assert.deepEqual([...new Set(outcomes.map(({ thread }) => thread))], [4]);
});

test('inputs reach the device as shared memory', async (t) => {
  const host = opened(t);
  const array = numbers(80_000);
  const seen = resultOf(await host.run(request(tasks.inspect, [{ $task: 0 }], [datum(array)])));
  const sum = array.reduce((total, value) => total + value, 0);
  assert.deepEqual(seen, { shared: true, bufferBytes: 80_000, sum });
});

test('errors of a body are data, with their code', async (t) => {
  const host = opened(t);
  assert.deepEqual(failureOf(await host.run(request(tasks.failOnInput, ['bad-option']))), [
    'bad-option',
    false,
  ]);
  assert.deepEqual(failureOf(await host.run(request(tasks.failPlainly))), [undefined, true]);
  assert.deepEqual(failureOf(await host.run(request('test.nowhere'))), ['unknown-task', false]);
});

test('a cancelled body that heeds its signal keeps the state, another one costs the thread', async (t) => {
  const host = opened(t, { graceMs: 100 });
  const cancel = async (called: { readonly taskName: string }) => {
    const controller = new AbortController();
    // A task before it, so that the thread is there when the time begins to run.
    const first = await host.run(request(tasks.countRuns));
    const run = host.run(request(called), {
      signal: controller.signal,
      onStarted: () => void setTimeout(() => controller.abort(), 30),
    });
    assert.equal((await run).outcome, 'cancelled');
    return [resultOf(first), resultOf(await host.run(request(tasks.countRuns)))];
  };
  assert.deepEqual(await cancel(tasks.waitUntilAborted), [1, 2]);
  assert.deepEqual(await cancel(tasks.spinForEver), [3, 1]);
});

test('a run is ended at its time limit', async (t) => {
  const host = opened(t, { runMs: 1000 });
  assert.deepEqual(failureOf(await host.run(request(tasks.hang))), ['timeout', true]);
  assert.equal(resultOf(await host.run(request(tasks.countRuns))), 1);
});

test('a module that can not be loaded fails the run', async (t) => {
  const host = opened(t, { modules: [new URL('./absent.js', import.meta.url).href] });
  assert.deepEqual(failureOf(await host.run(request(tasks.countRuns))), ['module-not-loaded', false]);
  assert.deepEqual(failureOf(await host.run(request(tasks.countRuns))), ['module-not-loaded', false]);
});

test('a thread that dies fails its run alone and is started again, but not for ever', async (t) => {
  const host = opened(t);
  const deaths = [
    request(tasks.exitProcess, [1]),
    request(tasks.throwOutside),
    request(tasks.exitProcess, [0]),
  ];
  for (const death of deaths) {
    const [killed, next] = await Promise.all([host.run(death), host.run(request(tasks.countRuns))]);
    assert.deepEqual(failureOf(killed), ['thread-died', true]);
    assert.equal(resultOf(next), 1);
  }
  assert.deepEqual(failureOf(await host.run(request(tasks.exitProcess, [1]))), ['thread-died', true]);
  assert.deepEqual(failureOf(await host.run(request(tasks.countRuns))), ['device-lost', true]);
});

test('closing cancels what runs and what waits', async () => {
  const host = DeviceHost.open({
    device: 'gpu0',
    lane: 0,
    modules: testModules,
    node: 'a-1',
    site: 'a',
    graceMs: 50,
  });
  const runs = [tasks.hang, tasks.countRuns].map((called) => host.run(request(called)));
  await host.close();
  assert.deepEqual(
    (await Promise.all(runs)).map(({ outcome }) => outcome),
    ['cancelled', 'cancelled'],
  );
});

test('a caller reaches the named methods of a thread and nothing behind them', async (t) => {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  serveCalls(port2, { double: async (value: number) => 2 * value });
  let lastId = 0;
  const ask = (type: string, path: readonly string[], more: object = {}) =>
    new Promise<{ type: string; name?: string; value: unknown }>((resolve) => {
      const id = `call-${++lastId}`;
      const receive = (message: { id: string; type: string; value: unknown }): void => {
        if (message.id !== id) return;
        port1.off('message', receive);
        resolve(message);
      };
      port1.on('message', receive);
      port1.postMessage({ id, type, path, argumentList: [{ type: 'RAW', value: 21 }], ...more });
    });
  const answered = await ask('APPLY', ['double']);
  assert.deepEqual([answered.type, answered.value], ['RAW', 42]);
  const forbidden: [string, string[], object?][] = [
    ['APPLY', ['absent']],
    ['APPLY', ['constructor']],
    ['CONSTRUCT', ['double', 'constructor']],
    ['APPLY', ['double', 'apply', 'constructor']],
    ['APPLY', ['__proto__', 'constructor']],
    ['SET', ['double'], { value: { type: 'RAW', value: 1 } }],
    ['SET', ['__proto__'], { value: { type: 'RAW', value: {} } }],
  ];
  for (const [type, path, more] of forbidden) {
    const answer = await ask(type, path, more);
    assert.deepEqual([answer.type, answer.name], ['HANDLER', 'throw'], `${type} ${path.join('.')}`);
  }
  assert.equal((await ask('APPLY', ['double'])).value, 42);
});

test('a call ends when its thread dies, even if nobody answers', async () => {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker('setTimeout(() => process.exit(7), 50)', { eval: true });
  const calls = new ThreadCalls<{ run: (value: number) => Promise<number> }>(worker, port1);
  const never = new AbortController();
  await assert.rejects(calls.call('run', 1, { signal: never.signal }), /exited with code 7/);
  port1.close();
  port2.close();
});
