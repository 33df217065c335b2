/**
 * Several schedulers of one cluster, as their users start them: real processes that share a real Redis
 * server. One leads, another takes over when it is killed or does not answer, and the old one can't come
 * back.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../scheduler/index.ts';
import { type RunningCli, runCli, startCli } from '../support/cli.ts';
import { freePort, RedisServer, redisMissing } from '../support/redis-server.ts';
import { add } from '../support/test-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'asperitas-standby-'));
const token = 'a token for tests of standing by';
const env = { ASPERITAS_TOKEN: token, XDG_STATE_HOME: folder };
const modules = fileURLToPath(new URL('../support/test-tasks.js', import.meta.url));
const server = redisMissing === false ? await RedisServer.start() : undefined;
const started: RunningCli[] = [];
after(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGKILL');
    await ended;
  }
  await server?.remove();
  rmSync(folder, { recursive: true });
});

function start(...words: string[]): RunningCli {
  const running = startCli(words, env);
  started.push(running);
  return running;
}

function startScheduler(port: number, name: string): RunningCli {
  const journal = `${server!.url}?leaseMs=2500`;
  return start('scheduler', '--port', String(port), '--journal', journal, '--cluster-name', name);
}

const compute = async (addresses: string, terms: readonly number[]): Promise<unknown> => {
  const cluster = await connect(addresses, { token });
  try {
    return await cluster.compute(add(terms), { timeoutMs: 60_000 });
  } finally {
    await cluster.close();
  }
};

test('a standby takes over from a killed leader, and nodes and clients find it', {
  skip: redisMissing,
}, async () => {
  const [first, second] = [await freePort(), await freePort()];
  const addresses = `ws://127.0.0.1:${first},ws://127.0.0.1:${second}`;
  const leader = startScheduler(first, 'killed');
  await leader.said(/scheduler at \S+, token in \S.*, journal in redis:/);
  const standby = startScheduler(second, 'killed');
  await standby.said(
    new RegExp(`standing by: cluster killed is led by \\S+:${first}, process ${leader.child.pid} `),
  );
  const node = start('node', '--scheduler', addresses, '--site', 'a', '--threads', '1', '--modules', modules);
  await node.said(/node .* at a/);
  assert.equal(await compute(addresses, [1, 2]), 3);
  leader.child.kill('SIGKILL');
  await standby.said(new RegExp(`scheduler at ws://127.0.0.1:${second}`));
  assert.equal(await compute(addresses, [3, 4]), 7);
  node.child.kill('SIGTERM');
  assert.equal((await node.ended).status, 0);
  standby.child.kill('SIGTERM');
  assert.equal((await standby.ended).status, 0);
});

test('what clients wait for and hold outlives a killed leader', { skip: redisMissing }, async () => {
  const [first, second] = [await freePort(), await freePort()];
  const addresses = `ws://127.0.0.1:${first},ws://127.0.0.1:${second}`;
  const leader = startScheduler(first, 'outlived');
  await leader.said(/scheduler at/);
  const standby = startScheduler(second, 'outlived');
  await standby.said(/standing by/);
  const [holder, other] = [await connect(addresses, { token }), await connect(addresses, { token })];
  await holder.lock('l').run(async (held) => {
    const waiting = other.lock('l').acquire();
    const item = other.queue<string>('q').get();
    // No node is there yet: it is pending when the leader dies.
    const sum = holder.compute(add([20, 22]), { timeoutMs: 60_000 });
    // Asked after these, so they have been heard.
    await Promise.all([holder.status(), other.status()]);
    leader.child.kill('SIGKILL');
    await standby.said(/scheduler at/);
    const node = start(
      'node',
      '--scheduler',
      addresses,
      '--site',
      'a',
      '--threads',
      '1',
      '--modules',
      modules,
    );
    await node.said(/node .* at a/);
    assert.equal(await sum, 42);
    await holder.queue<string>('q').put('after the take-over');
    assert.equal(await item, 'after the take-over');
    assert.equal(held.aborted, false);
    assert.equal(await holder.lock('l').tryAcquire(), false, 'it is held');
    void waiting.then(() => other.event('mine').set());
  });
  await holder.event('mine').wait({ timeoutMs: 60_000 });
  await Promise.all([holder.close(), other.close()]);
});

test('a leader that slept through the take-over ends with one line', { skip: redisMissing }, async () => {
  const [first, second] = [await freePort(), await freePort()];
  const sleeper = startScheduler(first, 'asleep');
  await sleeper.said(/scheduler at/);
  const standby = startScheduler(second, 'asleep');
  await standby.said(/standing by/);
  sleeper.child.kill('SIGSTOP');
  await standby.said(/scheduler at/);
  sleeper.child.kill('SIGCONT');
  const { status, stderr } = await sleeper.ended;
  assert.equal(status, 1);
  assert.match(stderr, /^asperitas: the lease of cluster asleep is lost: .*; this scheduler must end\n$/);
  standby.child.kill('SIGTERM');
  assert.equal((await standby.ended).status, 0);
});

test('a standby that is stopped ends quietly; one without a server says so', {
  skip: redisMissing,
}, async () => {
  const leader = startScheduler(0, 'quiet');
  await leader.said(/scheduler at/);
  const standby = startScheduler(0, 'quiet');
  await standby.said(/standing by/);
  standby.child.kill('SIGTERM');
  assert.equal((await standby.ended).stderr, 'asperitas: stopped\n');
  const lost = await runCli(['scheduler', '--journal', `redis://:secret@127.0.0.1:${await freePort()}`], env);
  assert.equal(lost.status, 1);
  assert.match(lost.stderr, /^asperitas: redis:\/\/127.0.0.1:\d+\/0 can't be reached: .*ECONNREFUSED.*\n$/);
  assert.doesNotMatch(lost.stderr, /secret/);
});

test('without a word about it the journal lies in a private folder, by port or by name', async () => {
  const port = await freePort();
  const named = start('scheduler', '--port', '0', '--cluster-name', 'sky');
  await named.said(/journal in lmdb:\S+\/asperitas\/journal\/sky\n/);
  const daemon = start('scheduler', '--port', String(port));
  await daemon.said(new RegExp(`journal in lmdb:\\S+/asperitas/journal/port-${port}\\n`));
  assert.equal(statSync(join(folder, 'asperitas/journal/sky')).mode & 0o777, 0o700);
  const second = await runCli(['scheduler', '--port', '0', '--cluster-name', 'sky'], env);
  assert.equal(second.status, 1);
  assert.match(second.stderr, new RegExp(`^asperitas: .* is in use by process ${named.child.pid}: .*\\n$`));
  const forgetful = start('scheduler', '--port', '0');
  await forgetful.said(/journal in memory only\n/);
  const wrong = await runCli(['scheduler', '--journal', 'floppy:a'], env);
  assert.match(
    wrong.stderr,
    /^asperitas: no journal can be kept there: use memory:, lmdb:FOLDER or redis:.*\n$/,
  );
  const odd = await runCli(['scheduler', '--cluster-name', '../sky'], env);
  assert.deepEqual([odd.status, odd.stderr.split('\n').length], [2, 2]);
});
