/** Actors on nodes that are real processes: asking, order, back-pressure, deadlines, crashes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalCluster } from '../../nodes/index.ts';
import { webSocketTransport } from '../../runtime/index.ts';
import { type Cluster, connect } from '../../scheduler/index.ts';
import { eventually } from '../support/small-cluster.ts';
import { Counter, Hermit } from '../support/test-actors.ts';

const modules = [new URL('../support/test-actors.js', import.meta.url).href];
let local: LocalCluster;
let cluster: Cluster;
before(async () => {
  local = await LocalCluster.start({ sites: { a: { nodes: 1, threads: 1 } }, modules });
  cluster = local;
});
after(() => local.close());

/** One more client of the same cluster. */
function another(): Promise<Cluster> {
  return connect(local.url, { token: local.token });
}

test('an actor keeps its state from one ask to the next', async () => {
  const counter = await cluster.spawn(Counter, { start: 5 });
  assert.equal(await counter.ask('add', { by: 2 }), 7);
  assert.equal(await counter.ask('add', { by: 3 }), 10);
  await counter.stop();
});

test('what is told is done before what is asked later', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  for (const word of ['one', 'two', 'three']) await counter.tell('note', word);
  assert.deepEqual(await counter.ask('notes', {}), ['one', 'two', 'three']);
  await counter.stop();
});

test('two callers with 10,000 asks each under way: each one is answered in its order', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 }, { name: 'shared', mailbox: 500 });
  const second = await another();
  const same = await second.actor(Counter, 'shared');
  const asks = [counter, same].map((ref) =>
    Promise.all(Array.from({ length: 10_000 }, () => ref.ask('add', { by: 1 }))),
  );
  const [mine, theirs] = await Promise.all(asks);
  for (const answers of [mine!, theirs!]) {
    assert.ok(
      answers.every((value, k) => k === 0 || value > answers[k - 1]!),
      'ever higher',
    );
  }
  assert.equal(new Set([...mine!, ...theirs!]).size, 20_000, 'each one was done once');
  await second.close();
  await counter.stop();
});

test('numeric arrays go and come as they are', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  const array = Float64Array.from({ length: 300_000 }, (_, k) => k / 3);
  assert.deepEqual(await counter.ask('echo', { array }), array);
  await counter.stop();
});

test('a full mailbox holds the sender up, and loses nothing', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 }, { mailbox: 10 });
  void counter.ask('doze', { ms: 300 }).catch(() => undefined);
  for (let k = 0; k < 3000; k++) await counter.tell('note', String(k));
  const notes = await counter.ask('notes', {});
  assert.deepEqual(
    notes,
    Array.from({ length: 3000 }, (_, k) => String(k)),
  );
  await counter.stop();
});

test('an ask past its deadline rejects, and is not begun', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  const dozing = counter.ask('doze', { ms: 400 });
  await assert.rejects(counter.ask('add', { by: 1 }, { timeoutMs: 50 }), { code: 'timeout' });
  assert.equal(await dozing, 0);
  assert.equal(await counter.ask('add', { by: 0 }), 0, 'nothing was added');
  await counter.stop();
});

test('an aborted ask tells the handler at work, and one that waits is not begun', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  const stop = new AbortController();
  const atWork = counter.ask('untilAborted', {}, { signal: stop.signal });
  const waiting = counter.ask('add', { by: 1 }, { signal: stop.signal });
  await sleep(100);
  stop.abort();
  await assert.rejects(atWork, { code: 'aborted' });
  await assert.rejects(waiting, { code: 'aborted' });
  assert.equal(await counter.ask('add', { by: 0 }), 0);
  await counter.stop();
});

test('what a handler throws arrives with its name, code and stack', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  await assert.rejects(counter.ask('fail', { code: 'E_TEST' }), (error: Error & { code?: string }) => {
    assert.equal(error.name, 'RangeError');
    assert.equal(error.code, 'E_TEST');
    assert.match(error.stack ?? '', /test-actors/);
    return true;
  });
  await assert.rejects(counter.ask('add', { by: -1 }), { code: 'invalid-message', message: /add\.by/ });
  await assert.rejects(counter.ask('echo', { array: (() => 1) as never }), { code: 'not-serialisable' });
  assert.equal(await counter.ask('add', { by: 1 }), 1, 'it lives on');
  await counter.stop();
});

test('messages of one name that wait together are handed over together', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  const sums = await Promise.all(Array.from({ length: 40 }, (_, k) => counter.ask('sum', [k, 1])));
  assert.deepEqual(
    sums,
    Array.from({ length: 40 }, (_, k) => k + 1),
  );
  const batches = await counter.ask('batches', {});
  assert.ok(batches.length < 10 && Math.max(...batches) === 16, `batches of ${batches.join(', ')}`);
  await counter.stop();
});

test('a caller that sends what can not be read gets an error, and costs nobody else', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  const { url } = local.nodes[0]!;
  const connection = await webSocketTransport.dial(url, { token: local.token, hello: { role: 'caller' } });
  const heard: unknown[] = [];
  connection.onMessage((message) => heard.push(message.type));
  connection.send({ type: 'open', line: 1, actor: counter.actor, incarnation: 1 });
  const body = { header: Uint8Array.of(0xc1, 0xff), frames: [] };
  connection.send({ type: 'parcel', line: 1, first: 0, count: 3, ...body });
  await eventually(() => heard.length > 0, 'an answer comes');
  assert.deepEqual(heard, ['answers']);
  connection.send({ type: 'parcel', line: 1, first: 'none' });
  await connection.closed;
  assert.equal(await counter.ask('add', { by: 1 }), 1);
  await counter.stop();
});

test('a name is taken as long as its actor lives', async () => {
  const first = await cluster.spawn(Counter, { start: 0 }, { name: 'only one' });
  await assert.rejects(cluster.spawn(Counter, { start: 0 }, { name: 'only one' }), {
    code: 'actor-name-taken',
  });
  await first.stop();
  await assert.rejects(cluster.actor(Counter, 'only one'), { code: 'no-such-actor' });
  const second = await cluster.spawn(Counter, { start: 3 }, { name: 'only one' });
  assert.equal(await (await cluster.actor(Counter, 'only one')).ask('add', { by: 0 }), 3);
  await assert.rejects(cluster.actor(Hermit, 'only one'), { code: 'another-actor' });
  await second.stop();
  await assert.rejects(second.ask('add', { by: 1 }), { code: 'actor-stopped' });
});

test('an actor that can not begin is not spawned, and says why', async () => {
  await assert.rejects(cluster.spawn(Counter, { start: 0, refuse: true }), {
    name: 'RangeError',
    message: 'it does not want to live',
  });
});

test('an actor whose thread dies is restarted with its last saved state', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 }, { saveEvery: 10 });
  for (let k = 0; k < 25; k++) await counter.ask('add', { by: 1 });
  const crash = assert.rejects(counter.ask('crash', {}), { code: 'actor-crashed' });
  const next = counter.ask('add', { by: 0 });
  await crash;
  assert.equal(await next, 20, 'asked in the former life, answered in the next');
  const { incarnation } = await counter.ask('whoami', {});
  assert.equal(incarnation, 2);
  await counter.stop();
});

test('an actor that may not be restarted is lost with its thread, and its callers hear of it', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 }, { restart: 'temporary' });
  const changes: string[] = [];
  counter.watch(({ type }) => changes.push(type));
  await assert.rejects(counter.ask('crash', {}), { code: 'actor-crashed' });
  await assert.rejects(counter.ask('add', { by: 1 }), { code: 'actor-lost' });
  assert.deepEqual(changes, ['away', 'gone']);
});

test('a message that ends one incarnation after the other is parked, and others go on', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 }, { restart: { limit: 10, leastPauseMs: 10 } });
  const changes: string[] = [];
  counter.watch((change) => {
    if (change.type === 'spared') changes.push(change.message);
  });
  const poison = assert.rejects(counter.ask('poison', {}), { code: 'poison-message' });
  const other = counter.ask('add', { by: 1 });
  await poison;
  assert.equal(await other, 1);
  assert.deepEqual(changes, ['poison']);
  assert.equal((await counter.ask('whoami', {})).incarnation, 4, 'three died');
  assert.equal(await counter.ask('weaken', { until: 6 }), 0, 'two more deaths are borne');
  await counter.stop();
});

test('a device-bound library gets a process of its own, and its crash costs nobody else', async () => {
  const hermit = await cluster.spawn(Hermit, { start: 1 });
  const { pid, isMain } = await hermit.ask('whoami', {});
  assert.ok(isMain && pid !== local.nodes[0]!.pid, 'in a process of its own');
  const array = new Float64Array(50_000).fill(2);
  assert.deepEqual(await hermit.ask('double', { array }), new Float64Array(50_000).fill(4));
  await assert.rejects(hermit.ask('crash', {}), { code: 'actor-crashed' });
  const again = await hermit.ask('whoami', {});
  assert.equal(again.incarnation, 2);
  assert.notEqual(again.pid, pid);
  await hermit.stop();
});

test('an actor ends with its client, unless it is detached', async () => {
  const second = await another();
  await second.spawn(Counter, { start: 0 }, { name: 'owned' });
  await second.spawn(Counter, { start: 4 }, { name: 'free', detached: true });
  await second.close();
  const free = await cluster.actor(Counter, 'free');
  await eventually(async () => {
    const owned = await cluster.actor(Counter, 'owned').catch((error: { code?: string }) => error.code);
    return owned === 'no-such-actor';
  }, 'the actor of a client that is gone ends');
  assert.equal(await free.ask('add', { by: 1 }), 5);
  await free.stop();
});
