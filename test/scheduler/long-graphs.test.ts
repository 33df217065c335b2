/** A chain and a fan-in of 100,000 tasks, from the client's call to the value, over a real cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, startScheduler, task } from '../../scheduler/index.ts';
import { eventually, token } from '../support/small-cluster.ts';
import { SmallNode } from '../support/small-node.ts';

const length = 100_000;
const inc = task('long.inc', (_, value: number) => value + 1);
const sum = task('long.sum', (_, values: readonly number[]) => values.reduce((a, b) => a + b, 0));

test('a chain, fused and not, and a fan-in come to their values and leave nothing', async (t) => {
  // Without the check of invariants, which looks at every task after every turn.
  const scheduler = await startScheduler({ token });
  const node = await SmallNode.start({ url: scheduler.url, token, name: 'a1', threads: 4 });
  const fusing = await connect(scheduler.url, { token });
  const plain = await connect(scheduler.url, { token, fuse: false });
  t.after(async () => {
    await fusing.close();
    await plain.close();
    await node.die();
    await scheduler.close();
  });
  let chain = inc(0);
  for (let step = 1; step < length; step++) chain = inc(chain);
  assert.equal(await fusing.compute(chain), length);
  assert.equal(node.counts.get('long.inc'), undefined);
  // One run after the other, each with a word to the scheduler and back: a part of the chain will do.
  let part = inc(0.5);
  for (let step = 1; step < length / 20; step++) part = inc(part);
  assert.equal(await plain.compute(part), length / 20 + 0.5);
  assert.equal(node.counts.get('long.inc'), length / 20);
  const wide = sum(Array.from({ length }, (_, index) => inc(-index)));
  assert.equal(await fusing.compute(wide), length - (length * (length - 1)) / 2);
  await eventually(async () => {
    const { tasks } = await plain.status();
    return node.data.size === 0 && Object.values(tasks).every((count) => count === 0);
  }, 'nothing is left');
});
