/** Data of a client on the nodes, over real processes of two sites: where they lie, who uses them, and that
 * nothing of them is left. */
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { LocalCluster } from '../../nodes/index.ts';
import {
  DataLink,
  encodeValue,
  PushLink,
  roleToken,
  scatteredKey,
  type Transport,
  type WireMessage,
  webSocketTransport,
} from '../../runtime/index.ts';
import { connect, type Future } from '../../scheduler/index.ts';
import { lengths, weigh } from '../support/scatter-tasks.ts';
import { eventually } from '../support/small-cluster.ts';

const MiB = 2 ** 20;
const modules = [new URL('../support/scatter-tasks.js', import.meta.url).href];
let cluster: LocalCluster;

before(async () => {
  const site = { nodes: 1, threads: 1, memoryBytes: 160 * MiB };
  cluster = await LocalCluster.start({ sites: { near: site, far: site }, modules });
});
after(() => cluster.close());

function noise(bytes: number): Float64Array {
  const array = new Float64Array(bytes / 8);
  randomFillSync(new Uint8Array(array.buffer));
  return array;
}

/** How many data each node holds, by site. */
async function held(): Promise<Record<string, number>> {
  const { nodes } = await cluster.inspect.overview();
  return Object.fromEntries(nodes.map(({ site, held }) => [site, held]));
}

const nothingIsLeft = () =>
  eventually(async () => {
    const { tasks, nodes } = await cluster.status();
    const known = Object.values(tasks).reduce((a, b) => a + b);
    return known === 0 && nodes.every(({ storedBytes }) => storedBytes === 0);
  }, 'nothing is left of scattered data');

test('data lie on a node of the named site, and are used there', async () => {
  const array = new Float64Array(2 ** 17).fill(2);
  const before = (await cluster.status()).crossSiteBytes;
  using future = await cluster.scatter(array, { site: 'far' });
  assert.deepEqual([future.status, future.site], ['held', 'far']);
  assert.deepEqual(await held(), { near: 0, far: 1 });
  const { sum, site } = await cluster.compute(weigh(future));
  assert.deepEqual([sum, site], [2 ** 18, 'far']);
  assert.equal((await cluster.status()).crossSiteBytes, before);
});

test('64 MiB come back as they were, bit by bit', async () => {
  const array = noise(64 * MiB);
  using future = await cluster.scatter({ array, note: 'x'.repeat(70_000), none: [new Float32Array(0)] });
  const back = await future.result();
  assert.deepEqual(Buffer.compare(Buffer.from(back.array.buffer), Buffer.from(array.buffer)), 0);
  assert.deepEqual(
    { ...back, array: 0 },
    { array: 0, note: 'x'.repeat(70_000), none: [new Float32Array(0)] },
  );
});

test('data that are broadcast lie on every node, or on every node of a site', async () => {
  using everywhere = await cluster.scatter(noise(MiB), { broadcast: true });
  await eventually(async () => {
    const { near, far } = await held();
    return near === 1 && far === 1;
  }, 'each node holds a copy');
  using here = await cluster.scatter(noise(MiB), { broadcast: true, site: 'near', stay: true });
  assert.deepEqual(await held(), { near: 2, far: 1 });
  assert.equal((await cluster.compute(weigh(here))).site, 'near');
  assert.equal(everywhere.status, 'held');
});

test('several data are spread over the nodes, and are inputs like any other', async (t) => {
  await nothingIsLeft();
  // A client that has put nothing on any node lately.
  const client = await connect(cluster.url, { token: cluster.token });
  t.after(() => client.close());
  const arrays = [1, 2, 3, 4].map((index) => noise(index * MiB));
  const futures = await client.scatterAll(arrays);
  const { near, far } = await held();
  assert.deepEqual([near, far].sort(), [2, 2]);
  assert.deepEqual(await client.gather(futures), arrays);
  assert.deepEqual(
    await client.compute(lengths(futures)),
    arrays.map(({ length }) => length),
  );
  assert.deepEqual(await client.scatterAll([]), []);
  client.release(futures);
  await nothingIsLeft();
});

test('values of every size and kind may be scattered, but no task', async () => {
  const values = [undefined, 'a', new Map([[1, 2n]]), [], new Uint8Array(1025).fill(1)];
  const futures: Future<unknown>[] = await cluster.scatterAll<unknown>(values, { broadcast: true });
  assert.deepEqual(await cluster.gather(futures), values);
  await assert.rejects(cluster.scatter({ deep: [futures[0]] }), { code: 'not-serialisable' });
  cluster.release(futures);
  await nothingIsLeft();
});

test('what a node can never hold is refused, in one line', async () => {
  await assert.rejects(cluster.scatter(new Float64Array(25 * MiB), { site: 'far' }), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'datum-too-large');
    assert.match(error.message, /^the datum takes 210 MB, and \S+ may hold 168 MB in all: [^\n]+$/);
    return true;
  });
  await nothingIsLeft();
});

test('a place that there is not is an error', async () => {
  await assert.rejects(cluster.scatter(1, { site: 'nowhere' }), { code: 'no-such-site' });
  await assert.rejects(cluster.scatter(1, { node: 'nobody' }), { code: 'no-such-node' });
  await assert.rejects(cluster.scatter(1, { node: cluster.nodes[0]!.name, site: 'far' }), {
    code: 'no-such-node',
  });
  await nothingIsLeft();
});

test('a scatter that is aborted or late midway leaves nothing', async () => {
  const array = new Float64Array(12 * MiB);
  for (const afterMs of [0, 5, 20, 40]) {
    const stop = new AbortController();
    const scattered = cluster.scatter(array, { broadcast: true, signal: stop.signal });
    setTimeout(() => stop.abort(), afterMs);
    await assert.rejects(scattered, { code: 'aborted' });
    await nothingIsLeft();
  }
  await assert.rejects(cluster.scatter(array, { broadcast: true, timeoutMs: 10 }), { code: 'timeout' });
  await nothingIsLeft();
});

/** Breaks connections that bring data after two pieces, so many times. */
function breaking(times: number): { readonly transport: Transport; readonly breaks: () => number } {
  let done = 0;
  const dial: Transport['dial'] = async (url, options) => {
    const connection = await webSocketTransport.dial(url, options);
    if (!cluster.nodes.some((node) => node.url === url) || options.hello.role !== 'client') return connection;
    let pieces = 0;
    const send = connection.send.bind(connection);
    const sendSome = (message: WireMessage): void => {
      send(message);
      if (message.type !== 'push-piece' || ++pieces !== 2 || done === times) return;
      done++;
      connection.close('the line breaks');
    };
    return Object.assign(connection, { send: sendSome });
  };
  return { transport: { ...webSocketTransport, dial }, breaks: () => done };
}

test('a line that breaks midway twice is dialled again; one that always breaks is an error', async (t) => {
  const array = noise(32 * MiB);
  const twice = breaking(2);
  const client = await connect(cluster.url, { token: cluster.token, transport: twice.transport });
  t.after(() => client.close());
  const future = await client.scatter(array, { site: 'near' });
  assert.equal(twice.breaks(), 2);
  const back = await future.result();
  assert.equal(Buffer.compare(Buffer.from(back.buffer), Buffer.from(array.buffer)), 0);
  future.release();

  const always = breaking(Number.POSITIVE_INFINITY);
  const unlucky = await connect(cluster.url, { token: cluster.token, transport: always.transport });
  t.after(() => unlucky.close());
  await assert.rejects(unlucky.scatter(array, { site: 'near' }), { code: 'connection-lost' });
  assert.equal(always.breaks(), 3);
  await nothingIsLeft();
});

test('who may only look neither brings nor fetches data, and nobody brings results of tasks', async (t) => {
  using future = await cluster.scatter('seen', { site: 'near' });
  const { url } = cluster.nodes.find(({ site }) => site === 'near')!;
  const dial = async (role: string, token: string) => {
    const connection = await webSocketTransport.dial(url, { token, hello: { role } });
    t.after(() => connection.close());
    return connection;
  };
  const observing = roleToken(cluster.token, ['observer']);
  await assert.rejects(dial('client', observing), { code: 'wrong-role' });
  const { signal } = new AbortController();
  const pushing = new PushLink(await dial('observer', observing));
  await assert.rejects(pushing.push('mine', encodeValue(1), signal), { code: 'connection-lost' });
  const fetching = new DataLink(await dial('observer', observing));
  await assert.rejects(fetching.fetch(future.key), { code: 'connection-lost' });

  const client = await dial('client', roleToken(cluster.token, ['client']));
  client.send({ type: 'push', request: 1, key: future.key, secret: 'guessed', partBytes: [10] });
  assert.equal(await client.closed.then(() => 'cut off'), 'cut off');
  // What nobody has announced is dropped by the scheduler.
  const honest = new PushLink(await dial('client', cluster.token));
  await honest.push('of nobody', encodeValue(noise(MiB)), signal);
  assert.equal(await future.result(), 'seen');
  future.release();
  await nothingIsLeft();
  const gone = new DataLink(await dial('data', cluster.token));
  await assert.rejects(gone.fetch(scatteredKey('of nobody')), { code: 'datum-absent' });
});

test('data of a node that is killed are lost, for their users too; copies elsewhere serve', async () => {
  const lost = await cluster.scatter(noise(MiB), { site: 'far' });
  const safe = await cluster.scatter(new Float64Array(1000).fill(1), { broadcast: true });
  const { name, kill } = cluster.nodes.find(({ site }) => site === 'far')!;
  await kill();
  await eventually(
    async () => (await cluster.status()).nodes.every(({ node }) => node !== name),
    'the node is lost',
  );
  await assert.rejects(cluster.compute(weigh(lost)), (error: Error & { fields?: { culprit?: string } }) => {
    assert.equal((error as { code?: string }).code, 'data-lost');
    assert.equal(error.fields?.culprit, lost.key);
    return true;
  });
  assert.equal(lost.status, 'failed');
  assert.deepEqual((await cluster.compute(weigh(safe))).sum, 1000);
  cluster.release([lost, safe]);
  await nothingIsLeft();
});
