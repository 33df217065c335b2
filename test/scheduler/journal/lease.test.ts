/**
 * Who leads, where several schedulers share a Redis server: one at a time, another when that one ends, and
 * never one that only believes it does. The server and the schedulers' writers are real processes.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openJournal } from '../../../scheduler/journal/open-journal.ts';
import { contentsOf, lastOfChild, record } from '../../support/journal-contents.ts';
import { JournalWriter } from '../../support/journal-writer.ts';
import { RedisServer, redisMissing } from '../../support/redis-server.ts';
import { until } from '../../support/until.ts';

const real = { skip: redisMissing };
const server = redisMissing === false ? await RedisServer.start() : undefined;
after(() => server?.remove());

let names = 0;
const newName = (): string => `lease-${++names}`;
const shortLease = (): string => `${server!.url}?leaseMs=2000`;

test('a standby waits, says for whom, and takes over when the leader leaves', real, async () => {
  const name = newName();
  const leader = await openJournal(shortLease(), { name, address: 'ws://10.0.0.1:7010' });
  await leader.append([record('first')]);
  const said: string[] = [];
  let taken = false;
  const waiting = openJournal(shortLease(), { name, log: (line) => said.push(line) }).then((journal) => {
    taken = true;
    return journal;
  });
  await until('the standby has said so', () => said.length > 0);
  assert.match(
    said[0]!,
    new RegExp(`standing by: cluster ${name} is led by ws://10.0.0.1:7010, process ${process.pid}`),
  );
  // Longer than the lease: it is renewed.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(taken, false);
  await leader.append([record('second')]);
  await leader.close();
  const next = await waiting;
  assert.ok(next.epoch > leader.epoch);
  assert.deepEqual(await contentsOf(next), ['first', 'second']);
  assert.equal(said.length, 1, 'the waiting is said once');
  await next.close();
});

test('a standby can give up', real, async () => {
  const name = newName();
  const leader = await openJournal(shortLease(), { name });
  const controller = new AbortController();
  const waiting = openJournal(shortLease(), { name, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(waiting, { code: 'aborted' });
  await leader.close();
});

test('a standby takes over from a leader that was killed, with all that was acknowledged', real, async () => {
  const name = newName();
  const leader = new JournalWriter(shortLease(), name, 'rewriting');
  await until('some appends', () => leader.done > 10);
  const standby = new JournalWriter(shortLease(), name);
  await standby.said('log standing by');
  await leader.kill();
  const [, , last] = (await standby.said('open')).split(' ');
  assert.ok(Number(last) === leader.done || Number(last) === leader.done + 1, `${last} of ${leader.done}`);
  await until('further appends', () => standby.done > Number(last) + 3);
  await standby.kill();
  const journal = await openJournal(shortLease(), { name });
  assert.ok(lastOfChild(await contentsOf(journal)) >= standby.done);
  await journal.close();
});

test('a leader that was stopped and wakes after another took over can write nothing', real, async () => {
  const name = newName();
  const zombie = new JournalWriter(shortLease(), name);
  await until('some appends', () => zombie.done > 10);
  const standby = new JournalWriter(shortLease(), name, 'slow');
  await standby.said('log standing by');
  zombie.signal('SIGSTOP');
  await standby.said('open');
  await until('appends of the new leader', () => standby.done > zombie.done + 3);
  zombie.signal('SIGCONT');
  await zombie.ended();
  const end = zombie.lines.at(-1)!;
  assert.ok(['refused journal-fenced', 'lost journal-fenced'].includes(end), end);
  await until('further appends', () => standby.done > zombie.done + 20);
  await standby.kill();
  const journal = await openJournal(shortLease(), { name });
  // Each number once and in order: two writers would have written the same ones.
  assert.ok(lastOfChild(await contentsOf(journal)) >= standby.done);
  await journal.close();
});

test('a write that set out before the take-over and arrives after it is refused', real, async () => {
  const name = newName();
  const old = await openJournal(`${server!.url}?leaseMs=60000`, { name });
  await old.append([record('old')]);
  // As if the lease had run out unnoticed.
  await server!.command('DEL', `asperitas:{${name}}:lease`);
  const next = await openJournal(shortLease(), { name });
  await next.append([record('next')]);
  await assert.rejects(old.append([record('late')]), { code: 'journal-fenced' });
  await assert.rejects(old.rewrite([record('late')]), { code: 'journal-fenced' });
  assert.equal((await old.lost).code, 'journal-fenced');
  await old.close();
  await next.close();
  const journal = await openJournal(shortLease(), { name });
  assert.deepEqual(await contentsOf(journal), ['old', 'next'], 'the old one did not give the new lease back');
  await journal.close();
});

test('a leader that can not renew its lease stops before another can have it', real, async () => {
  const own = await RedisServer.start();
  try {
    const journal = await openJournal(`${own.url}?leaseMs=1000`, { name: newName() });
    await journal.append([record('a')]);
    const stoppedAt = performance.now();
    own.signal('SIGSTOP');
    const append = journal.append([record('b')]);
    const failed = assert.rejects(append, { code: 'journal-fenced' });
    const error = await journal.lost;
    assert.equal(error.code, 'journal-fenced');
    assert.match(error.message, /could not be renewed at redis:.* in time; this scheduler must end/);
    await failed;
    assert.ok(performance.now() > stoppedAt);
    own.signal('SIGCONT');
    await journal.close();
  } finally {
    own.signal('SIGCONT');
    await own.remove();
  }
});

test('a lease that ran out while Redis was away is taken again if nobody else wants it', real, async () => {
  const own = await RedisServer.start();
  try {
    const name = newName();
    const journal = await openJournal(`${own.url}?leaseMs=3000`, { name });
    await own.command('DEL', `asperitas:{${name}}:lease`);
    // A renewal or two later it is there again.
    for (let tries = 0; (await own.command('EXISTS', `asperitas:{${name}}:lease`)) !== ':1\r\n'; tries++) {
      assert.ok(tries < 1000);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await journal.append([record('still')]);
    await journal.close();
  } finally {
    await own.remove();
  }
});

test('of many that wait one leads, then another, each with an epoch of its own', real, async () => {
  const name = newName();
  const epochs: number[] = [];
  let leaders = 0;
  const lead = async (): Promise<void> => {
    const journal = await openJournal(shortLease(), { name });
    assert.equal(++leaders, 1);
    epochs.push(journal.epoch);
    await journal.append([record(String(journal.epoch))]);
    leaders--;
    await journal.close();
  };
  await Promise.all(Array.from({ length: 5 }, lead));
  assert.deepEqual(
    epochs,
    [...new Set(epochs)].sort((a, b) => a - b),
  );
  const journal = await openJournal(shortLease(), { name });
  assert.deepEqual(await contentsOf(journal), epochs.map(String));
  await journal.close();
});
