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
