/** The client against a real scheduler and real nodes over sockets: results, errors, limits, losses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AsperitasError } from '../../runtime/index.ts';
import { connect, task } from '../../scheduler/index.ts';
import { startScheduler } from '../../scheduler/scheduler.ts';
import { eventually, startSmallCluster, token } from '../support/small-cluster.ts';

const inc = task('client.inc', (_, value: number) => value + 1);
const sum = task('client.sum', (_, values: readonly number[]) => values.reduce((a, b) => a + b, 0));
const ramp = task('client.ramp', (_, size: number) => Float64Array.from({ length: size }, (_, i) => i));
const total = task('client.total', (_, values: Float64Array) => values.reduce((a, b) => a + b, 0));

/** Tasks that wait until the test opens their gate, or the run is aborted. */
const gates = new Map<string, () => void>();
const started = new Map<string, number>();
const aborted = new Set<string>();
const gate = task('client.gate', async (context, name: string) => {
  started.set(name, (started.get(name) ?? 0) + 1);
  await new Promise<void>((resolve, reject) => {
    gates.set(name, resolve);
    context.signal.addEventListener('abort', () => {
      aborted.add(name);
      reject(new Error('aborted'));
    });
  });
  return name;
});
const hasStarted = (name: string) => eventually(() => started.has(name), `${name} has started`);

test('values come back in the shape that was asked for', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1', 'b1']);
  const result = await cluster.compute({
    ramp: ramp(100_000),
    list: [inc(1), { deep: sum([inc(1), 3, inc(inc(2))]) }],
    plain: 'text',
    empty: ramp(0),
  });
  assert.deepEqual(result, {
    ramp: Float64Array.from({ length: 100_000 }, (_, i) => i),
    list: [2, { deep: 9 }],
    plain: 'text',
    empty: new Float64Array(0),
  });
  assert.equal(await cluster.compute(5), 5);
});

test('equal tasks run once, and nothing stays when the results have been fetched', async (t) => {
  const { cluster, count, nodes } = await startSmallCluster(t, ['a1', 'a2']);
  const result = await cluster.compute([sum([inc(10), inc(10)]), inc(10), inc(10), sum([inc(10), inc(10)])]);
  assert.deepEqual(result, [22, 11, 11, 22]);
  assert.equal(count('client.inc') + count('client.sum'), 2);
  await eventually(() => nodes.every(({ data }) => data.size === 0), 'the nodes hold nothing');
  assert.deepEqual((await cluster.status()).tasks.released, 0);
});

test('held results are arguments of later tasks until they are released', async (t) => {
  const { cluster, count, nodes } = await startSmallCluster(t, ['a1', 'b1']);
  const held = await cluster.persist({ ramp: ramp(1000), more: [inc(1)] });
  assert.equal(held.ramp.bytes! > 8000, true);
  assert.equal(['a', 'b'].includes(held.ramp.site!), true);
  assert.equal(await cluster.compute(total(held.ramp)), 499_500);
  assert.deepEqual(await cluster.compute(held.more), [2]);
  assert.equal((await cluster.persist([held.ramp]))[0], held.ramp);
  const again = await cluster.persist(inc(1));
  held.more[0]!.release();
  held.more[0]!.release();
  assert.equal(await cluster.compute(inc(again)), 3);
  assert.equal(count('client.ramp'), 1);
  // Released as soon as it has been named: its users were sent before.
  const last = cluster.compute(total(held.ramp));
  held.ramp.release();
  assert.equal(await last, 499_500);
  again.release();
  await eventually(() => nodes.every(({ data }) => data.size === 0), 'the nodes hold nothing');
  await assert.rejects(cluster.compute(total(held.ramp)), { code: 'unknown-input' });
});

test("a task's error arrives with its code and fields, and its stack in the cause", async (t) => {
  const fail = task('client.fail', (_, what: string) => {
    const message = `no ${what}\n   in here`;
    throw new AsperitasError('no-such-file', message, { path: what }, { cause: new TypeError('deep') });
  });
  const { cluster } = await startSmallCluster(t, ['a1']);
  await assert.rejects(cluster.compute(inc(fail('file') as never)), (error: AsperitasError) => {
    assert.equal(error.name, 'AsperitasError');
    assert.equal(error.code, 'no-such-file');
    assert.equal(error.message, 'no file in here');
    assert.equal(error.fields.path, 'file');
    assert.match(String(error.fields.task), /^client\.inc-/);
    assert.match(String(error.fields.culprit), /^client\.fail-/);
    const cause = error.cause as Error;
    assert.match(cause.stack!, /client\.test/);
    assert.equal(cause.message, 'no file\n   in here');
    assert.equal((cause.cause as Error).message, 'deep');
    return true;
  });
  await assert.rejects(cluster.persist(fail('other')), { code: 'no-such-file' });
});

test('a body that throws is run again as often as its hint says, and anew when asked anew', async (t) => {
  let left = 2;
  const flaky = task('client.flaky', (_, value: number) => {
    if (left-- > 0) throw new RangeError('not yet');
    return value;
  });
  const { cluster } = await startSmallCluster(t, ['a1']);
  assert.equal(await cluster.compute(flaky.with({ retries: 2 })(7)), 7);
  left = 1;
  await assert.rejects(cluster.compute(flaky(8)), { name: 'RangeError', message: 'not yet' });
  assert.equal(await cluster.compute(flaky(8)), 8);
});

test('an abort cancels what runs, and what only it needed', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  const control = new AbortController();
  const wait = cluster.compute([gate('abort'), inc(1)], { signal: control.signal });
  await hasStarted('abort');
  control.abort(new Error('enough'));
  await assert.rejects(wait, (error: AsperitasError) => {
    assert.equal(error.code, 'aborted');
    assert.equal((error.cause as Error).message, 'enough');
    return true;
  });
  await eventually(() => aborted.has('abort'), 'the run is aborted');
  assert.equal((await cluster.status()).tasks.assigned, 0);
  await assert.rejects(cluster.compute(inc(2), { signal: AbortSignal.abort() }), { code: 'aborted' });
  assert.equal(await cluster.compute(inc(2)), 3);
});

test('a late wait is a timeout, and its tasks are cancelled', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  await assert.rejects(cluster.compute(gate('late'), { timeoutMs: 200 }), { code: 'timeout' });
  await eventually(() => aborted.has('late'), 'the run is aborted');
  assert.equal(await cluster.compute(inc(2), { timeoutMs: 60_000 }), 3);
});

test("one wait's end does not take the results of another", async (t) => {
  const { cluster, count } = await startSmallCluster(t, ['a1', 'a2']);
  const control = new AbortController();
  const first = cluster.compute(gate('shared'), { signal: control.signal });
  const second = cluster.compute([gate('shared'), inc(1)]);
  await hasStarted('shared');
  const unfinished = async (): Promise<number> => {
    const { waiting, ready, assigned } = (await cluster.status()).tasks;
    return (waiting ?? 0) + (ready ?? 0) + (assigned ?? 0);
  };
  await eventually(
    async () => count('client.inc') === 1 && (await unfinished()) === 1,
    'the other has ended',
  );
  control.abort();
  await assert.rejects(first, { code: 'aborted' });
  gates.get('shared')!();
  assert.deepEqual(await second, ['shared', 2]);
  assert.equal(count('client.gate'), 1);
});

test('two clients share a task, and one leaving does not take it from the other', async (t) => {
  const { cluster, client, count } = await startSmallCluster(t, ['a1']);
  const other = await client();
  const first = assert.rejects(cluster.compute(gate('both')), { code: 'scheduler-lost' });
  const second = other.compute(gate('both'));
  await hasStarted('both');
  await eventually(async () => (await other.status()).tasks.assigned === 1, 'the second is known');
  await cluster.close();
  await first;
  gates.get('both')!();
  assert.equal(await second, 'both');
  assert.equal(count('client.gate'), 1);
});

test('results come in the order of completion, failures too, each fetched when asked for', async (t) => {
  const fail = task('client.fail-third', (_, name: string): string => {
    throw new Error(name);
  });
  const { cluster, node } = await startSmallCluster(t, []);
  const a1 = await node('a1', 4);
  const asked = cluster.asCompleted([gate('slow'), gate('fast'), fail('bad'), gate('fast')]);
  const seen: unknown[] = [];
  for await (const { index, value, error } of asked) {
    seen.push([index, value ?? error?.message]);
    if (seen.length === 1) gates.get('fast')!();
    if (seen.length === 3) gates.get('slow')!();
  }
  assert.deepEqual(seen, [
    [2, 'bad'],
    [1, 'fast'],
    [3, 'fast'],
    [0, 'slow'],
  ]);
  await eventually(() => a1.data.size === 0, 'nothing is held');
});

test('leaving the loop cancels the rest', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1', 'a2']);
  const asked = cluster.asCompleted([gate('left'), inc(1)].map((lazy) => lazy as ReturnType<typeof inc>));
  for await (const { value } of asked) {
    assert.equal(value, 2);
    await hasStarted('left');
    break;
  }
  await eventually(() => aborted.has('left'), 'the run is aborted');
});

test('progress and status tell of this client and of the cluster; the trace comes whole', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1', 'b1']);
  const told: number[] = [];
  const stop = cluster.onProgress(({ done }) => told.push(done));
  const wait = cluster.compute([gate('progress'), inc(1)]);
  await hasStarted('progress');
  await eventually(() => told.includes(1), 'one of two is done');
  const status = await cluster.status();
  assert.deepEqual(status.nodes.map(({ node, threads }) => [node, threads]).sort(), [
    ['a1', 1],
    ['b1', 1],
  ]);
  assert.equal(status.tasks.assigned, 1);
  gates.get('progress')!();
  await wait;
  await eventually(() => told.includes(2), 'both are done');
  stop();
  const [first, second] = await Promise.all([cluster.trace(), cluster.trace()]);
  assert.deepEqual(first.map(({ fn }) => fn).sort(), ['client.gate', 'client.inc']);
  assert.deepEqual(second, first);
});

test('10,000 tasks are submitted in pieces, and their trace comes in pieces', async (t) => {
  const { cluster, node } = await startSmallCluster(t, []);
  await node('a1', 8);
  await node('b1', 8);
  const many = Array.from({ length: 10_000 }, (_, index) => inc(index));
  assert.equal(await cluster.compute(sum(many)), (10_000 * 10_001) / 2);
  const trace = await cluster.trace();
  assert.equal(trace.length, 10_001);
  assert.equal(new Set(trace.map(({ key }) => key)).size, 10_001);
  const { tasks } = await cluster.status();
  assert.deepEqual({ ...tasks }, { released: 0, waiting: 0, ready: 0, assigned: 0, held: 0, failed: 0 });
});

test('a submission that is aborted between its pieces leaves nothing behind', async (t) => {
  const { cluster, count } = await startSmallCluster(t, ['a1']);
  const control = new AbortController();
  const many = Array.from({ length: 12_000 }, (_, index) => inc(index + 0.5));
  const wait = cluster.compute(sum(many), { signal: control.signal });
  // The first piece has been sent by the end of this turn, the others not.
  setImmediate(() => control.abort());
  await assert.rejects(wait, { code: 'aborted' });
  assert.equal(await cluster.compute(inc(1)), 2);
  const { tasks } = await cluster.status();
  assert.equal(tasks.released, 0);
  assert.equal(count('client.inc'), 1);
});

test('large arguments are sent in pieces', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  const parts = Array.from({ length: 6 }, (_, index) => total(new Float64Array(400_000).fill(index)));
  assert.deepEqual(await cluster.compute(parts), [0, 400_000, 800_000, 1_200_000, 1_600_000, 2_000_000]);
});

test('the results of a node that dies are made again', async (t) => {
  const { cluster, nodes, count } = await startSmallCluster(t, ['a1', 'b1']);
  const held = await cluster.persist([ramp(10), ramp(11), ramp(12), ramp(13)]);
  const victim = nodes.find(({ data }) => data.size > 0)!;
  const lost = victim.data.size;
  await victim.die();
  const values = await cluster.compute(held);
  assert.deepEqual(
    values.map(({ length }) => length),
    [10, 11, 12, 13],
  );
  assert.equal(count('client.ramp'), 4 + lost);
});

test('when a holder cannot be reached, another one is asked', async (t) => {
  const { cluster, nodes, count } = await startSmallCluster(t, ['a1', 'b1']);
  const held = await cluster.persist(ramp.with({ site: 'a' as never })(100));
  // A task at the other site fetches a copy, which is kept.
  assert.equal(await cluster.compute(total.with({ site: 'b' as never })(held)), 4950);
  await nodes[0]!.hideData();
  assert.equal((await cluster.compute(held)).length, 100);
  assert.equal(count('client.ramp'), 1);
});

test('when no holder can be reached, the result is made again elsewhere', async (t) => {
  const { cluster, nodes, node, count } = await startSmallCluster(t, ['a1']);
  const held = await cluster.persist(ramp(100));
  const control = new AbortController();
  const busy = cluster.compute(gate('busy'), { signal: control.signal });
  await hasStarted('busy');
  await node('b1');
  await nodes[0]!.hideData();
  assert.equal((await cluster.compute(held)).length, 100);
  assert.equal(count('client.ramp'), 2);
  control.abort();
  await assert.rejects(busy, { code: 'aborted' });
});

test('a wrong token, a wrong address and a silent one are told apart', async (t) => {
  const { scheduler, nodes } = await startSmallCluster(t, ['a1']);
  await assert.rejects(connect(scheduler.url, { token: 'other' }), { code: 'wrong-token' });
  await assert.rejects(connect('ws://127.0.0.1:9', { token }), { code: 'unreachable' });
  await assert.rejects(connect(nodes[0]!.dataUrl, { token }), { code: 'not-a-scheduler' });
});

test('everything pending rejects when the scheduler is gone, and so does what comes later', async () => {
  const scheduler = await startScheduler({ token, check: true });
  const cluster = await connect(scheduler.url, { token });
  const waits = [
    cluster.compute(inc(1)),
    cluster.persist(inc(2)),
    cluster
      .asCompleted([inc(3)])
      [Symbol.asyncIterator]()
      .next(),
  ];
  const outcomes = Promise.allSettled(waits);
  await cluster.status();
  await scheduler.close();
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected');
    assert.equal((outcome.reason as AsperitasError).code, 'scheduler-lost');
  }
  await assert.rejects(cluster.status(), { code: 'scheduler-lost' });
  await cluster.close();
});

test('a shutdown lets nodes finish, and resolves when the scheduler has gone', async (t) => {
  const { cluster, client, scheduler, nodes } = await startSmallCluster(t, ['a1', 'b1']);
  const other = await client();
  const wait = assert.rejects(other.compute(gate('shutdown')), { code: 'scheduler-lost' });
  await hasStarted('shutdown');
  const gone = cluster.shutdown();
  gates.get('shutdown')!();
  await gone;
  await scheduler.closed;
  await wait;
  await Promise.all(nodes.map(({ closed }) => closed));
});
