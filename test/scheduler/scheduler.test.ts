/** The scheduler's shell over real sockets: who may connect, what hostile and vanishing peers do to others,
 * replaced connections, the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import {
  type Connection,
  clientId,
  nodeId,
  runId,
  siteName,
  type Transport,
  taskKey,
  type WireMessage,
  webSocketTransport,
} from '../../runtime/index.ts';
import { defectReport } from '../../scheduler/defect-report.ts';
import { connect, startScheduler, task } from '../../scheduler/index.ts';
import { check } from '../../scheduler/invariants.ts';
import type { NodeInfo, WireError } from '../../scheduler/protocol.ts';
import { handle } from '../../scheduler/scheduler-core.ts';
import { eventually, type SmallCluster, startSmallCluster, token } from '../support/small-cluster.ts';
import { spec, World } from './world.ts';

const twice = task('scheduler.twice', (_, value: number) => 2 * value);
const ends = new Map<string, () => void>();
const hold = task('scheduler.hold', (_, name: string) => {
  return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
});

const dial = (url: string, hello: unknown): Promise<Connection> =>
  webSocketTransport.dial(url, { token, hello: hello as WireMessage });

const infoOf = (name: string): NodeInfo => ({
  role: 'node',
  node: nodeId(name),
  site: siteName('x'),
  url: 'ws://127.0.0.1:9',
  threads: 1,
  memoryBytes: 2 ** 30,
  resources: {},
  pid: 1,
});

const lost = { type: 'replica-lost', key: taskKey('x') } as const;

/** What a peer receives. */
function inboxOf(connection: Connection): WireMessage[] {
  const inbox: WireMessage[] = [];
  connection.onMessage((message) => inbox.push(message));
  return inbox;
}

async function assertServes({ cluster }: SmallCluster, value: number): Promise<void> {
  assert.equal(await cluster.compute(twice(value)), 2 * value);
}

test('a peer with a wrong hello is closed, and nobody else notices', async (t) => {
  const small = await startSmallCluster(t, ['a1']);
  const { url } = small.scheduler;
  for (const hello of [
    {},
    { role: 'king' },
    { role: 'client' },
    { role: 'node', node: 'n' },
    { ...infoOf('b1'), threads: -1 },
    { ...infoOf('b1'), resources: { gpu: 'many' } },
  ]) {
    const peer = await dial(url, hello);
    const inbox = inboxOf(peer);
    await peer.closed;
    const codes = inbox.map(({ type, error }) => [type, (error as WireError).code]);
    assert.deepEqual(codes, [['refused', 'invalid-message']]);
  }
  await assertServes(small, 1);
  assert.equal((await small.cluster.status()).nodes.length, 1);
});

test('a peer that breaks the protocol is closed, and nobody else notices', async (t) => {
  const small = await startSmallCluster(t, ['a1']);
  const { url } = small.scheduler;
  const key = taskKey('k');
  const messages = [
    { type: 'submit', tasks: 'all', wants: [] },
    { type: 'submit', tasks: [{ key: 'k', fn: 'f', args: 'none', inputs: [], hints: {} }], wants: [] },
    { type: 'run-done', key, run: 1, bytes: 1 },
    { type: '__proto__' },
    { type: 'heartbeat', storedBytes: -1, rssBytes: 0, running: 0 },
    {},
  ];
  for (const [index, message] of messages.entries()) {
    const hello = index % 2 === 0 ? { role: 'client', client: `c${index}` } : infoOf(`b${index}`);
    const peer = await dial(url, hello);
    const inbox = inboxOf(peer);
    peer.send(message);
    await peer.closed;
    assert.equal(inbox.at(-1)?.type, 'refused', JSON.stringify(message));
  }
  await assertServes(small, 2);
  await eventually(async () => (await small.cluster.status()).nodes.length === 1, 'they are gone');
});

test('frames that are no messages close their own connection only', async (t) => {
  const small = await startSmallCluster(t, ['a1']);
  const garbage = new WebSocket(small.scheduler.url);
  const closed = new Promise((resolve) => garbage.on('close', resolve));
  garbage.on('open', () => garbage.send(new Uint8Array(1000).fill(0xc1)));
  await closed;
  await assertServes(small, 3);
});

test('reports about runs that are not its own change nothing', async (t) => {
  const small = await startSmallCluster(t, ['a1']);
  const result = small.cluster.compute(hold('mine'));
  await eventually(() => ends.has('mine'), 'it runs');
  const liar = await dial(small.scheduler.url, infoOf('b1'));
  const trace = { fn: 'f', site: siteName('x'), thread: 0, startMs: 0, endMs: Number.NaN };
  const key = taskKey('scheduler.hold-x');
  for (let run = 0; run < 5; run++) {
    const where = { key, node: nodeId('b1'), localBytes: 0, remoteBytes: 0, outcome: 'done' };
    liar.send({ type: 'run-done', key, run: runId(run), bytes: 8, trace: { ...trace, ...where } });
  }
  liar.send({ type: 'replica-lost', key });
  liar.send({ type: 'replica-added', key, bytes: 8 });
  const inbox = inboxOf(liar);
  await eventually(() => inbox.some(({ type }) => type === 'drop'), 'its copy is refused');
  ends.get('mine')!();
  assert.equal(await result, 'mine');
});

test('absurd hints of one client harm nobody', async (t) => {
  const small = await startSmallCluster(t, ['a1', 'a2']);
  const { cluster } = small;
  const other = await small.client();
  const absurd = [Number.POSITIVE_INFINITY, Number.NaN, 1e308, -1].map((seconds) =>
    other.compute(twice.with({ seconds, priority: seconds, bytes: 2 ** 50, together: 'x' })(seconds)),
  );
  await assert.rejects(other.compute(twice.with({ needs: { gpu: Number.NaN } })(5)), {
    code: 'invalid-hint',
  });
  await Promise.all(absurd);
  assert.equal(await cluster.compute(twice(4)), 8);
});

test('a node that connects anew takes the place of its former connection', async (t) => {
  const small = await startSmallCluster(t, []);
  const { cluster, scheduler } = small;
  const former = await dial(scheduler.url, infoOf('x1'));
  const inbox = inboxOf(former);
  const result = cluster.compute(twice(21));
  await eventually(() => inbox.some(({ type }) => type === 'compute'), 'the former has the task');
  const first = inbox.find(({ type }) => type === 'compute')!;
  const present = await dial(scheduler.url, infoOf('x1'));
  const own = inboxOf(present);
  await eventually(() => own.some(({ type }) => type === 'compute'), 'the present one has it now');
  const { key } = first;
  const error = { name: 'Error', message: 'late news of a former life' };
  const times = { startMs: 0, endMs: 1, thread: 0, localBytes: 0, remoteBytes: 0, outcome: 'failed' };
  const trace = { key, fn: 'scheduler.twice', node: 'x1', site: 'x', ...times };
  for (const { run } of [first, own.find(({ type }) => type === 'compute')!]) {
    former.send({ type: 'run-failed', key, run, error, retryable: false, trace });
  }
  await former.closed;
  assert.equal((await cluster.status()).nodes.length, 1);
  present.close();
  await small.node('x1');
  assert.equal(await result, 42);
});

test('a node that bears the name of another process is refused, and the other keeps its work', async (t) => {
  const small = await startSmallCluster(t, ['a1']);
  const result = small.cluster.compute(hold('kept'));
  await eventually(() => ends.has('kept'), 'it runs');
  const second = await dial(small.scheduler.url, infoOf('a1'));
  const inbox = inboxOf(second);
  await second.closed;
  assert.deepEqual(
    inbox.map(({ error }) => (error as WireError).code),
    ['name-taken'],
  );
  ends.get('kept')!();
  assert.equal(await result, 'kept');
});

test('a client keeps its wants when it connects anew within the grace, and not after', async (t) => {
  const small = await startSmallCluster(t, ['a1', 'a2']);
  const { scheduler, nodes } = small;
  const hello = { role: 'client', client: clientId('walker') };
  const spec = {
    key: 'kept',
    fn: 'scheduler.hold',
    args: new Uint8Array([0x91, 0xa1, 0x77]),
    inputs: [],
    hints: {},
  };
  const first = await dial(scheduler.url, hello);
  first.send({ type: 'submit', tasks: [spec], wants: ['kept'] });
  await eventually(() => ends.has('w'), 'it runs');
  first.close();
  await first.closed;
  const second = await dial(scheduler.url, hello);
  const inbox = inboxOf(second);
  ends.get('w')!();
  await eventually(() => inbox.some(({ type, key }) => type === 'held' && key === 'kept'), 'it is told');
  const holds = () => nodes.some(({ data }) => data.size > 0);
  assert.equal(holds(), true);
  second.close();
  await second.closed;
  await eventually(() => !holds(), 'its result is dropped after the grace');
});

test('a submission that is never ended leaves nothing behind', async (t) => {
  const small = await startSmallCluster(t, ['a1']);
  const peer = await dial(small.scheduler.url, { role: 'client', client: clientId('half') });
  const spec = { fn: 'scheduler.twice', args: new Uint8Array([0x91, 1]), inputs: [], hints: {} };
  peer.send({ type: 'submit', tasks: [{ key: 'p', ...spec }], wants: [], more: true });
  const known = async () => (await small.cluster.status()).tasks.released;
  await eventually(async () => (await known()) === 1, 'the first piece is known');
  peer.close();
  await eventually(async () => (await known()) === 0, 'it is forgotten after the grace');
});

test('the scheduler ends when its signal fires, and takes leave of all', async () => {
  const control = new AbortController();
  const scheduler = await startScheduler({ token, check: true, signal: control.signal });
  const node = await dial(scheduler.url, infoOf('b1'));
  const cluster = await connect(scheduler.url, { token });
  const status = await cluster.status();
  assert.equal(status.nodes.length, 1);
  control.abort();
  await scheduler.closed;
  assert.equal(await node.closed, undefined);
  await assert.rejects(cluster.status(), { code: 'scheduler-lost' });
  await scheduler.close();
  await assert.rejects(startScheduler({ token, host: '0.0.0.0' }), { code: 'insecure-bind' });
});

test('at a defect the scheduler stops and says so, rather than going on', async () => {
  const transport: Transport = {
    dial: webSocketTransport.dial,
    listen: (options) =>
      webSocketTransport.listen({
        ...options,
        onConnection: (connection) =>
          options.onConnection({
            hello: connection.hello,
            bufferedBytes: 0,
            closed: connection.closed,
            drained: (signal) => connection.drained(signal),
            onMessage: (receive) => connection.onMessage(receive),
            close: (reason) => connection.close(reason),
            sendLater: (message) => connection.sendLater(message),
            flush: () => connection.flush(),
            send: () => {
              throw new TypeError('a defect, made for this test');
            },
          }),
      }),
  };
  const scheduler = await startScheduler({ token, transport });
  const failed = assert.rejects(scheduler.closed, { code: 'scheduler-failed' });
  await assert.rejects(connect(scheduler.url, { token }), { code: 'unreachable' });
  await failed;
  await assert.rejects(scheduler.close(), { code: 'scheduler-failed' });
});

test('the report of a defect names what is wrong, the task and the last events', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  world.started('x');
  world.state.counts.held++;
  const [wrong] = check(world.state);
  handle(world.state, { type: 'from-node', node: nodeId('a1'), message: lost }, world.now);
  const report = defectReport(world.state, new Error(wrong));
  assert.match(report, /1 tasks counted as held, 0 found/);
  assert.match(report, /x runs on a1/);
  assert.match(report, /ready -> assigned \(run 1 on a1\)/);
  assert.match(report, /a1: run-started x run 1\n/);
});
