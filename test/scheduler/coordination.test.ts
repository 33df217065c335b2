/** Locks, queues and the like between clients over real sockets, some of them processes that are killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Cluster, connect, type Future, startScheduler, task } from '../../scheduler/index.ts';
import { eventually, startSmallCluster } from '../support/small-cluster.ts';
import { until } from '../support/until.ts';

const double = task('coordination.double', (_, value: number) => 2 * value);

const token = 'a shared secret of the test';
const scheduler = await startScheduler({ token, check: true });
const folder = mkdtempSync(join(tmpdir(), 'asperitas-lock-'));
const clients: Cluster[] = [];
const join_ = async (): Promise<Cluster> => {
  const cluster = await connect(scheduler.url, { token });
  clients.push(cluster);
  return cluster;
};
const [ann, bob] = [await join_(), await join_()];
after(async () => {
  for (const client of clients) await client.close();
  await scheduler.close();
  rmSync(folder, { recursive: true });
});

/** A client in a process of its own. */
function process_(...words: string[]) {
  const script = fileURLToPath(new URL('../support/coordinating-client.js', import.meta.url));
  const child = spawn(process.execPath, [script, scheduler.url, token, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  return { child, said: () => said, ended: once(child, 'close') };
}

test('processes that count under a lock lose no count', async () => {
  const file = join(folder, 'count');
  writeFileSync(file, '0');
  const processes = [process_(file, '40'), process_(file, '40'), process_(file, '40')];
  await Promise.all(processes.map(({ ended }) => ended));
  assert.deepEqual(
    processes.map(({ said }) => said()),
    ['counted\n', 'counted\n', 'counted\n'],
  );
  assert.equal(readFileSync(file, 'utf8'), '120');
});

test('a lock held by a process that is killed goes to who waits', async () => {
  const holder = process_('none', 'hold');
  await until('the lock is held', () => holder.said() === 'held\n');
  const lock = ann.lock('counter');
  assert.equal(await lock.tryAcquire(), false);
  await assert.rejects(lock.acquire({ timeoutMs: 50 }), { code: 'timeout' });
  const waiting = lock.acquire();
  holder.child.kill('SIGKILL');
  await waiting;
  assert.equal(lock.held, 1);
  lock.release();
  assert.throws(() => lock.release(), { code: 'not-held' });
});

test('waits end by signal and time, with nothing left of them', async () => {
  const [held, lock] = [ann.lock('a'), bob.lock('a')];
  await held.acquire();
  const controller = new AbortController();
  const aborted = assert.rejects(lock.acquire({ signal: controller.signal }), { code: 'aborted' });
  controller.abort();
  await aborted;
  await assert.rejects(lock.acquire({ signal: AbortSignal.abort() }), { code: 'aborted' });
  // Given up and granted at the same time, again and again: who has it knows, and nobody else has it.
  let had = 0;
  for (let turn = 0; turn < 200; turn++) {
    const giveUp = new AbortController();
    const attempt = lock.acquire({ signal: giveUp.signal });
    const end = attempt.then(
      () => true,
      () => false,
    );
    held.release();
    // Sooner or later than the lease comes.
    for (let pause = turn % 20; pause > 0; pause--) await nextTurn();
    giveUp.abort();
    if (await end) {
      had++;
      lock.release();
    }
    await held.acquire({ timeoutMs: 10_000 });
  }
  assert.ok(had > 0 && had < 200, `${had} of 200 were granted in time`);
  held.release();
});

test('a semaphore lets so many in, and gives leases back when its client closes', async () => {
  const other = await connect(scheduler.url, { token });
  const [mine, theirs] = [ann.semaphore('s', { leases: 3 }), other.semaphore('s', { leases: 3 })];
  await Promise.all([theirs.acquire(), theirs.acquire(), mine.acquire()]);
  assert.equal(await mine.tryAcquire(), false);
  const waiting = Promise.all([mine.acquire(), mine.acquire()]);
  await other.close();
  await waiting;
  assert.equal(mine.held, 3);
  for (let left = 3; left > 0; left--) mine.release();
  await assert.rejects(
    ann
      .lock('l')
      .run(() => bob.semaphore('l2', { leases: 2 }).run(() => ann.semaphore('l2', { leases: 1 }).acquire())),
    { code: 'other-limit' },
  );
});

test('items of a queue keep their order and their kinds, puts wait for room', async () => {
  const [put, get] = [ann.queue<unknown>('q', { limit: 2 }), bob.queue<unknown>('q', { limit: 2 })];
  const items = [
    undefined,
    null,
    Number.NaN,
    12n,
    new Date(5),
    new Map([[1, new Set(['a'])]]),
    new Float64Array([1]),
  ];
  const all = (async () => {
    for (const item of items) await put.put(item);
  })();
  const got: unknown[] = [];
  while (got.length < items.length) got.push(await get.get());
  await all;
  assert.deepEqual(got, items);
  await put.put(1);
  await put.put(2);
  assert.equal(await put.tryPut(3), false);
  await assert.rejects(put.put(3, { timeoutMs: 30 }), { code: 'timeout' });
  assert.equal(await get.size(), 2);
  assert.deepEqual(
    [await get.tryGet(), await get.tryGet(), await get.tryGet()],
    [{ value: 1 }, { value: 2 }, undefined],
  );
  await assert.rejects(put.put('x'.repeat(300_000)), { code: 'value-too-large' });
});

test('many producers and consumers: each item comes once, in the order of its producer', async () => {
  const got: [number, number][] = [];
  const produce = async (producer: number): Promise<void> => {
    const queue = (producer % 2 === 0 ? ann : bob).queue<[number, number]>('many', { limit: 5 });
    for (let item = 0; item < 100; item++) await queue.put([producer, item]);
  };
  const consume = async (cluster: Cluster): Promise<void> => {
    const queue = cluster.queue<[number, number]>('many', { limit: 5 });
    while (got.length < 400) {
      // A late one is none: what it was given in time is not lost.
      const item = await queue.get({ timeoutMs: 20 }).catch((error: { code?: string }) => {
        assert.equal(error.code, 'timeout');
        return undefined;
      });
      if (item !== undefined) got.push(item);
    }
  };
  await Promise.all([...[0, 1, 2, 3].map(produce), consume(ann), consume(bob), consume(bob)]);
  for (let producer = 0; producer < 4; producer++) {
    const items = got.filter(([from]) => from === producer).map(([, item]) => item);
    assert.deepEqual(
      [...items].sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, item) => item),
    );
  }
});

test('an event is waited for by all; a variable shows the last value', async () => {
  const waits = Promise.all([ann.event('go').wait(), bob.event('go').wait()]);
  assert.equal(await ann.event('go').isSet(), false);
  await bob.event('go').set();
  await waits;
  assert.equal(await ann.event('go').isSet(), true);
  await ann.event('go').clear();
  assert.equal(await bob.event('go').isSet(), false);
  const variable = ann.variable<{ readonly step: number }>('v');
  const first = bob.variable('v').get();
  await variable.set({ step: 1 });
  assert.deepEqual(await first, { step: 1 });
  await variable.set({ step: 2 });
  assert.deepEqual(await bob.variable('v').tryGet(), { value: { step: 2 } });
  await variable.delete();
  assert.equal(await bob.variable('v').tryGet(), undefined);
});

test('a topic reaches all subscribers; a slow one is told how much it missed', async () => {
  const topic = ann.topic<number>('t');
  assert.equal(await topic.publish(0), 0);
  const quick = await bob.topic<number>('t').subscribe();
  const slow = await bob.topic<number>('t').subscribe({ buffer: 3 });
  for (let word = 1; word <= 10; word++) assert.equal(await topic.publish(word), 2);
  const heard: number[] = [];
  for await (const word of quick) if (heard.push(word) === 10) break;
  assert.deepEqual(heard, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await until('all came', () => slow.dropped === 7);
  const rest: number[] = [];
  for await (const word of slow) if (rest.push(word) === 3) break;
  assert.deepEqual(rest, [8, 9, 10]);
  assert.equal(await topic.publish(11), 0, 'leaving the loop ends the subscription');
});

test('a future in a queue or on a variable keeps its result; whoever takes it has it', async (t) => {
  const small = await startSmallCluster(t, ['a1']);
  const { cluster: giver, nodes } = small;
  const taker = await small.client();
  const future = giver.submit(double(21));
  await giver.queue('work').put({ all: [future, double(4)], note: 'two' });
  await giver.variable('latest').set(future);
  giver.release(future);
  const work = await taker.queue<{ readonly all: Future<number>[] }>('work').get();
  assert.deepEqual(await taker.gather(work), { all: [42, 8], note: 'two' });
  const latest = await taker.variable<Future<number>>('latest').get();
  taker.release(work);
  assert.equal(await latest.result(), 42, 'the one does not take it from the other');
  taker.release(latest);
  await giver.variable('latest').delete();
  await eventually(
    async () => Object.values((await giver.status()).tasks).every((n) => n === 0),
    'all forgotten',
  );
  await assert.rejects(giver.topic('t').publish(double(1)), { code: 'no-futures-on-topics' });
  await eventually(() => nodes.every(({ data }) => data.size === 0), 'the nodes hold nothing');
});

test('the end of the scheduler is told to all who wait, hold or listen', async () => {
  const brief = await startScheduler({ token });
  const cluster = await connect(brief.url, { token });
  const lost = { code: 'scheduler-lost' };
  const words = await cluster.topic('t').subscribe();
  const listening = assert.rejects(async () => {
    for await (const _ of words) assert.fail('nobody speaks');
  }, lost);
  let signal: AbortSignal | undefined;
  const holding = cluster.lock('l').run(async (held) => {
    signal = held;
    await once(held, 'abort');
  });
  const waiting = assert.rejects(cluster.queue('q').get(), lost);
  await until('the lock is held', () => signal !== undefined);
  await brief.close();
  await Promise.all([listening, holding, waiting]);
  await assert.rejects(cluster.lock('l').acquire(), lost);
  await cluster.close();
});
