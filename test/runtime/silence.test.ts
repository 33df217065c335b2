/** When a peer is taken for dead: not while bytes go to it or come from it, however slowly. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Connection, DataLink, DataRequest, webSocketTransport } from '../../runtime/index.ts';
import { type FrameSocket, WireConnection } from '../../runtime/transport/wire-connection.ts';

const token = 'a shared secret';
const silenceMs = 1000;

/** A link to a server of which the test plays the part: it gets every request with the connection. */
async function linkTo(
  t: TestContext,
  onRequest: (request: DataRequest, connection: Connection) => void,
): Promise<DataLink> {
  const listener = await webSocketTransport.listen({
    token,
    hello: {},
    onConnection: (connection) =>
      connection.onMessage((message) => onRequest(DataRequest.parse(message), connection)),
  });
  t.after(() => listener.close());
  const link = new DataLink(await webSocketTransport.dial(listener.url, { token, hello: {} }), { silenceMs });
  t.after(() => link.close());
  return link;
}

test('a fetch from a silent server is given up', async (t) => {
  const link = await linkTo(t, () => undefined);
  await assert.rejects(link.fetch('a'), { code: 'timeout' });
});

test('a fetch may wait for its turn as long as the server sends anything', async (t) => {
  const bytes = 30;
  const link = await linkTo(t, (message, connection) => {
    // The second request has its turn when the first is served, after one and a half times the silence.
    if (message.type !== 'fetch' || message.key === 'second') return;
    const { request } = message;
    const start = { type: 'datum-start', header: new Uint8Array(1) };
    connection.send({ ...start, request, frameBytes: [bytes] });
    let offset = 0;
    const timer = setInterval(
      () => {
        const piece = { type: 'datum-piece', request, frame: 0, offset, payload: new Uint8Array(1) };
        connection.send(piece);
        if (++offset < bytes) return;
        clearInterval(timer);
        connection.send({ type: 'datum-end', request });
        connection.send({ ...start, request: request + 1, frameBytes: [] });
        connection.send({ type: 'datum-end', request: request + 1 });
      },
      (1.5 * silenceMs) / bytes,
    );
  });
  const [first, second] = await Promise.all([link.fetch('first'), link.fetch('second')]);
  assert.equal(first.frames[0]!.byteLength, bytes);
  assert.equal(second.frames.length, 0);
});

/** A socket over which no answer ever comes; its bytes go when `release` is called. */
function muteSocket() {
  const waiting: (() => void)[] = [];
  let closed: (why: string | undefined) => void = () => undefined;
  const socket: FrameSocket = {
    send: (_, done) => void waiting.push(done),
    ping: () => undefined,
    hold: () => undefined,
    close: () => closed(undefined),
    terminate: () => closed('cut'),
    onFrame: () => undefined,
    onPong: () => undefined,
    onClose: (receive) => {
      closed = receive;
    },
  };
  return { socket, release: () => waiting.shift()?.() };
}

test('a peer that answers no ping lives while it takes bytes, and is lost when it stops', async () => {
  const { socket, release } = muteSocket();
  const connection = new WireConnection(socket, {}, { pingMs: 20, silenceMs });
  for (let sent = 0; sent < 30; sent++) {
    connection.send({ sent });
    await new Promise((resolve) => setTimeout(resolve, (1.5 * silenceMs) / 30));
    release();
  }
  let ended = false;
  const end = connection.closed.then((error) => {
    ended = true;
    return error;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended, false, 'it lives');
  const error = await end;
  assert.equal(error?.code, 'connection-lost');
  assert.match(error!.message, /silent for 1000 ms/);
});
