/** Copies that the scheduler orders, and how a node leaves: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId, siteName, taskKey } from '../../runtime/index.ts';
import { WorkerWorld } from './worker-world.ts';

const place = (node: string) => ({
  node: nodeId(node),
  site: siteName(node.replace(/\d+$/, '')),
  url: `ws://${node}`,
});

function copy(world: WorkerWorld, key: string, ...nodes: string[]): string[] {
  const data = [{ key: taskKey(key), bytes: 8, replicas: nodes.map(place) }];
  return world.tell({ type: 'from-scheduler', message: { type: 'copy', data } });
}

test('a copy is fetched though no run needs it, from the next place when one fails, and announced', () => {
  const world = new WorkerWorld();
  assert.deepEqual(copy(world, 'x', 'a2', 'b1'), ['fetch x from a2']);
  assert.deepEqual(world.missed('x', 'a2'), ['fetch x from b1']);
  assert.deepEqual(world.fetched('x', 'b1'), ['-> replica-added x']);
  assert.deepEqual(copy(world, 'x', 'a2'), []);
});

test('a copy that nobody can deliver is given up, and one that is dropped stops coming', () => {
  const world = new WorkerWorld();
  copy(world, 'x', 'a2');
  assert.deepEqual(world.missed('x', 'a2'), []);
  assert.equal(world.state.data.size, 0);
  copy(world, 'y', 'a2');
  const drop = { type: 'drop', keys: [taskKey('y')] } as const;
  assert.deepEqual(world.tell({ type: 'from-scheduler', message: drop }), ['cancel fetch y']);
  assert.equal(world.state.data.size, 0);
});

test('a run that needs what is being copied shares the fetch, and goes without taking it along', () => {
  const world = new WorkerWorld();
  copy(world, 'x', 'a2');
  assert.deepEqual(world.compute(1, 'y', { x: ['a2'] }), []);
  assert.deepEqual(world.abort(1), []);
  assert.deepEqual(world.fetched('x', 'a2'), ['-> replica-added x']);
});

function pushed(world: WorkerWorld, key: string): string[] {
  return world.tell({ type: 'pushed', key: taskKey(key), bytes: 8 });
}

test('what a client brings is announced once, serves runs that wait, and goes when it is dropped', () => {
  const world = new WorkerWorld();
  assert.deepEqual(pushed(world, 'x'), ['-> replica-added x']);
  assert.deepEqual(pushed(world, 'x'), []);
  assert.deepEqual(world.compute(1, 'y', { z: ['a2'] }), ['fetch z from a2']);
  const [cancelled, ...then] = pushed(world, 'z');
  assert.equal(cancelled, 'cancel fetch z');
  assert.deepEqual(then, ['-> replica-added z', 'start 1 z']);
  // What the fetch brings all the same changes nothing.
  assert.deepEqual(world.fetched('z', 'a2'), []);
  const drop = { type: 'drop', keys: [taskKey('x')] } as const;
  assert.deepEqual(world.tell({ type: 'from-scheduler', message: drop }), ['-> replica-lost x', 'forget x']);
  assert.equal(world.state.data.has(taskKey('x')), false);
});
