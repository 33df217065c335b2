/** What clients leave behind: real processes, whose open files, stored bytes and spilled files are counted
 * before and after. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { LocalCluster } from '../../nodes/index.ts';
import { connect } from '../../scheduler/index.ts';
import { inc } from '../support/nested-tasks.ts';
import { range } from '../support/test-tasks.ts';

const here = (name: string): URL => new URL(`../support/${name}.js`, import.meta.url);
const modules = [here('nested-tasks').href, here('test-tasks').href];

/** Runs the client as a process of its own; resolves with how it ended. */
function pass(cluster: LocalCluster, mode: string): Promise<{ said: string; code: number | null }> {
  const child = spawn(process.execPath, [here('passing-client').pathname, cluster.url, cluster.token, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (data) => {
    said += String(data);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the client did not end by itself after ${mode}`));
    }, 20_000);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ said, code });
    });
  });
}

function socketsOf(pid: number): number {
  return platform() === 'linux' ? readdirSync(`/proc/${pid}/fd`).length : 0;
}

/** Files that any node of the cluster has spilled. */
function spilled(cluster: LocalCluster): string[] {
  const folders = readdirSync(tmpdir()).filter((name) =>
    cluster.nodes.some(({ pid }) => name.startsWith('asperitas') && name.includes(String(pid))),
  );
  return folders.flatMap((name) => readdirSync(join(tmpdir(), name)));
}

async function eventually(what: () => Promise<unknown>, wanted: unknown): Promise<void> {
  let found: unknown;
  for (let tries = 0; tries < 600; tries++) {
    found = await what();
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    await pause(100);
  }
  assert.deepEqual(found, wanted);
}

test('clients that close, end or die leave nothing on any side, and end by themselves', async (t) => {
  const memoryBytes = 4 * 2 ** 20;
  const sites = { here: { nodes: 2, threads: 1, memoryBytes } };
  const cluster = await LocalCluster.start({ sites, modules });
  t.after(() => cluster.close());
  const left = async (): Promise<unknown> => {
    const { tasks, nodes } = await cluster.status();
    const known = Object.values(tasks).reduce((a, b) => a + b);
    const stored = nodes.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    const files = spilled(cluster).filter((name) => name !== 'owner').length;
    return { known, stored, files, sockets: cluster.nodes.map(({ pid }) => socketsOf(pid)) };
  };
  // Once, so that threads and links between nodes are there.
  await pass(cluster, 'close');
  await pause(6000);
  const before = await left();
  assert.deepEqual({ ...(before as object), sockets: [] }, { known: 0, stored: 0, files: 0, sockets: [] });

  for (const mode of ['close', 'end', 'kill']) {
    await t.test(mode, async () => {
      const { said, code } = await pass(cluster, mode);
      assert.equal(said, '2 3 4 5 6\n');
      assert.equal(code, mode === 'kill' ? null : 0);
      await eventually(left, before);
    });
  }

  await t.test(
    'several clients of equal tasks, of which one drops its futures and the others release',
    async () => {
      const clients = await Promise.all([1, 2, 3].map(() => connect(cluster.url, { token: cluster.token })));
      const futures = clients.map((client) => [...client.map(inc, [7, 8]), client.submit(range(300_000))]);
      await Promise.all(clients.map((client, k) => client.gather(futures[k])));
      clients[0]!.release(futures[0]);
      assert.deepEqual((await cluster.status()).tasks.held, 3);
      for (const future of futures[1]!) future[Symbol.dispose]();
      await clients[2]!.close();
      await clients[1]!.close();
      await clients[0]!.close();
      await eventually(left, before);
    },
  );
});
