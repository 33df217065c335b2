/**
 * The journal on a Redis server: a real one, killed, stopped and started again; writers are real processes.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { openJournal } from '../../../scheduler/journal/open-journal.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { contentsOf, record } from '../../support/journal-contents.ts';
import { freePort, RedisServer, redisMissing } from '../../support/redis-server.ts';

const real = { skip: redisMissing };
const shared = redisMissing === false ? await RedisServer.start() : undefined;
after(() => shared?.remove());

let names = 0;
const newName = (): string => `cluster-${++names}`;

test('records are found again in order, the epoch grows, a rewrite replaces all', real, async () => {
  const { url } = shared!;
  const name = newName();
  const said: string[] = [];
  const first = await openJournal(url, { name, log: (line) => said.push(line) });
  assert.deepEqual(await contentsOf(first), []);
  await Promise.all([first.append([record('a'), record('')]), first.append([record('b')])]);
  await first.close();
  const second = await openJournal(url, { name });
  assert.ok(second.epoch > first.epoch);
  assert.deepEqual(await contentsOf(second), ['a', '', 'b']);
  const large = 'y'.repeat(600_000);
  await Promise.all([
    second.append([record('c')]),
    second.rewrite([record(large), record(large), record('new')]),
    second.append([record('later')]),
  ]);
  await second.close();
  const third = await openJournal(url, { name });
  assert.deepEqual(await contentsOf(third), [large, large, 'new', 'later']);
  for (let number = 0; number < 50; number++) await third.append([record(`${number}`)]);
  await third.close();
  const fourth = await openJournal(url, { name });
  assert.equal((await contentsOf(fourth)).length, 54);
  await fourth.close();
  assert.deepEqual(said, [], 'a durable server is no cause for warnings');
  const keys = (await shared!.command('KEYS', '*')).match(/asperitas:\S+/g)!.sort();
  const prefix = `asperitas:{${name}}`;
  assert.deepEqual(
    keys,
    [`${prefix}:epoch`, `${prefix}:head`, `${prefix}:log:1`],
    'and nothing is left over',
  );
});

test('clusters of different names have nothing in common', real, async () => {
  const [a, b] = [newName(), newName()];
  const first = await openJournal(shared!.url, { name: a });
  const second = await openJournal(shared!.url, { name: b });
  await first.append([record('mine')]);
  assert.deepEqual(await contentsOf(second), []);
  await Promise.all([first.close(), second.close()]);
});

test('a server that is killed and started again is found again, with every append once', real, async () => {
  const server = await RedisServer.start();
  try {
    const name = newName();
    const journal = await openJournal(`${server.url}?leaseMs=60000`, { name });
    let acknowledged = 0;
    const appends = (async () => {
      for (; acknowledged < 400; acknowledged++) await journal.append([record(String(acknowledged))]);
    })();
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await server.kill();
      await server.start();
    }
    await appends;
    await journal.close();
    const again = await openJournal(server.url, { name });
    const wanted = Array.from({ length: 400 }, (_, index) => String(index));
    assert.deepEqual(await contentsOf(again), wanted);
    await again.close();
  } finally {
    await server.remove();
  }
});

test('a server that does not answer for a while is waited for', real, async () => {
  const server = await RedisServer.start();
  try {
    const name = newName();
    const journal = await openJournal(`${server.url}?leaseMs=60000`, { name });
    server.signal('SIGSTOP');
    const append = journal.append([record('patience')]);
    // Longer than a command is waited for.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    server.signal('SIGCONT');
    await append;
    await journal.append([record('more')]);
    await journal.close();
    const again = await openJournal(server.url, { name });
    assert.deepEqual(await contentsOf(again), ['patience', 'more']);
    await again.close();
  } finally {
    await server.remove();
  }
});

test('a write whose answer is lost is made once, whatever kind it is', real, async () => {
  const proxy = await CuttingProxy.start(shared!.port);
  const name = newName();
  const url = `redis://127.0.0.1:${proxy.port}?leaseMs=60000`;
  try {
    proxy.cutAfter('SET', 2);
    const first = await openJournal(url, { name });
    proxy.cutAfter('RPUSH', 3);
    for (let number = 0; number < 5; number++) await first.append([record(String(number))]);
    proxy.cutAfter('UNLINK', 2);
    await first.rewrite([record('sum')]);
    proxy.cutAfter('RPUSH', 1);
    await first.append([record('after')]);
    proxy.cutAfter('DEL', 1);
    await first.close();
    assert.ok(proxy.cuts >= 8, `${proxy.cuts} answers were lost`);
    const again = await openJournal(url, { name });
    assert.deepEqual(await contentsOf(again), ['sum', 'after']);
    await again.close();
  } finally {
    await proxy.close();
  }
});

test('a server that forgot what it had confirmed is not trusted any longer', real, async () => {
  const server = await RedisServer.start();
  try {
    const journal = await openJournal(`${server.url}?leaseMs=60000`, { name: newName() });
    await journal.append([record('kept?')]);
    await server.command('FLUSHALL');
    const lost = { code: 'journal-failed', message: /has lost writes that it had confirmed/ };
    await assert.rejects(journal.append([record('next')]), lost);
    await assert.rejects(journal.append([record('any')]), lost);
    assert.equal((await journal.lost).code, 'journal-failed');
    await journal.close();
  } finally {
    await server.remove();
  }
});

test('a damaged block is an error that names it', real, async () => {
  const name = newName();
  const first = await openJournal(shared!.url, { name });
  for (let number = 0; number < 3; number++) await first.append([record(String(number))]);
  await first.close();
  await shared!.command('LSET', `asperitas:{${name}}:log:0`, '1', 'garbled');
  const again = await openJournal(shared!.url, { name });
  await assert.rejects(contentsOf(again), { code: 'journal-damaged', message: /block 2 of .*:log:0/ });
  await again.close();
});

test('keys that belong to something else are left alone', real, async () => {
  const name = newName();
  await shared!.command('SET', `asperitas:{${name}}:head`, 'text');
  await assert.rejects(openJournal(shared!.url, { name }), {
    code: 'journal-failed',
    message: /keys of this cluster name hold something else/,
  });
});

test('no server, a wrong URL: one line each, without the password', async () => {
  const port = await freePort();
  const url = `redis://reader:hush-hush@127.0.0.1:${port}`;
  await assert.rejects(openJournal(url, { name: 'x' }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'journal-unreachable');
    assert.match(error.message, new RegExp(`^redis://127.0.0.1:${port}/0 can't be reached: .*ECONNREFUSED`));
    assert.doesNotMatch(inspect(error, { depth: 9 }), /hush/);
    return true;
  });
  for (const wrong of ['/database', '?leaseMs=1', '?lease=4s', '?leaseMs=soon']) {
    await assert.rejects(openJournal(url + wrong, { name: 'x' }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'unknown-journal');
      assert.doesNotMatch(inspect(error, { depth: 9 }), /hush/);
      return true;
    });
  }
});

test('a password is wanted, wrong or right; it is never repeated', real, async () => {
  const server = await RedisServer.start('--requirepass', 'hush-hush');
  try {
    const name = newName();
    await assert.rejects(openJournal(server.url, { name }), {
      code: 'journal-failed',
      message: /\/0 refuses: it wants a password: set ASPERITAS_REDIS_PASSWORD, or write it into the URL$/,
    });
    await assert.rejects(
      openJournal(server.url.replace('//', '//:hush-wrong@'), { name }),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'journal-failed');
        assert.match(error.message, /does not take the user or the password/);
        assert.doesNotMatch(inspect(error, { depth: 9 }), /hush/);
        return true;
      },
    );
    await (await openJournal(server.url.replace('//', '//:hush-hush@'), { name })).close();
    await (await openJournal(server.url, { name, password: 'hush-hush' })).close();
  } finally {
    await server.remove();
  }
});

test('a server that may forget is warned of', real, async () => {
  const server = await RedisServer.start(
    '--appendonly',
    'no',
    '--maxmemory',
    '100mb',
    '--maxmemory-policy',
    'allkeys-lru',
  );
  try {
    const said: string[] = [];
    const name = newName();
    const log = (line: string): void => void said.push(line);
    await (await openJournal(server.url, { name, log })).close();
    assert.match(
      said.join('\n'),
      /may throw the journal away when memory is short: set maxmemory-policy noeviction\n/,
    );
    assert.match(said.join('\n'), /forgets the journal when it ends: set appendonly yes/);
    await server.command('CONFIG', 'SET', 'appendonly', 'yes');
    await server.command('CONFIG', 'SET', 'appendfsync', 'everysec');
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    said.length = 0;
    await (await openJournal(server.url, { name, log })).close();
    assert.match(said.join('\n'), /^\S+ may lose a second if its machine fails \(appendfsync everysec\).*$/);
  } finally {
    await server.remove();
  }
});

test('a server whose memory is full is said, and the lease is kept', real, async () => {
  const server = await RedisServer.start('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction');
  try {
    const journal = await openJournal(`${server.url}?leaseMs=60000`, { name: newName() });
    const fill = async (): Promise<void> => {
      for (;;) await journal.append([new Uint8Array(200_000)]);
    };
    await assert.rejects(fill(), { code: 'journal-failed', message: /its memory is full \(maxmemory\)/ });
    await journal.close();
  } finally {
    await server.remove();
  }
});
