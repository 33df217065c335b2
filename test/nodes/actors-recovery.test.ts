/** Actors outlive their scheduler: nodes announce them to the next one, which takes them over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeToken } from '../../nodes/config.ts';
import { startOwned } from '../../nodes/owned-process.ts';
import { connect } from '../../scheduler/index.ts';
import { eventually } from '../support/small-cluster.ts';
import { Counter } from '../support/test-actors.ts';

const module = new URL('../support/test-actors.js', import.meta.url).href;

test('an actor goes on while its scheduler is killed, and is found by name at the next one', async (t) => {
  const token = makeToken();
  const owned = { token, signal: undefined };
  const first = await startOwned(['scheduler', '--port', '0'], owned);
  t.after(() => first.kill());
  const words = ['node', '--scheduler', first.url, '--site', 'a', '--name', 'a1', '--threads', '1'];
  const node = await startOwned([...words, '--memory', '64MiB', '--modules', module], owned);
  t.after(() => node.kill());
  const before = await connect(first.url, { token });
  t.after(() => before.close());
  const counter = await before.spawn(Counter, { start: 3 }, { name: 'survivor', detached: true });
  assert.equal(await counter.ask('add', { by: 4 }), 7);

  await first.kill();
  const second = await startOwned(['scheduler', '--port', new URL(first.url).port], owned);
  t.after(() => second.kill());
  const after = await connect(second.url, { token });
  t.after(() => after.close());
  let found = await after.actor(Counter, 'survivor').catch(() => undefined);
  await eventually(async () => {
    found ??= await after.actor(Counter, 'survivor').catch(() => undefined);
    return found !== undefined;
  }, 'the node has announced the actor');
  assert.equal(await found!.ask('add', { by: 0 }), 7);
  assert.equal((await found!.ask('whoami', {})).incarnation, 1, 'it never stopped');
  await assert.rejects(found!.ask('crash', {}), { code: 'actor-crashed' });
  await eventually(
    async () => (await found!.ask('whoami', {})).incarnation === 2,
    'the new scheduler restarts it',
  );
  await found!.stop();
});
