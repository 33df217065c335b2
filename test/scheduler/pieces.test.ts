/** Graphs that are submitted in several messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientId, taskKey } from '../../runtime/index.ts';
import { limits } from '../../scheduler/limits.ts';
import { me, spec, World } from './world.ts';

test('a graph may come in pieces: nothing of it is forgotten, or run, before the last', () => {
  const world = new World();
  world.join('a1');
  const first = { type: 'submit', tasks: [spec('x'), spec('unused')], wants: [], more: true } as const;
  assert.deepEqual(world.client(first), []);
  // Another client gives up the same task meanwhile.
  const other = clientId('other');
  world.client({ type: 'submit', tasks: [spec('x')], wants: [taskKey('x')] }, other);
  assert.deepEqual(world.client({ type: 'release', keys: [taskKey('x')] }, other), ['a1: abort 1']);
  assert.deepEqual(world.submit([spec('y', ['x'])], 'y'), ['a1: compute x']);
  assert.equal(world.state.tasks.has(taskKey('unused')), false);
  assert.deepEqual(world.done('x'), ['a1: compute y']);
});

test('the pieces of a client that goes and stays away are forgotten', () => {
  const world = new World();
  world.client({ type: 'submit', tasks: [spec('x')], wants: [], more: true });
  world.tell({ type: 'client-lost', client: me });
  world.pass(limits.clientGraceMs / 1000 + 1);
  assert.equal(world.state.tasks.size, 0);
});
