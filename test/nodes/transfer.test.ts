/** The serving half of a data connection over real sockets: order, credit, slow readers, hostile peers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { machineLimits } from '../../nodes/machine-limits.ts';
import {
  type Connection,
  DataLink,
  DataReply,
  isAsperitasError,
  type WireMessage,
  webSocketTransport,
} from '../../runtime/index.ts';
import { type DataNode, dataNode, token } from '../support/data-node.ts';
import { datum, decoded, numbers } from '../support/node-data.ts';
import { until } from '../support/until.ts';

const MiB = 2 ** 20;

async function dialled(t: TestContext, node: DataNode): Promise<Connection> {
  const hello = { role: 'data', node: 'client' };
  const connection = await webSocketTransport.dial(node.listener.url, { token, hello });
  t.after(() => connection.close());
  return connection;
}

/** What a connection receives, parsed. */
function replies(connection: Connection): DataReply[] {
  const received: DataReply[] = [];
  connection.onMessage((message) => received.push(DataReply.parse(message)));
  return received;
}

function piecesBytes(received: readonly DataReply[]): number {
  return received.reduce((sum, each) => sum + (each.type === 'datum-piece' ? each.payload.byteLength : 0), 0);
}

test('data of every shape arrive equal', async (t) => {
  const node = await dataNode(t);
  const values = [
    numbers(20 * MiB),
    { a: numbers(80_000, 1), empty: new Float32Array(0), b: numbers(9 * MiB, 2), text: 'x'.repeat(100_000) },
    'no frame at all',
    new Float32Array(0),
    [new Float64Array(0), numbers(8000), new Float64Array(0)],
    undefined,
  ];
  for (const [index, value] of values.entries()) node.store.put(`d${index}`, datum(value));
  const link = new DataLink(await dialled(t, node));
  const fetched = await Promise.all(values.map((_, index) => link.fetch(`d${index}`)));
  assert.deepEqual(fetched.map(decoded), values);
  await until('nothing is pinned', () => node.pins.now === 0);
});

test('what the node does not hold, or has lost, is absent', async (t) => {
  const node = await dataNode(t, { memoryBytes: MiB });
  const link = new DataLink(await dialled(t, node));
  await assert.rejects(link.fetch('nothing'), (error) => isAsperitasError(error, 'datum-absent'));
  node.store.put('a', datum(numbers(MiB)));
  await until('it was spilled', () => node.store.memoryUsedBytes === 0);
  assert.deepEqual(decoded(await link.fetch('a')), numbers(MiB));
  assert.deepEqual(node.pins, { now: 0, most: 1 });
});

test('no more is sent than the credit allows, in pieces of limited size', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum(numbers(40 * MiB)));
  const connection = await dialled(t, node);
  const received = replies(connection);
  connection.send({ type: 'fetch', request: 1, key: 'a', credit: 10 * MiB });
  await until('the credit was used', () => piecesBytes(received) >= 10 * MiB);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(piecesBytes(received), 10 * MiB);
  assert.equal(node.pins.now, 1);
  connection.send({ type: 'credit', request: 1, bytes: 5 });
  await until('the credit was used', () => piecesBytes(received) >= 10 * MiB + 5);
  connection.send({ type: 'credit', request: 1, bytes: 100 * MiB });
  await until('the datum ended', () => received.at(-1)?.type === 'datum-end');
  assert.equal(piecesBytes(received), 40 * MiB);
  const largest = Math.max(
    ...received.map((each) => (each.type === 'datum-piece' ? each.payload.length : 0)),
  );
  assert.ok(largest <= machineLimits.pieceBytes);
});

test('a reader that stops bounds what the sender has queued, and gets everything in the end', async (t) => {
  const node = await dataNode(t);
  const bytes = 200 * MiB;
  const frame = new Uint8Array(new SharedArrayBuffer(bytes)).fill(3);
  node.store.put('a', { header: new Uint8Array(1), frames: [frame] });
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { url: node.listener.url, token, key: 'a', gate };
  const reader = new Worker(new URL('../support/slow-reader.js', import.meta.url), { workerData });
  assert.deepEqual(await once(reader, 'message'), ['stopped']);
  let most = 0;
  for (let samples = 0; samples < 100; samples++) {
    most = Math.max(most, node.connections[0]!.bufferedBytes);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  // The transport's own limit and one piece beyond it; the datum is several times larger.
  assert.ok(most > 8 * MiB && most <= 32 * MiB + 2 * machineLimits.pieceBytes, `${most} bytes`);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  assert.deepEqual(await once(reader, 'message'), [{ bytes, sum: 3 * bytes }]);
  await once(reader, 'exit');
});

test('requests of one connection take turns: a small datum need not wait for a large one', async (t) => {
  const node = await dataNode(t);
  node.store.put('large', datum(numbers(100 * MiB)));
  node.store.put('small', datum(numbers(80_000)));
  const link = new DataLink(await dialled(t, node));
  const order: string[] = [];
  await Promise.all(['large', 'small'].map((key) => link.fetch(key).then(() => order.push(key))));
  assert.deepEqual(order, ['small', 'large']);
});

test('only so many requests are served at once, and all in the end', async (t) => {
  const node = await dataNode(t);
  const link = new DataLink(await dialled(t, node));
  const keys = Array.from({ length: 100 }, (_, index) => `d${index}`);
  for (const [index, key] of keys.entries()) node.store.put(key, datum(numbers(80_000, index)));
  const fetched = await Promise.all(keys.map((key) => link.fetch(key)));
  assert.deepEqual(
    fetched.map(decoded),
    keys.map((_, index) => numbers(80_000, index)),
  );
  assert.ok(node.pins.most <= machineLimits.servedRequests, `${node.pins.most}`);
  await until('nothing is pinned', () => node.pins.now === 0);
});

test('a cancelled request stops, lets its datum go and leaves the others alone', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum(numbers(40 * MiB)));
  const connection = await dialled(t, node);
  const received = replies(connection);
  connection.send({ type: 'fetch', request: 1, key: 'a', credit: MiB });
  connection.send({ type: 'fetch', request: 2, key: 'a', credit: MiB });
  await until('the credit was used', () => piecesBytes(received) >= 2 * MiB);
  connection.send({ type: 'fetch-cancel', request: 1 });
  await until('it let go', () => node.pins.now === 1);
  connection.send({ type: 'credit', request: 1, bytes: 100 * MiB });
  connection.send({ type: 'credit', request: 2, bytes: 100 * MiB });
  await until('the datum ended', () => received.at(-1)?.type === 'datum-end');
  assert.equal(piecesBytes(received), 41 * MiB);
  await until('nothing is pinned', () => node.pins.now === 0);
});

test('a connection that ends lets its data go', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum(numbers(40 * MiB)));
  const connection = await dialled(t, node);
  const received = replies(connection);
  for (let request = 1; request <= 30; request++) {
    connection.send({ type: 'fetch', request, key: 'a', credit: 1000 });
  }
  await until('serving began', () => piecesBytes(received) >= 16_000);
  connection.close();
  await node.served[0];
  assert.equal(node.pins.now, 0);
});

test('a peer that stops taking what it asked for is cut off, and its datum let go', async (t) => {
  const node = await dataNode(t, { stallMs: 20 });
  node.store.put('a', datum(numbers(MiB)));
  const connection = await dialled(t, node);
  const received = replies(connection);
  connection.send({ type: 'fetch', request: 1, key: 'a', credit: 1000 });
  await connection.closed;
  await node.served[0];
  assert.equal(piecesBytes(received), 1000);
  assert.equal(node.pins.now, 0);
});

const breaches: readonly [string, (connection: Connection) => void][] = [
  ['an unknown message', (connection) => connection.send({ type: 'nonsense' })],
  ['a negative credit', (connection) => connection.send(fetchOf(1, -5))],
  [
    'a repeated request',
    (connection) => {
      for (const request of [1, 1]) connection.send(fetchOf(request, 0));
    },
  ],
  [
    'requests without end',
    (connection) => {
      for (let request = 1; request < 2000; request++) connection.send(fetchOf(request, 0));
    },
  ],
];

function fetchOf(request: number, credit: number): WireMessage {
  return { type: 'fetch', request, key: 'a', credit };
}

for (const [name, breach] of breaches) {
  test(`a peer that breaks the protocol is cut off: ${name}`, async (t) => {
    const node = await dataNode(t);
    node.store.put('a', datum(numbers(MiB)));
    const connection = await dialled(t, node);
    breach(connection);
    await connection.closed;
    await node.served[0];
    assert.equal(node.pins.now, 0);
    assert.deepEqual(decoded(await new DataLink(await dialled(t, node)).fetch('a')), numbers(MiB));
  });
}
