/** Actors and graphs of tasks together: an actor's answer as an input, an actor asked by a task's body. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LocalCluster } from '../../nodes/index.ts';
import { answerOf } from '../../scheduler/index.ts';
import { addAll, triple } from '../support/actor-tasks.ts';
import { Counter } from '../support/test-actors.ts';

let cluster: LocalCluster;
before(async () => {
  const modules = [new URL('../support/actor-tasks.js', import.meta.url).href];
  cluster = await LocalCluster.start({ sites: { a: { nodes: 2, threads: 1 } }, modules });
});
after(() => cluster.close());

test('an actor that is passed to a task is asked by its body', async () => {
  const counter = await cluster.spawn(Counter, { start: 10 });
  assert.deepEqual(await cluster.compute(addAll(counter, [1, 2, 3])), [11, 13, 16]);
  assert.equal(await counter.ask('add', { by: 0 }), 16, 'it is the same one');
  await counter.stop();
});

test('an answer is an input of tasks, and may itself be made from the results of tasks', async () => {
  const counter = await cluster.spawn(Counter, { start: 1 });
  const answer = answerOf(counter, 'add', { by: triple(2) });
  assert.equal(await cluster.compute(triple(answer)), 21);
  assert.deepEqual(
    await cluster.compute([answerOf(counter, 'add', { by: 0 }), answerOf(counter, 'add', { by: 0 })]),
    [7, 7],
    'each asking is one of its own',
  );
  await counter.stop();
});

test('what the handler throws fails the task', async () => {
  const counter = await cluster.spawn(Counter, { start: 0 });
  await assert.rejects(cluster.compute(triple(answerOf(counter, 'fail', { code: 'E_TEST' }))), {
    message: /E_TEST/,
  });
  await counter.stop();
  await assert.rejects(cluster.compute(answerOf(counter, 'add', { by: 1 })), { code: 'no-such-actor' });
});
