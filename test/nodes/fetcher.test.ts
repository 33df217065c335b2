/** Fetching from other nodes over real sockets: links that are shared, idle, dead; every reason to fail. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Fetcher, type FetcherOptions, missReason } from '../../nodes/fetcher.ts';
import { machineLimits } from '../../nodes/machine-limits.ts';
import { isAsperitasError, webSocketTransport } from '../../runtime/index.ts';
import { dataNode, token } from '../support/data-node.ts';
import { datum, decoded, numbers } from '../support/node-data.ts';
import { until } from '../support/until.ts';

const MiB = 2 ** 20;

function fetcherOf(t: TestContext, options: Partial<FetcherOptions> = {}): Fetcher {
  const fetcher = new Fetcher({ node: 'b-1', token, ...options });
  t.after(() => fetcher.close());
  return fetcher;
}

async function failed(fetching: Promise<unknown>): Promise<readonly [unknown, string | undefined]> {
  const error: unknown = await fetching.then(
    () => assert.fail('it was fetched'),
    (reason: unknown) => reason,
  );
  return [isAsperitasError(error) ? error.code : error, missReason(error)];
}

test('a datum of 200 MB arrives equal, in shared memory', async (t) => {
  const node = await dataNode(t);
  const cube = numbers(200_000_000);
  const parts = datum({ cube, unit: 'Jy' });
  node.store.put('cube', parts);
  const fetched = await fetcherOf(t).fetch('cube', node.replica);
  assert.ok(fetched.frames[0]!.buffer instanceof SharedArrayBuffer);
  assert.notEqual(fetched.frames[0]!.buffer, parts.frames[0]!.buffer);
  assert.equal(Buffer.compare(fetched.frames[0]!, parts.frames[0]!), 0);
  assert.equal((decoded(fetched) as { unit: string }).unit, 'Jy');
});

test('all fetches from one peer share a link, which says who dials', async (t) => {
  const node = await dataNode(t);
  const keys = Array.from({ length: 60 }, (_, index) => `d${index}`);
  for (const [index, key] of keys.entries()) node.store.put(key, datum(numbers(160_000, index)));
  const fetcher = fetcherOf(t);
  const fetched = await Promise.all(keys.map((key) => fetcher.fetch(key, node.replica)));
  assert.deepEqual(
    fetched.map(decoded),
    keys.map((_, index) => numbers(160_000, index)),
  );
  assert.deepEqual(
    node.connections.map(({ hello }) => hello),
    [{ role: 'data', node: 'b-1' }],
  );
  assert.ok(node.pins.most <= machineLimits.linkFetches, `${node.pins.most}`);
});

test('an idle link is closed, and dialled again when it is needed', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum('value'));
  const fetcher = fetcherOf(t, { idleMs: 30 });
  assert.equal(decoded(await fetcher.fetch('a', node.replica)), 'value');
  assert.equal(fetcher.links, 1);
  await until('the link was closed', () => fetcher.links === 0);
  await node.connections[0]!.closed;
  assert.equal(decoded(await fetcher.fetch('a', node.replica)), 'value');
  assert.equal(node.connections.length, 2);
});

test('a link in use is not idle', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum(numbers(60 * MiB)));
  const fetcher = fetcherOf(t, { idleMs: 1 });
  await Promise.all([fetcher.fetch('a', node.replica), fetcher.fetch('a', node.replica)]);
  assert.equal(node.connections.length, 1);
});

test('a fetch tells what is absent from who is unreachable', async (t) => {
  const node = await dataNode(t);
  const fetcher = fetcherOf(t);
  assert.deepEqual(await failed(fetcher.fetch('a', node.replica)), ['datum-absent', 'absent']);
  const stranger = fetcherOf(t, { token: 'another token' });
  assert.deepEqual(await failed(stranger.fetch('a', node.replica)), ['wrong-token', 'unreachable']);
  const nobody = { ...node.replica, url: 'ws://127.0.0.1:1' };
  assert.deepEqual(await failed(fetcher.fetch('a', nobody)), ['unreachable', 'unreachable']);
  assert.equal(fetcher.links, 1);
});

test('a peer that dies in the middle is unreachable', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum(numbers(200 * MiB)));
  const fetcher = fetcherOf(t);
  const fetching = failed(fetcher.fetch('a', node.replica));
  await until('serving began', () => node.pins.now === 1);
  await node.listener.close();
  assert.equal((await fetching)[1], 'unreachable');
  await until('the link was forgotten', () => fetcher.links === 0);
});

test('a peer that only lost its connection is dialled again', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum('value'));
  const fetcher = fetcherOf(t);
  assert.equal(decoded(await fetcher.fetch('a', node.replica)), 'value');
  node.connections[0]!.close();
  await until('the link was forgotten', () => fetcher.links === 0);
  assert.equal(decoded(await fetcher.fetch('a', node.replica)), 'value');
});

test('an aborted fetch is neither absent nor unreachable, and leaves the link to the others', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum(numbers(100 * MiB)));
  node.store.put('b', datum('value'));
  const fetcher = fetcherOf(t);
  const dialling = new AbortController();
  const under = [failed(fetcher.fetch('a', node.replica, dialling.signal)), fetcher.fetch('b', node.replica)];
  dialling.abort();
  assert.deepEqual(await under[0], ['aborted', undefined]);
  assert.equal(decoded((await under[1]) as ReturnType<typeof datum>), 'value');

  const serving = new AbortController();
  const fetching = failed(fetcher.fetch('a', node.replica, serving.signal));
  await until('serving began', () => node.pins.now === 1);
  serving.abort();
  assert.deepEqual(await fetching, ['aborted', undefined]);
  await until('it let go', () => node.pins.now === 0);
  assert.deepEqual(await failed(fetcher.fetch('a', node.replica, serving.signal)), ['aborted', undefined]);
  assert.equal(node.connections.length, 1);
});

test('fetches that wait for their turn can be aborted, and pass it on', async (t) => {
  const node = await dataNode(t);
  const keys = Array.from({ length: 40 }, (_, index) => `d${index}`);
  for (const [index, key] of keys.entries()) node.store.put(key, datum(numbers(MiB, index)));
  const fetcher = fetcherOf(t);
  const controller = new AbortController();
  const fetching = keys.map((key, index) =>
    fetcher
      .fetch(key, node.replica, index % 3 === 1 ? controller.signal : undefined)
      .then(decoded, missReason),
  );
  await fetching[0];
  controller.abort();
  const answers = await Promise.all(fetching);
  const kept = answers.filter((answer) => answer !== undefined);
  const whole = keys.map((_, index) => numbers(MiB, index)).filter((_, index) => index % 3 !== 1);
  assert.ok(kept.length >= whole.length);
  answers.forEach((answer, index) => {
    if (index % 3 !== 1) assert.deepEqual(answer, numbers(MiB, index));
  });
});

test('closing ends what is under way, a dial too', async (t) => {
  const node = await dataNode(t);
  node.store.put('a', datum(numbers(100 * MiB)));
  const fetcher = fetcherOf(t);
  const fetching = failed(fetcher.fetch('a', node.replica));
  await until('serving began', () => node.pins.now === 1);
  await fetcher.close();
  assert.deepEqual(await fetching, ['connection-lost', 'unreachable']);
  await until('it let go', () => node.pins.now === 0);

  const dialler = fetcherOf(t);
  const dialling = failed(dialler.fetch('a', node.replica));
  await dialler.close();
  assert.equal((await dialling)[1], undefined);
  assert.deepEqual(await failed(dialler.fetch('a', node.replica)), ['aborted', undefined]);
});

test('a peer that accepts and says nothing is unreachable after the time for dialling', async (t) => {
  const silent = await import('node:net').then(({ createServer }) => createServer(() => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as { port: number };
  const node = await dataNode(t);
  const fetcher = fetcherOf(t, { dialMs: 100, transport: webSocketTransport });
  const replica = { ...node.replica, url: `ws://127.0.0.1:${port}` };
  assert.deepEqual(await failed(fetcher.fetch('a', replica)), ['timeout', 'unreachable']);
});
