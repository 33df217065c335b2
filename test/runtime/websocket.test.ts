/** The transport over real sockets: the handshake, batches, large frames, hostile and vanishing peers. */
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { type Connection, isAsperitasError, webSocketTransport } from '../../runtime/index.ts';

const token = 'a shared secret';

async function listening(onConnection: (connection: Connection) => void, secret = token) {
  return webSocketTransport.listen({ token: secret, hello: { name: 'listener' }, onConnection });
}

async function connected() {
  let accepted: (connection: Connection) => void = () => undefined;
  const server = new Promise<Connection>((resolve) => {
    accepted = resolve;
  });
  const listener = await listening((connection) => accepted(connection));
  const client = await webSocketTransport.dial(listener.url, { token, hello: { name: 'dialler' } });
  return { listener, client, server: await server };
}

function nextMessage(connection: Connection): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve) => connection.onMessage(resolve));
}

test('both ends learn the hello of the other', async () => {
  const { listener, client, server } = await connected();
  assert.deepEqual(client.hello, { name: 'listener' });
  assert.deepEqual(server.hello, { name: 'dialler' });
  await listener.close();
  assert.equal(await client.closed, undefined);
});

test('messages arrive in order, arrays as arrays of their own kind', async () => {
  const { listener, client, server } = await connected();
  const received: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    server.onMessage((message) => {
      received.push(message);
      if (received.length === 3) resolve();
    });
  });
  const image = Float32Array.from({ length: 1_000_000 }, (_, index) => index);
  client.send({ type: 'first' });
  client.send({ type: 'second', image, other: new Int32Array([1, 2]) });
  await new Promise((resolve) => setTimeout(resolve, 5));
  client.send({ type: 'third', empty: new Float64Array(0), big: 10n ** 30n, missing: undefined });
  await done;
  assert.deepEqual(received, [
    { type: 'first' },
    { type: 'second', image, other: new Int32Array([1, 2]) },
    { type: 'third', empty: new Float64Array(0), big: 10n ** 30n, missing: undefined },
  ]);
  await listener.close();
});

test('a message larger than a WebSocket message arrives whole, header and frames', async () => {
  const { listener, client, server } = await connected();
  const names = Array.from({ length: 1_500_000 }, (_, index) => `name-${index}`);
  const cube = new Float64Array(3 * 2 ** 20).fill(0.5);
  client.send({ type: 'large', names, cube, empty: '' });
  assert.deepEqual(await nextMessage(server), { type: 'large', names, cube, empty: '' });
  await listener.close();
});

test('thousands of messages of one turn arrive in order', async () => {
  const { listener, client, server } = await connected();
  const received: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    server.onMessage(({ index }) => {
      if (received.push(index) === 5000) resolve();
    });
  });
  for (let index = 0; index < 5000; index++) client.send({ type: 'one', index });
  await done;
  assert.deepEqual(
    received,
    Array.from({ length: 5000 }, (_, index) => index),
  );
  await listener.close();
});

test('a dialler with the wrong token is refused and says so', async () => {
  const listener = await listening(() => assert.fail('accepted a stranger'));
  await assert.rejects(
    webSocketTransport.dial(listener.url, { token: 'guess', hello: {} }),
    (error) => isAsperitasError(error, 'wrong-token') && error.message.includes(listener.url),
  );
  await listener.close();
});

test('nobody at the address is unreachable, silence is a time-out, an abort is an abort', async () => {
  const listener = await listening(() => undefined);
  await listener.close();
  const dial = (signal?: AbortSignal) =>
    webSocketTransport.dial(listener.url, {
      token,
      hello: {},
      timeoutMs: 300,
      ...(signal ? { signal } : {}),
    });
  await assert.rejects(dial(), (error) => isAsperitasError(error, 'unreachable'));
  await assert.rejects(dial(AbortSignal.abort()), (error) => isAsperitasError(error, 'aborted'));
  const { createServer } = await import('node:net');
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  await assert.rejects(
    webSocketTransport.dial(`ws://127.0.0.1:${port}`, { token, hello: {}, timeoutMs: 200 }),
    (error) => isAsperitasError(error, 'timeout'),
  );
  silent.close();
});

test('a listener shrugs off garbage before authentication', async () => {
  const listener = await listening(() => assert.fail('accepted garbage'));
  const socket = connectTcp(Number(new URL(listener.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n');
  socket.write('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
  socket.write(Buffer.from([0x82, 0x85, 0, 0, 0, 0, 1, 2, 3, 4, 5]));
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  await listener.close();
});

test('a connection that is cut tells both ends', async () => {
  const { listener, client, server } = await connected();
  const reply = nextMessage(client);
  server.send({ type: 'last words' });
  assert.deepEqual(await reply, { type: 'last words' });
  server.close('enough');
  assert.equal(await client.closed, undefined);
  await server.closed;
  client.send({ type: 'into the void' });
  await listener.close();
});

test('a routable address wants encryption, or the flag that says so and a long token', async () => {
  const listen = (secret: string, insecure?: boolean) => {
    const onConnection = () => undefined;
    return webSocketTransport.listen({ host: '0.0.0.0', token: secret, hello: {}, onConnection, insecure });
  };
  const long = 'a secret of sufficient length';
  await assert.rejects(listen(long), { code: 'insecure-bind', message: /--tls-cert.*--insecure-no-tls/ });
  await assert.rejects(listen('short', true), { code: 'weak-token' });
  const listener = await listen(long, true);
  await listener.close();
});
