/** Actors on several nodes that are real processes: nodes that die, that leave, and groups. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LocalCluster } from '../../nodes/index.ts';
import { child } from '../../scheduler/index.ts';
import { eventually } from '../support/small-cluster.ts';
import { Counter } from '../support/test-actors.ts';

const modules = [new URL('../support/test-actors.js', import.meta.url).href];

async function started(t: TestContext, nodes = 2): Promise<LocalCluster> {
  const cluster = await LocalCluster.start({ sites: { a: { nodes, threads: 1 } }, modules });
  t.after(() => cluster.close());
  return cluster;
}

test('an actor whose node is killed lives again elsewhere, with its last saved state', async (t) => {
  const cluster = await started(t);
  const counter = await cluster.spawn(Counter, { start: 0 }, { near: 'a-1', saveEvery: 5 });
  for (let k = 0; k < 12; k++) await counter.ask('add', { by: 1 });
  // The last save travels behind the answers.
  await counter.ask('doze', { ms: 300 });
  const { node } = await counter.ask('whoami', {});
  assert.equal(node, 'a-1');
  const underWay = counter.ask('doze', { ms: 60_000 });
  const lost = assert.rejects(underWay, { code: 'answer-lost' });
  await cluster.nodes[0]!.kill();
  await lost;
  assert.equal(await counter.ask('add', { by: 0 }), 10);
  assert.deepEqual((await counter.ask('whoami', {})).node, 'a-2');
});

test('an actor that may not be restarted is lost with its node, and so are all asks', async (t) => {
  const cluster = await started(t);
  const counter = await cluster.spawn(Counter, { start: 0 }, { near: 'a-1', restart: 'temporary' });
  const asks = [counter.ask('doze', { ms: 60_000 }), counter.ask('add', { by: 1 })];
  const ends = Promise.all(asks.map((ask) => assert.rejects(ask, { code: 'actor-lost' })));
  await counter.ask('add', { by: 1 }, { timeoutMs: 100 }).catch(() => undefined);
  await cluster.nodes[0]!.kill();
  await ends;
  await assert.rejects(counter.ask('add', { by: 1 }), { code: 'actor-lost' });
});

test('an actor whose node is drained moves with its state; no call is lost or done twice', async (t) => {
  const cluster = await started(t);
  const counter = await cluster.spawn(Counter, { start: 0 }, { near: 'a-1' });
  let drained: Promise<void> | undefined;
  const asks: Promise<number>[] = [];
  for (let k = 0; k < 4000; k++) {
    asks.push(counter.ask('add', { by: 1 }));
    if (k % 100 === 99) await asks.at(-1);
    if (k === 1000) drained = cluster.inspect.drain('a-1');
  }
  const answers = await Promise.all(asks);
  assert.deepEqual(
    answers,
    Array.from({ length: 4000 }, (_, k) => k + 1),
  );
  await drained;
  assert.deepEqual(await counter.ask('whoami', {}).then(({ node, incarnation }) => [node, incarnation]), [
    'a-2',
    2,
  ]);
});

test('a node with an actor that can go nowhere is not drained, and the error names the actor', async (t) => {
  const cluster = await started(t, 1);
  const counter = await cluster.spawn(Counter, { start: 0 }, { name: 'the pinned one' });
  await assert.rejects(cluster.inspect.drain('a-1'), { code: 'actor-pinned', message: /the pinned one/ });
  assert.equal(await counter.ask('add', { by: 1 }), 1, 'it lives on');
  const ends = assert.rejects(counter.ask('doze', { ms: 60_000 }), { code: 'actor-crashed' });
  await cluster.inspect.drain('a-1', { force: true });
  await ends;
});

test('two groups that each need every thread get them in turn, not half each (pfb-imaging)', async (t) => {
  const cluster = await started(t);
  const band = (name: string) => child(Counter, { start: 0 }, { needs: { threads: 1 }, name });
  const first = cluster.actors.spawnAll([band('x1'), band('x2')]);
  const second = cluster.actors.spawnAll([band('y1'), band('y2')]);
  const xs = await first;
  await assert.rejects(cluster.actors.spawnAll([band('z1'), band('z2')], {}, { timeoutMs: 300 }), {
    code: 'timeout',
  });
  await Promise.all(xs.map((ref) => ref.stop()));
  const ys = await second;
  const nodes = await Promise.all(
    ys.map(async (ref) => (await (await cluster.actor(Counter, ref)).ask('whoami', {})).node),
  );
  assert.deepEqual(nodes.sort(), ['a-1', 'a-2']);
  await Promise.all(ys.map((ref) => ref.stop()));
  await eventually(async () => {
    const found = await cluster.actor(Counter, 'z1').catch((error: { code?: string }) => error.code);
    return found === 'no-such-actor';
  }, 'nothing is left of the group whose client gave up');
});

test('one-for-all: when one of a group dies, all begin anew', async (t) => {
  const cluster = await started(t);
  const children = [
    child(Counter, { start: 1 }, { near: 'a-1' }),
    child(Counter, { start: 2 }, { near: 'a-2' }),
  ];
  const refs = await cluster.actors.spawnAll(children, { strategy: 'one-for-all' });
  const [x, y] = await Promise.all(refs.map((ref) => cluster.actor(Counter, ref)));
  await y!.ask('add', { by: 5 });
  await assert.rejects(x!.ask('crash', {}), { code: 'actor-crashed' });
  await eventually(async () => (await x!.ask('whoami', {})).incarnation === 2, 'x lives again');
  await eventually(async () => (await y!.ask('whoami', {})).incarnation === 2, 'y lives again');
  assert.equal(await y!.ask('add', { by: 0 }), 2, 'without what it had');
});
