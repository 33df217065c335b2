/** What a connection writes when: what was sent together, together, and what nobody waits for beside it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type WireMessage, webSocketTransport } from '../../runtime/index.ts';
import { WireConnection } from '../../runtime/transport/wire-connection.ts';

const token = 'a shared secret';

/** A connection of which the test sees the frames that it writes. */
function written(t: TestContext) {
  const frames: Uint8Array[] = [];
  let close: (why: string | undefined) => void = () => undefined;
  const connection = new WireConnection(
    {
      send: (data) => void frames.push(data),
      ping: () => undefined,
      hold: () => undefined,
      close: () => close(undefined),
      terminate: () => close('cut'),
      onFrame: () => undefined,
      onPong: () => undefined,
      onClose: (receive) => {
        close = receive;
      },
    },
    {},
  );
  t.after(() => close(undefined));
  return { connection, frames };
}

test('what was sent leaves at once when it is told to, and not again at the end of the turn', async (t) => {
  const { connection, frames } = written(t);
  connection.send({ type: 'first' });
  connection.send({ type: 'second' });
  assert.equal(frames.length, 0);
  connection.flush();
  assert.equal(frames.length, 1);
  await new Promise(setImmediate);
  assert.equal(frames.length, 1);
});

test('what nobody waits for is not hurried, and leaves with the next message', async (t) => {
  const { connection, frames } = written(t);
  connection.sendLater({ type: 'unhurried' });
  connection.flush();
  assert.equal(frames.length, 0);
  connection.send({ type: 'hurried' });
  connection.flush();
  assert.equal(frames.length, 1);
});

test('what nobody waits for keeps its place, leaves by itself, and before the end', async () => {
  const received: WireMessage[] = [];
  const news = new EventTarget();
  const heard = (): Promise<unknown> => once(news, 'message');
  const ended = new Promise<unknown>((resolve) => {
    news.addEventListener('ended', resolve, { once: true });
  });
  const listener = await webSocketTransport.listen({
    token,
    hello: {},
    onConnection: (connection) => {
      connection.onMessage((message) => {
        received.push(message);
        if (received.length > 1) news.dispatchEvent(new Event('message'));
      });
      void connection.closed.then(() => news.dispatchEvent(new Event('ended')));
    },
  });
  const client = await webSocketTransport.dial(listener.url, { token, hello: {} });
  const both = heard();
  client.sendLater({ type: 'first' });
  client.send({ type: 'second' });
  await both;
  assert.deepEqual(received, [{ type: 'first' }, { type: 'second' }]);
  const third = heard();
  client.sendLater({ type: 'third' });
  await third;
  client.sendLater({ type: 'last' });
  client.close();
  await ended;
  assert.deepEqual(received.slice(2), [{ type: 'third' }, { type: 'last' }]);
  await listener.close();
});
