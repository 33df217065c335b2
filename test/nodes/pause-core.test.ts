/** What a worker does about runs that wait for tasks of their own: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runId } from '../../runtime/index.ts';
import { WorkerWorld } from './worker-world.ts';

const paused = (run: number, paused = true) => ({ type: 'run-paused', run: runId(run), paused }) as const;

test('a run that waits gives its thread to the next, and takes none from it when it goes on', () => {
  const world = new WorkerWorld();
  assert.deepEqual(world.compute(1, 'x'), ['start 1']);
  assert.deepEqual(world.compute(2, 'y'), []);
  assert.deepEqual(world.tell(paused(1)), ['-> run-paused 1', 'start 2']);
  assert.deepEqual(world.tell(paused(1)), []);
  assert.deepEqual(world.compute(3, 'z'), []);
  assert.deepEqual(world.tell(paused(1, false)), ['-> run-resumed 1']);
  // Two are at work on one thread: the third waits for both.
  assert.deepEqual(world.done(2), ['keep y of 2', '-> run-done 2']);
  assert.deepEqual(world.done(1), ['keep x of 1', '-> run-done 1', 'start 3']);
});

test('a run that waits keeps what is not a thread', () => {
  const world = new WorkerWorld({ threads: 2, resources: { licence: 1 } });
  const hints = { needs: { licence: 1 } };
  world.compute(1, 'x', {}, { hints });
  assert.deepEqual(world.compute(2, 'y', {}, { hints }), []);
  assert.deepEqual(world.tell(paused(1)), ['-> run-paused 1']);
  assert.deepEqual(world.compute(3, 'z'), ['start 3']);
  world.done(3);
  assert.deepEqual(world.done(1), ['keep x of 1', '-> run-done 1', 'start 2']);
  world.done(2);
  assert.deepEqual([...world.state.used.values()], [0, 0]);
});

test('a run that is aborted while it waits ends without a word, and its thread stays free', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  world.tell(paused(1));
  assert.deepEqual(world.abort(1), ['stop 1']);
  assert.deepEqual(world.tell(paused(1, false)), []);
  assert.deepEqual(world.threw(1), []);
  assert.deepEqual([world.state.occupied, world.state.paused], [0, 0]);
  assert.deepEqual(world.compute(2, 'y'), ['start 2']);
});

test('a word about a run that has ended comes too late', () => {
  const world = new WorkerWorld();
  world.make(1, 'x');
  assert.deepEqual(world.tell(paused(1)), []);
});

test('a scheduler that the node comes back to is told who waits', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  world.tell({ type: 'scheduler-lost' });
  world.tell(paused(1));
  assert.deepEqual(world.welcome(2).slice(0, 2), ['-> runs 1', '-> run-paused 1']);
});
