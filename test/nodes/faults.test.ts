/**
 * Nodes that are killed, stopped and filled while they work: every result is right, or its error says what
 * happened. Real processes, really killed; the scheduler checks its invariants after every turn.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startFaultCluster } from '../support/fault-cluster.ts';
import * as tasks from '../support/fault-tasks.ts';
import { temporaryFolder } from '../support/peers.ts';

const MiB = 2 ** 20;
const squares = (count: number) => (count * (count - 1) * (2 * count - 1)) / 6;

test('nodes killed under load, and back under their names, cost time and nothing else', async (t) => {
  const { cluster, node, kill } = await startFaultCluster(t);
  await Promise.all(['n1', 'n2', 'n3'].map((name) => node(name)));
  const inner = Array.from({ length: 150 }, (_, k) => tasks.slowSquare(k, 15));
  const computing = cluster.compute(tasks.total(inner));
  for (const name of ['n1', 'n2']) {
    await eventually(async () => {
      const { functions } = await cluster.inspect.overview();
      return functions.some(({ done }) => done > 20);
    }, 'some are done');
    await kill(name);
    await node(name);
  }
  assert.equal(await computing, squares(150));
});

test('a task that kills its nodes ends after three of them, and the error says so', async (t) => {
  const { cluster, node, names } = await startFaultCluster(t);
  await Promise.all(['n1', 'n2', 'n3', 'n4'].map((name) => node(name)));
  const other = cluster.compute(tasks.total(Array.from({ length: 40 }, (_, k) => tasks.slowSquare(k, 10))));
  await assert.rejects(cluster.compute(tasks.killNode()), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'task-killed-nodes');
    assert.match(error.message, /fault\.kill-node\S* was on 3 nodes when they died/);
    return true;
  });
  assert.equal(await other, squares(40));
  await eventually(async () => (await names()).length === 1, 'the fourth is left');
});

test('a node that is stopped for longer than it may be silent is given up, and comes back', async (t) => {
  const { cluster, node, names, signal } = await startFaultCluster(t);
  await Promise.all(['n1', 'n2'].map((name) => node(name)));
  const computing = cluster.compute(
    tasks.total(Array.from({ length: 60 }, (_, k) => tasks.slowSquare(k, 20))),
  );
  await eventually(async () => {
    const { functions } = await cluster.inspect.overview();
    return functions.some(({ done }) => done > 4);
  }, 'some are done');
  signal('n1', 'SIGSTOP');
  assert.equal(await computing, squares(60));
  // What the zombie still has to say is about runs that no longer count.
  signal('n1', 'SIGCONT');
  await eventually(async () => (await names()).length === 2, 'it is back');
  const twice = Array.from({ length: 40 }, (_, k) => tasks.slowSquare(k, 11));
  assert.equal(await cluster.compute(tasks.total(twice)), squares(40));
});

test('one node of 32 MiB', async (t) => {
  const { cluster, node, names } = await startFaultCluster(t);
  const folder = temporaryFolder(t);
  await node('n1', '--memory', '32MiB', '--spill', folder);

  await t.test('a task that ends its thread, or that of a device, fails alone', async () => {
    await assert.rejects(cluster.compute(tasks.endThread()), { code: 'thread-died' });
    await assert.rejects(cluster.compute(tasks.endThread.with({ needs: { device: 1 } })()), /died|ended/);
    assert.equal(await cluster.compute(tasks.nodeOf()), 'n1');
    assert.equal(await cluster.compute(tasks.nodeOf.with({ needs: { device: 1 } })()), 'n1');
    assert.deepEqual(await names(), ['n1']);
  });

  await t.test('a result that memory could never hold is refused, and what to do is said', async () => {
    const large = tasks.block(1, 48 * MiB);
    await assert.rejects(cluster.persist(large), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'datum-too-large');
      assert.match(
        error.message,
        /takes 50\.3 MB, and n1 may hold 33\.6 MB in all: give nodes more --memory/,
      );
      return true;
    });
    assert.equal(await cluster.compute(tasks.sum(tasks.block(1, MiB))), tasks.sumOfBlock(1, MiB));
  });

  await t.test('work on four times the memory limit completes, by way of the disk', async () => {
    const seeds = Array.from({ length: 16 }, (_, k) => k);
    const blocks = await cluster.persist(seeds.map((seed) => tasks.block(seed, 8 * MiB)));
    const files = readdirSync(folder, { recursive: true }).filter((name) => /\.spill$/.test(String(name)));
    assert.ok(files.length >= 10, `${files.length} files`);
    const sums = await cluster.compute(blocks.map((held) => tasks.sum(held)));
    const wanted = seeds.map((seed) => tasks.sumOfBlock(seed, 8 * MiB));
    assert.deepEqual(sums, wanted);
    for (const held of blocks) held.release();
  });
});

test('a node that is drained hands over what only it holds: nothing is made again', async (t) => {
  const { cluster, node, names } = await startFaultCluster(t);
  await node('n1');
  const seeds = [1, 2, 3, 4];
  const blocks = await cluster.persist(seeds.map((seed) => tasks.block(seed, 8 * MiB)));
  await node('n2');
  await cluster.inspect.drain('n1');
  assert.deepEqual(await names(), ['n2']);
  const sums = await cluster.compute(blocks.map((held) => tasks.sum(held)));
  const wanted = seeds.map((seed) => tasks.sumOfBlock(seed, 8 * MiB));
  assert.deepEqual(sums, wanted);
  const { functions } = await cluster.inspect.overview();
  assert.equal(functions.find(({ fn }) => fn === 'fault.block')?.done, seeds.length);
});

/** A file system of so many bytes; undefined where this process may not make one. */
function smallDisk(path: string, bytes: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a disk that is full while data are spilled slows work down, and loses nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'asperitas-test-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  if (!smallDisk(folder, 12 * MiB)) {
    t.skip('a small file system can not be mounted here');
    return;
  }
  const { cluster, node, kill } = await startFaultCluster(t);
  await node('n1', '--memory', '32MiB', '--spill', folder);
  const seeds = Array.from({ length: 10 }, (_, k) => k);
  const blocks = await cluster.persist(seeds.map((seed) => tasks.block(seed, 8 * MiB)));
  const sums = await cluster.compute(blocks.map((held) => tasks.sum(held)));
  assert.deepEqual(
    sums,
    seeds.map((seed) => tasks.sumOfBlock(seed, 8 * MiB)),
  );
  await kill('n1');
  execFileSync('umount', ['-l', folder]);
});
