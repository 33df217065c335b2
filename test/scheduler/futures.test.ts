/** Futures of a client, against a real scheduler and real nodes over sockets: their states and ends, and what
 * several clients leave for one another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AsperitasError } from '../../runtime/index.ts';
import { type Future, type Lazy, task } from '../../scheduler/index.ts';
import { eventually, startSmallCluster } from '../support/small-cluster.ts';

const inc = task('futures.inc', (_, value: number) => value + 1);
const sum = task('futures.sum', (_, values: readonly number[]) => values.reduce((a, b) => a + b, 0));
const echo = task('futures.echo', (_, value: unknown) => value);

/** Tasks that wait until the test opens their gate, or the run is aborted. */
const gates = new Map<string, () => void>();
const aborted = new Set<string>();
const gate = task('futures.gate', async (context, name: string) => {
  await new Promise<void>((resolve, reject) => {
    gates.set(name, resolve);
    context.signal.addEventListener('abort', () => {
      aborted.add(name);
      reject(new Error('aborted'));
    });
  });
  return name;
});
const hasStarted = (name: string) => eventually(() => gates.has(name), `${name} has started`);

/** Fails as often as is said under its name, then gives the name. */
const failures = new Map<string, number>();
const flaky = task('futures.flaky', (_, name: string) => {
  const left = failures.get(name) ?? 0;
  failures.set(name, left - 1);
  if (left > 0) throw new RangeError(`${name} fails, ${left} to go`);
  return name;
});

test('a submitted task is a future at once, pending until its result is held', async (t) => {
  const { cluster, nodes } = await startSmallCluster(t, ['a1']);
  const future = cluster.submit(gate('pending'));
  assert.equal(future.status, 'pending');
  assert.equal(future.done, false);
  assert.equal(future.site, undefined);
  const after = cluster.submit(echo({ deep: [future, inc(1)] }));
  await hasStarted('pending');
  gates.get('pending')!();
  assert.deepEqual(await after.result(), { deep: ['pending', 2] });
  assert.equal(await future.result(), 'pending');
  assert.deepEqual([future.status, future.done, future.site], ['held', true, 'a']);
  assert.equal(future.bytes! > 0, true);
  cluster.release({ all: [future, after] });
  assert.equal(future.status, 'released');
  await assert.rejects(future.result(), { code: 'future-released' });
  await eventually(() => nodes.every(({ data }) => data.size === 0), 'the nodes hold nothing');
});

test('a future that is released before it was sent leaves nothing behind', async (t) => {
  const { cluster, count } = await startSmallCluster(t, ['a1']);
  for (let index = 0; index < 20; index++) cluster.submit(inc(index)).release();
  {
    using future = cluster.submit(inc(100));
    assert.equal(await future.result(), 101);
  }
  const { tasks } = await cluster.status();
  assert.equal(
    Object.values(tasks).reduce((a, b) => a + b),
    0,
  );
  assert.equal(count('futures.inc') <= 21, true);
});

test('map submits the task of every item, and gather fetches them in their places', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1', 'b1']);
  const futures = cluster.map(inc, [1, 2, 3]);
  const twice = cluster.map((value) => sum([value, value]), futures);
  assert.deepEqual(await cluster.gather({ once: futures, twice, plain: 'x' }), {
    once: [2, 3, 4],
    twice: [4, 6, 8],
    plain: 'x',
  });
  // Gathered futures stay.
  assert.deepEqual(await cluster.gather(futures), [2, 3, 4]);
  futures[0]!.release();
  await assert.rejects(cluster.gather(futures), { code: 'future-released' });
});

test('a wait that is late or aborted does not cancel the task', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  const future = cluster.submit(gate('patient'));
  await assert.rejects(future.result({ timeoutMs: 50 }), { code: 'timeout' });
  await assert.rejects(cluster.gather([future], { signal: AbortSignal.abort() }), { code: 'aborted' });
  await assert.rejects(cluster.wait([future], { timeoutMs: 20 }), { code: 'timeout' });
  await hasStarted('patient');
  assert.equal(future.status, 'pending');
  gates.get('patient')!();
  assert.equal(await future.result({ timeoutMs: 60_000 }), 'patient');
});

test('cancelling a pending future ends its run, and all waits for it here', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  const future = cluster.submit(gate('cancelled'));
  const after = cluster.submit(inc(future as unknown as Lazy<number>));
  const waits = [future.result(), cluster.compute(future)];
  await hasStarted('cancelled');
  cluster.cancel([future, after]);
  assert.equal(future.status, 'cancelled');
  for (const wait of waits) await assert.rejects(wait, { code: 'cancelled' });
  await assert.rejects(after.result(), { code: 'cancelled' });
  await eventually(() => aborted.has('cancelled'), 'the run is aborted');
  // Asked for anew, it is a new attempt: the cancellation is not its end.
  const again = cluster.submit(gate('cancelled'));
  assert.equal(again.status, 'pending');
  gates.delete('cancelled');
  await hasStarted('cancelled');
  gates.get('cancelled')!();
  assert.equal(await again.result(), 'cancelled');
});

test('cancelling a finished future changes nothing', async (t) => {
  const { cluster, count } = await startSmallCluster(t, ['a1']);
  const future = cluster.submit(inc(1));
  assert.equal(await future.result(), 2);
  future.cancel();
  assert.equal(future.status, 'held');
  assert.equal(await future.result(), 2);
  failures.set('ended', 1);
  const failed = cluster.submit(flaky('ended'));
  await cluster.wait([failed]);
  failed.cancel();
  assert.equal(failed.status, 'failed');
  assert.equal(count('futures.inc'), 1);
});

test('one client cancelling does not take the task from another', async (t) => {
  const { cluster, client } = await startSmallCluster(t, ['a1']);
  const other = await client();
  const mine = cluster.submit(gate('shared'));
  const its = other.submit(gate('shared'));
  await hasStarted('shared');
  await eventually(async () => (await other.status()).tasks.assigned === 1, 'the second is known');
  mine.cancel();
  await cluster.status();
  gates.get('shared')!();
  assert.equal(await its.result(), 'shared');
  assert.equal(aborted.has('shared'), false);
});

test('a retry runs again what failed, and what failed because of it', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  failures.set('again', 1);
  const first = cluster.submit(flaky('again'));
  const second = cluster.submit(echo([first, flaky('again')]));
  await assert.rejects(second.result(), { name: 'RangeError', message: 'again fails, 1 to go' });
  await cluster.wait([first, second]);
  assert.deepEqual([first.status, second.status], ['failed', 'failed']);
  cluster.retry([first, second]);
  assert.deepEqual([first.status, second.status], ['pending', 'pending']);
  assert.deepEqual(await second.result(), ['again', 'again']);
  assert.equal(await first.result(), 'again');
});

test('an error of an earlier attempt never ends a later one', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  for (let round = 0; round < 30; round++) {
    const name = `round ${round}`;
    failures.set(name, 1);
    const first = cluster.submit(flaky(name));
    // Waits that ask again and again, so that answers to one are on their way while another is sent.
    const others = Promise.allSettled([first.result(), cluster.compute(first), cluster.compute(first)]);
    await cluster.wait([first]);
    const again = cluster.submit(flaky(name));
    assert.equal(await again.result(), name);
    await others;
  }
});

test('a wait ends with the first or with all, and says which are done', async (t) => {
  const { cluster, node } = await startSmallCluster(t, []);
  await node('a1', 3);
  failures.set('first', 1);
  const futures: Future<unknown>[] = [gate('w1'), gate('w2')].map((lazy) => cluster.submit(lazy));
  assert.deepEqual(await cluster.wait([]), { done: [], pending: [] });
  await hasStarted('w1');
  await hasStarted('w2');
  const first = cluster.wait(futures, { for: 'first' });
  gates.get('w2')!();
  assert.deepEqual(await first, { done: [futures[1]], pending: [futures[0]] });
  futures.push(cluster.submit(flaky('first')));
  const all = cluster.wait(futures);
  futures[0]!.cancel();
  assert.deepEqual(await all, { done: futures, pending: [] });
  assert.deepEqual(
    futures.map(({ status }) => status),
    ['cancelled', 'held', 'failed'],
  );
});

test('more may be added to a loop over completed results', async (t) => {
  const { cluster, nodes } = await startSmallCluster(t, ['a1', 'a2']);
  const runs = cluster.asCompleted<number>([inc(0), inc(10)]);
  const seen: [number, number | undefined][] = [];
  for await (const { index, value } of runs) {
    seen.push([index, value]);
    if (value! < 5) assert.equal(runs.add([inc(value!)]), 1 + value!);
  }
  assert.deepEqual(
    seen.sort((a, b) => a[0] - b[0]),
    [
      [0, 1],
      [1, 11],
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
    ],
  );
  const futures = cluster.map(inc, [20, 20, 21]);
  const found: unknown[] = [];
  for await (const { index, value } of cluster.asCompleted(futures)) found.push([index, value]);
  assert.deepEqual(found.sort(), [
    [0, 21],
    [1, 21],
    [2, 22],
  ]);
  cluster.release(futures);
  await eventually(() => nodes.every(({ data }) => data.size === 0), 'nothing is held');
});

test('what is forgotten runs to its end though its client goes at once', async (t) => {
  const { cluster, client, nodes } = await startSmallCluster(t, ['a1']);
  const other = await client();
  const future = other.submit(gate('forgotten'));
  other.forget([inc(gate('forgotten') as unknown as Lazy<number>), future]);
  await hasStarted('forgotten');
  await other.close();
  await new Promise((resolve) => setTimeout(resolve, 5500));
  assert.equal(aborted.has('forgotten'), false);
  gates.get('forgotten')!();
  await eventually(async () => {
    const { tasks } = await cluster.status();
    return Object.values(tasks).every((count) => count === 0);
  }, 'nothing is known any more');
  assert.deepEqual(nodes[0]!.counts.get('futures.inc'), 1);
  await eventually(() => nodes[0]!.data.size === 0, 'nothing is held');
});

test('a published data set is there for other clients after its own has gone', async (t) => {
  const { cluster, client, nodes } = await startSmallCluster(t, ['a1']);
  const other = await client();
  await other.publish('sky', { map: inc(1), tiles: other.map(inc, [2, 3]), epoch: new Date(5) });
  await assert.rejects(cluster.publish('sky', inc(2)), { code: 'dataset-exists' });
  await other.close();
  await new Promise((resolve) => setTimeout(resolve, 5500));
  assert.deepEqual(await cluster.datasets(), ['sky']);
  const sky = (await cluster.dataset('sky')) as { map: Future<number>; tiles: Future<number>[]; epoch: Date };
  assert.deepEqual(sky.epoch, new Date(5));
  assert.deepEqual(await cluster.gather([sky.map, ...sky.tiles]), [2, 3, 4]);
  assert.equal(await cluster.compute(sum([sky.map, ...sky.tiles])), 9);
  assert.equal(nodes[0]!.counts.get('futures.inc'), 3);
  await cluster.unpublish('sky');
  assert.equal(await sky.map.result(), 2);
  await assert.rejects(cluster.dataset('sky'), { code: 'no-such-dataset' });
  await assert.rejects(cluster.unpublish('sky'), { code: 'no-such-dataset' });
  cluster.release(sky);
  await eventually(() => nodes[0]!.data.size === 0, 'nothing is held');
});

test('a key stands for one task while that is live', async (t) => {
  const { cluster, client } = await startSmallCluster(t, ['a1']);
  const other = await client();
  const first = cluster.submit(inc.with({ key: 'the-one' })(1));
  assert.equal(await first.result(), 2);
  assert.match(first.key, /^the-one-/);
  await assert.rejects(other.compute(inc.with({ key: 'the-one' })(2)), { code: 'key-conflict' });
  assert.equal(await other.compute(inc.with({ key: 'the-one' })(1)), 2);
  const both = [inc.with({ key: 'two' })(1), inc.with({ key: 'two' })(2)];
  assert.throws(() => cluster.map((lazy) => lazy, both), { code: 'key-conflict' });
  // What the other client has released goes another way: it must have come first.
  await other.status();
  first.release();
  assert.equal(await cluster.compute(inc.with({ key: 'the-one' })(2)), 3);
});

test('a task past its deadline fails as late, and the status counts it', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  const busy = cluster.submit(gate('busy'));
  await hasStarted('busy');
  const late = cluster.submit(inc.with({ deadlineMs: Date.now() + 100, dropIfLate: true })(1));
  await assert.rejects(late.result(), { code: 'late' });
  assert.deepEqual((await cluster.status()).lateness, { dropped: 1, missed: 0 });
  busy.cancel();
});

test('everything about futures ends when the scheduler is gone', async (t) => {
  const { cluster, scheduler } = await startSmallCluster(t, []);
  const future = cluster.submit(inc(1));
  const waits = Promise.allSettled([
    future.result(),
    cluster.gather([future]),
    cluster.wait([future]),
    cluster.dataset('none'),
  ]);
  await cluster.status();
  await scheduler.close();
  const codes = (await waits).map((end) => end.status === 'rejected' && (end.reason as AsperitasError).code);
  assert.deepEqual(codes, ['scheduler-lost', 'scheduler-lost', 'scheduler-lost', 'no-such-dataset']);
  assert.throws(() => cluster.submit(inc(1)), { code: 'scheduler-lost' });
});
