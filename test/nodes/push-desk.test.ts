/** How a node takes data from clients, over real sockets: credit, order, hostile and broken peers. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { machineLimits } from '../../nodes/machine-limits.ts';
import { PushDesk, type PushDeskOptions } from '../../nodes/push-desk.ts';
import {
  type Connection,
  type DatumParts,
  PushLink,
  PushReply,
  scatteredKey,
  type WireMessage,
  webSocketTransport,
} from '../../runtime/index.ts';
import { datum, decoded, numbers } from '../support/node-data.ts';
import { until } from '../support/until.ts';

const MiB = 2 ** 20;
const token = 'a token for pushing data';
const { signal } = new AbortController();

interface Desk {
  readonly desk: PushDesk;
  readonly taken: Map<string, DatumParts>;
  dial(): Promise<Connection>;
}

async function open(t: TestContext, options: Partial<PushDeskOptions> = {}): Promise<Desk> {
  const taken = new Map<string, DatumParts>();
  const take = (key: string, parts: DatumParts): boolean => {
    taken.set(key, parts);
    return true;
  };
  const relieved = (): Promise<void> => Promise.resolve();
  const desk = new PushDesk({ node: 'a1', memoryBytes: 64 * MiB, relieved, take, ...options });
  const hello = { role: 'node' };
  const onConnection = (connection: Connection): void => desk.serve(connection);
  const listener = await webSocketTransport.listen({ token, hello, onConnection });
  t.after(() => listener.close());
  const dial = async (): Promise<Connection> => {
    const connection = await webSocketTransport.dial(listener.url, { token, hello: { role: 'client' } });
    t.after(() => connection.close());
    return connection;
  };
  return { desk, taken, dial };
}

function replies(connection: Connection): PushReply[] {
  const received: PushReply[] = [];
  connection.onMessage((message) => received.push(PushReply.parse(message)));
  return received;
}

function pushOf(request: number, ...partBytes: number[]): WireMessage {
  const secret = `s${request}`;
  return { type: 'push', request, key: scatteredKey(secret), secret, partBytes };
}

function pieceOf(part: number, offset: number, size: number): WireMessage {
  return { type: 'push-piece', request: 1, part, offset, payload: new Uint8Array(size) };
}

test('data of every shape arrive equal, in shared memory, at the same time', async (t) => {
  const { dial, desk, taken } = await open(t);
  const link = new PushLink(await dial());
  const values = [numbers(20 * MiB), { a: numbers(80_000), text: 'x'.repeat(5 * MiB) }, undefined, [1]];
  await Promise.all(values.map((value, index) => link.push(`s${index}`, datum(value), signal)));
  const got = values.map((_, index) => taken.get(scatteredKey(`s${index}`))!);
  assert.deepEqual(got.map(decoded), values);
  for (const { frames } of got)
    for (const frame of frames) assert.ok(frame.buffer instanceof SharedArrayBuffer);
  assert.equal(desk.underWayBytes, 0);
});

test('nothing may come before there is room for it, in the order of asking', async (t) => {
  const { dial, desk } = await open(t);
  const connection = await dial();
  const received = replies(connection);
  for (const request of [1, 2, 3]) connection.send(pushOf(request, 10, 20 * MiB));
  await until('the first was let in', () => received.length === 1);
  assert.equal(desk.underWayBytes, 20 * MiB + 10);
  connection.send({ type: 'push-cancel', request: 2 });
  connection.send({ type: 'push-cancel', request: 1 });
  await until('the third was let in', () => received.length === 2);
  assert.deepEqual(
    received.map(({ type, request }) => `${type} ${request}`),
    ['push-credit 1', 'push-credit 3'],
  );
  assert.equal(desk.underWayBytes, 20 * MiB + 10);
  connection.close();
  await until('all are gone', () => desk.underWayBytes === 0);
});

test('a node that is short of memory lets nothing come until it has room', async (t) => {
  let relieve!: () => void;
  const relief = new Promise<void>((resolve) => {
    relieve = resolve;
  });
  const { dial, taken } = await open(t, { relieved: () => relief });
  const connection = await dial();
  const received = replies(connection);
  connection.send(pushOf(1, 10));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(received.length, 0);
  relieve();
  await until('it was let in', () => received.length === 1);
  connection.send(pieceOf(0, 0, 10));
  await until('it is held', () => received.length === 2);
  assert.equal(received[1]!.type, 'push-held');
  assert.equal(taken.size, 1);
});

test('what breaks off midway leaves nothing', async (t) => {
  const { dial, desk, taken } = await open(t);
  const connection = await dial();
  const received = replies(connection);
  connection.send(pushOf(1, 10, 8 * MiB));
  await until('it was let in', () => received.length === 1);
  connection.send(pieceOf(0, 0, 10));
  connection.send(pieceOf(1, 0, MiB));
  connection.close();
  await until('it is gone', () => desk.underWayBytes === 0);
  const stop = new AbortController();
  const link = new PushLink(await dial());
  const pushed = link.push('s', datum(numbers(40 * MiB)), stop.signal);
  await until('it was let in', () => desk.underWayBytes > 0);
  stop.abort(new Error('enough'));
  await assert.rejects(pushed, /enough/);
  await until('it is gone', () => desk.underWayBytes === 0);
  assert.equal(taken.size, 0);
});

test('what does not fit is refused before a byte has come, and so is all when the node leaves', async (t) => {
  const { dial, desk } = await open(t, { take: () => false });
  const link = new PushLink(await dial());
  const large = { header: new Uint8Array(1), frames: [new Uint8Array(64 * MiB)] };
  await assert.rejects(link.push('s', large, signal), { code: 'datum-too-large' });
  await assert.rejects(link.push('s', datum(1), signal), { code: 'unreachable' });
  assert.equal(desk.underWayBytes, 0);
});

test('a peer that brings nothing of what it may is cut off', async (t) => {
  const { dial, desk } = await open(t, { stallMs: 20 });
  const connection = await dial();
  connection.send(pushOf(1, 10));
  await connection.closed;
  await until('it is gone', () => desk.underWayBytes === 0);
});

const breaches: readonly [string, readonly (WireMessage | 'let in')[]][] = [
  ['an unknown message', [{ type: 'nonsense' }]],
  ['a size below nothing', [pushOf(1, -1)]],
  ['no part', [pushOf(1)]],
  ['the key of another', [{ ...pushOf(1, 10), key: 'task-of-another' }]],
  ['a repeated request', [pushOf(1, 10), pushOf(1, 10)]],
  ['requests without end', Array.from({ length: machineLimits.pushes + 1 }, (_, k) => pushOf(k, 10))],
  ['a piece out of place', [pushOf(1, 10, 10), 'let in', pieceOf(1, 0, 5)]],
  [
    'a piece that was not asked for',
    [pushOf(1, 40 * MiB), pushOf(2, 40 * MiB), { ...pieceOf(0, 0, 5), request: 2 }],
  ],
  ['an empty piece', [pushOf(1, 10), 'let in', pieceOf(0, 0, 0)]],
  ['more than the part has', [pushOf(1, 10), 'let in', pieceOf(0, 0, 11)]],
  ['more than the credit allows', [pushOf(1, 33 * MiB), 'let in', pieceOf(0, 0, 33 * MiB)]],
];

for (const [name, said] of breaches) {
  test(`a peer that breaks the protocol is cut off: ${name}`, async (t) => {
    const { dial, desk, taken } = await open(t);
    const connection = await dial();
    const received = replies(connection);
    for (const message of said) {
      if (message === 'let in') await until('it was let in', () => received.length > 0);
      else connection.send(message);
    }
    await connection.closed;
    await until('it is gone', () => desk.underWayBytes === 0);
    assert.equal(taken.size, 0);
    const link = new PushLink(await dial());
    await link.push('honest', datum(1), signal);
    assert.equal(taken.size, 1);
  });
}
