/**
 * Clusters of real processes: what is computed comes back, nodes that are killed are no loss, everything ends
 * when it is told to, and when its owner dies.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalCluster } from '../../nodes/index.ts';
import { fold, type Lazy } from '../../scheduler/index.ts';
import { projectRoot } from '../support/shared-data.ts';
import {
  add,
  addArrays,
  countRuns,
  describe,
  echo,
  failOnInput,
  failPlainly,
  range,
  sumOf,
} from '../support/test-tasks.ts';

const modules = [new URL('../support/test-tasks.js', import.meta.url).href];
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.start({
    sites: { nancay: { nodes: 2, threads: 1 }, paris: { nodes: 1, threads: 1, data: projectRoot } },
    modules,
  });
});
after(() => cluster.close());

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Waits for what has no event of its own; the test's own timeout bounds it. */
async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

test('results come back from the site that was asked for, arrays as arrays', async () => {
  const array = Float64Array.from([1, 2.5, -0]);
  const { value, place } = await cluster.compute({
    value: echo({ array, list: [1, undefined, new Map([['a', 1n]])] }),
    place: describe.with({ site: 'paris' })(),
  });
  assert.deepEqual(value, { array, list: [1, undefined, new Map([['a', 1n]])] });
  assert.equal(place.site, 'paris');
  assert.equal(place.data, projectRoot);
});

test('a fold over two sites sends one partial sum across', async () => {
  const before = (await cluster.status()).crossSiteBytes;
  const sums = Array.from({ length: 24 }, (_, k) => {
    const there = { site: k % 2 === 0 ? 'nancay' : 'paris' };
    return sumOf.with(there)(range.with(there)(10_000 + k));
  });
  const total = await cluster.compute(fold(sums, (group) => add(group), { by: 'site', arity: 4 }));
  let wanted = 0;
  for (let k = 0; k < 24; k++) wanted += ((10_000 + k) * (9_999 + k)) / 2;
  assert.equal(total, wanted);
  const crossed = (await cluster.status()).crossSiteBytes - before;
  assert.ok(crossed < 1000, `${crossed} bytes crossed, where one partial sum would do`);
});

test('a fold of arrays by site moves one array for each site but the last', async () => {
  const length = 50_000;
  const before = (await cluster.status()).crossSiteBytes;
  const arrays = Array.from({ length: 12 }, (_, k) =>
    range.with({ site: k % 2 === 0 ? 'nancay' : 'paris' })(length),
  );
  const total = await cluster.compute(
    sumOf(fold(arrays, (group) => addArrays(group), { by: 'site', arity: 3 })),
  );
  assert.equal(total, (12 * length * (length - 1)) / 2);
  // Two sites: one array of eight bytes a number, and what says what it is.
  const crossed = (await cluster.status()).crossSiteBytes - before;
  assert.ok(crossed >= 8 * length && crossed < 8 * length + 1000, `${crossed} bytes crossed`);
});

test('an error has its own code and fields, and comes at once where a repetition is of no use', async () => {
  await assert.rejects(
    cluster.compute(failOnInput('bad-option')),
    (error: Error & { code: string; fields: object }) => {
      assert.match(error.message, /as the test wants it/);
      assert.equal(error.code, 'bad-option');
      assert.ok('code' in error.fields);
      return true;
    },
  );
  await assert.rejects(cluster.compute(failPlainly.with({ retries: 2 })()), /something of the machine/);
});

test('a task that needs the device runs in its thread, where state stays warm', async () => {
  const onDevice = countRuns.with({ needs: { device: 1 }, site: 'paris' });
  const first = await cluster.compute(onDevice());
  const second = await cluster.compute(onDevice.with({ near: 'paris' })());
  assert.deepEqual([first, second], [1, 2]);
});

test('nodes that are killed with data and runs on them are no loss', async () => {
  const own = await LocalCluster.start({ sites: { a: { nodes: 3, threads: 1 } }, modules });
  try {
    const held = await own.persist(Array.from({ length: 12 }, (_, k) => range(50_000 + k)));
    await own.nodes[0]!.kill();
    const sums: Lazy<number>[] = held.map((future) => sumOf(future));
    const computed = own.compute(sums);
    await own.nodes[1]!.kill();
    const values = await computed;
    values.forEach((value, k) => {
      assert.equal(value, ((50_000 + k) * (49_999 + k)) / 2);
    });
    await eventually(async () => (await own.status()).nodes.length === 1);
  } finally {
    await own.close();
  }
});

test('more data than memory are spilled and come back as they were', async () => {
  const small = { nodes: 2, threads: 1, memoryBytes: 64 * 2 ** 20 };
  const own = await LocalCluster.start({ sites: { a: small }, modules });
  try {
    const length = 2 ** 20;
    const held = await own.persist(Array.from({ length: 48 }, (_, k) => range(length + k)));
    const { nodes } = await own.status();
    assert.ok(nodes.every(({ rssBytes }) => rssBytes < 2 ** 30));
    const sums: readonly number[] = await own.compute(held.map((future) => sumOf(future)));
    sums.forEach((sum, k) => {
      assert.equal(sum, ((length + k) * (length + k - 1)) / 2);
    });
    for (const future of held) future.release();
    await eventually(async () => (await own.status()).nodes.every(({ storedBytes }) => storedBytes === 0));
  } finally {
    await own.close();
  }
});

test('closing ends every process', async () => {
  const own = await LocalCluster.start({ sites: { a: {}, b: {} }, modules });
  const pids = own.nodes.map(({ pid }) => pid);
  assert.ok(pids.every(isAlive));
  await own.close();
  await eventually(() => !pids.some(isAlive));
});

test('shutting down lets go of everything too', async () => {
  const own = await LocalCluster.start({ sites: { a: {} }, modules });
  const pids = own.nodes.map(({ pid }) => pid);
  await own.shutdown();
  assert.ok(!pids.some(isAlive));
});

test('a cluster whose owner is killed does not stay behind', async () => {
  const script = `
    import { LocalCluster } from ${JSON.stringify(new URL('../../nodes/index.js', import.meta.url).href)};
    const cluster = await LocalCluster.start({ sites: { a: {} } });
    console.log(JSON.stringify(cluster.nodes.map(({ pid }) => pid)));
    setInterval(() => undefined, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
  const pids = JSON.parse(line) as number[];
  assert.ok(pids.every(isAlive));
  owner.kill('SIGKILL');
  await eventually(() => !pids.some(isAlive));
});

test('a cluster that cannot start says why and leaves nothing', async () => {
  const broken = join(projectRoot, 'dist/test/support/no-such-module.js');
  await assert.rejects(LocalCluster.start({ sites: { a: {} }, modules: [broken] }), {
    code: 'cannot-start',
    message: /no-such-module/,
  });
  await assert.rejects(LocalCluster.start({ sites: {} }), { code: 'usage' });
  const aborted = AbortSignal.abort();
  await assert.rejects(LocalCluster.start({ sites: { a: {} }, signal: aborted }));
});
