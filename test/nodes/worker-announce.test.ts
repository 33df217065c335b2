/** What a worker does without its scheduler, and what it tells the next one: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskKey } from '../../runtime/index.ts';
import { WorkerWorld } from './worker-world.ts';

function assertEmpty({ state }: WorkerWorld): void {
  assert.deepEqual([state.runs.size, state.data.size, state.made.size, state.outbox.length], [0, 0, 0, 0]);
}

test('what was given to a node goes on without the scheduler, and is announced to the next', () => {
  const world = new WorkerWorld();
  world.make(1, 'x');
  world.compute(2, 'y');
  world.compute(3, 'z', { w: ['b1'] });
  assert.deepEqual(world.lose(), []);
  assert.deepEqual(world.compute(4, 'v'), [], 'nothing is heard without a welcome');
  assert.deepEqual(world.fetched('w', 'b1'), []);
  const told = ['-> replica-added x', '-> replica-added w', '-> runs 2', '-> has 3', '-> announced'];
  assert.deepEqual(world.welcome(2), told);
  assert.deepEqual(world.abort(3), [], 'the new scheduler does not want it');
  assert.deepEqual(world.done(2), ['keep y of 2', '-> run-done 2']);
});

test('how runs ended without a scheduler is told to the next, which may have done them over', () => {
  const world = new WorkerWorld({ threads: 2 });
  world.compute(1, 'x');
  world.compute(2, 'y');
  world.lose();
  assert.deepEqual(world.tell({ type: 'ticked', storedBytes: 1, rssBytes: 2 }), []);
  assert.deepEqual(world.done(1), ['keep x of 1']);
  assert.deepEqual(world.threw(2), []);
  const told = ['-> runs 1', '-> run-done 1', '-> runs 2', '-> run-failed 2: boom', '-> announced'];
  assert.deepEqual(world.welcome(2), told);
  assert.deepEqual(world.abort(1), ['-> replica-lost x', 'forget x']);
  assertEmpty(world);
});

test('a result that was lost again before the next scheduler came is not told of', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  world.lose();
  world.done(1);
  world.tell({ type: 'datum-lost', key: taskKey('x') });
  assert.deepEqual(world.welcome(2), ['-> announced']);
  assertEmpty(world);
});

test('a run that is being stopped is not announced, and its result goes', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  world.abort(1);
  world.lose();
  assert.deepEqual(world.welcome(2), ['-> announced']);
  assert.deepEqual(world.done(1), ['discard 1']);
  assertEmpty(world);
});

test('a run that can get its inputs nowhere while the scheduler is away is given up', () => {
  const world = new WorkerWorld();
  world.compute(1, 'z', { w: ['b1'] });
  world.lose();
  assert.deepEqual(world.missed('w', 'b1'), []);
  assert.deepEqual(world.welcome(2), ['-> announced']);
  assertEmpty(world);
});

test('a scheduler that was replaced is not worked for again (d#6263: messages of an older life)', () => {
  const world = new WorkerWorld();
  world.welcome(7);
  world.lose();
  assert.deepEqual(world.welcome(6), ['hang up: a scheduler of epoch 6 came after one of epoch 7']);
  assert.deepEqual(world.compute(1, 'x'), []);
  assert.deepEqual(world.drop('x'), []);
  world.lose();
  assert.deepEqual(world.welcome(7), ['-> announced']);
});
