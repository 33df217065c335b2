/** The scheduler as a real process that is killed while nodes and a client are busy, and started again with
 * its journal: nothing is lost, nothing that is held or running is done over. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MortalScheduler } from '../../bench/support/mortal-scheduler.ts';
import { noted } from '../../bench/support/recovery-tasks.ts';
import { connect } from '../../scheduler/index.ts';
import { temporaryFolder } from '../support/peers.ts';
import { eventually } from '../support/small-cluster.ts';

/** How often each task has run. */
function runsIn(file: string): Map<string, number> {
  const runs = new Map<string, number>();
  for (const name of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    runs.set(name, (runs.get(name) ?? 0) + 1);
  }
  return runs;
}

test('killed three times under load, the scheduler loses nothing and nothing is done over', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'runs');
  writeFileSync(file, '');
  const cluster = await MortalScheduler.start(folder, ['n1', 'n2']);
  t.after(() => cluster.end());
  const client = await connect(cluster.url, { token: cluster.token, fuse: false });
  t.after(() => client.close());
  const run = (name: string, ms: number, inputs: readonly unknown[] = []) =>
    noted({ file, name, ms }, inputs as never);

  const held = await client.persist([run('held-1', 1), run('held-2', 1)]);
  // Runs through all three deaths.
  const long = client.compute(run('long', 12_000));
  await eventually(() => runsIn(file).has('long'), 'the long task runs');
  const chains = Array.from({ length: 8 }, (_, chain) => {
    let last = run(`chain-${chain}.0`, 100, [held[chain % 2]]);
    for (let step = 1; step < 6; step++) last = run(`chain-${chain}.${step}`, 100, [last]);
    return last;
  });
  const results = client.compute(chains);
  for (let death = 0; death < 3; death++) {
    await sleep(300);
    await cluster.killScheduler();
    await cluster.startScheduler();
    const before = runsIn(file).size;
    await eventually(() => runsIn(file).size > before || runsIn(file).size === 51, 'work goes on');
  }
  assert.deepEqual(
    await results,
    chains.map(() => 7),
  );
  assert.equal(await long, 1);
  assert.deepEqual(await client.compute(held), [1, 1], 'futures are as good as before');
  const again = [...runsIn(file)].filter(([, count]) => count > 1);
  assert.deepEqual(again, []);
});

test('what a client asked for while there was no scheduler is done when one is there', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'runs');
  writeFileSync(file, '');
  const cluster = await MortalScheduler.start(folder, ['n1']);
  t.after(() => cluster.end());
  const client = await connect(cluster.url, { token: cluster.token });
  t.after(() => client.close());
  const [future] = await client.persist([noted({ file, name: 'first', ms: 1 }, [])]);
  await cluster.killScheduler();
  const later = client.compute(noted({ file, name: 'later', ms: 1 }, [future!]));
  await cluster.startScheduler();
  assert.equal(await later, 2);
  assert.deepEqual(
    [...runsIn(file)],
    [
      ['first', 1],
      ['later', 1],
    ],
  );
});

test('scattered data outlive the scheduler; others are brought when one is there again', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'runs');
  writeFileSync(file, '');
  const cluster = await MortalScheduler.start(folder, ['n1']);
  t.after(() => cluster.end());
  const client = await connect(cluster.url, { token: cluster.token });
  t.after(() => client.close());
  const array = new Float64Array(100_000).fill(3);
  const [one, large] = await client.scatterAll<unknown>([1, array]);
  await cluster.killScheduler();
  const later = client.scatter(41);
  await cluster.startScheduler();
  assert.equal(await client.compute(noted({ file, name: 'user', ms: 1 }, [one] as never)), 2);
  assert.deepEqual(await large!.result(), array);
  assert.equal(await (await later).result(), 41);
  client.release([one, large, await later]);
  await eventually(async () => {
    const { tasks, nodes } = await client.status();
    return Object.values(tasks).every((count) => count === 0) && nodes[0]!.storedBytes === 0;
  }, 'nothing is left');
});
