/** Dialling one of several addresses: the first that answers is taken, and what is wrong is told. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { webSocketTransport } from '../../runtime/index.ts';

const token = 'a shared secret';

const listen = (name: string, secret = token) =>
  webSocketTransport.listen({ token: secret, hello: { name }, onConnection: () => undefined });
const dial = (...urls: string[]) =>
  webSocketTransport.dial(urls.join(','), { token, hello: {}, timeoutMs: 500 });

/** An address at which nobody listens. */
async function deserted(): Promise<string> {
  const listener = await listen('gone');
  await listener.close();
  return listener.url;
}

test('of several addresses the first that answers is taken', async () => {
  const [first, second] = [await listen('first'), await listen('second')];
  const connection = await dial(await deserted(), first.url, second.url);
  assert.deepEqual(connection.hello, { name: 'first' });
  await first.close();
  assert.deepEqual((await dial(first.url, second.url)).hello, { name: 'second' });
  await second.close();
});

test('one that is stopped, and takes connections without a word, does not keep the others out', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const listener = await listen('alive');
  assert.deepEqual((await dial(`ws://127.0.0.1:${port}`, listener.url)).hello, { name: 'alive' });
  await listener.close();
  await assert.rejects(dial(`ws://127.0.0.1:${port}`, await deserted()), { code: 'timeout' });
  silent.close();
});

test('what is more than out of reach is told; else all addresses are named', async () => {
  const listener = await listen('other', 'another secret');
  const [gone, alsoGone] = [await deserted(), await deserted()];
  await assert.rejects(dial(gone, listener.url, alsoGone), { code: 'wrong-token' });
  await assert.rejects(dial(gone, alsoGone), {
    code: 'unreachable',
    message: `none of ${gone}, ${alsoGone} can be reached: check that a scheduler runs at one of them`,
  });
  await listener.close();
});
