/** Nodes that are cut off and come back, and the runs of other schedulers: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId, runId, taskKey } from '../../runtime/index.ts';
import { sentence, spec, World } from './world.ts';

/** A node that says what it has when it joins; `pid` tells its lives apart. */
function joins(world: World, name: string, pid = 1): string[] {
  return world.join(name, { announces: true, pid });
}

const announced = (world: World, name: string) => world.node(name, { type: 'announced' });
const cut = (world: World, name: string) =>
  world.tell({ type: 'node-cut', node: nodeId(name), reason: 'its connection broke' });

function holds(world: World, name: string, key: string): string[] {
  return world.node(name, { type: 'replica-added', key: taskKey(key), bytes: 8 });
}

function runs(world: World, name: string, key: string, about: { run: number; started?: boolean }): string[] {
  const { run, started = true } = about;
  return world.node(name, { type: 'run-announced', key: taskKey(key), run: runId(run), started });
}

const phaseOf = (world: World, key: string) => world.state.tasks.get(taskKey(key))?.phase.name;

test('every node is welcomed first, with the epoch of the scheduler', () => {
  const world = new World();
  const info = { role: 'node', node: nodeId('a1'), site: 'a', url: 'ws://a1', threads: 1 } as never;
  const [first] = world.feed({ type: 'node-joined', info: { ...(info as object), resources: {} } as never });
  assert.deepEqual(first, { type: 'send', to: 'a1', message: { type: 'welcome', epoch: 0 } });
  assert.deepEqual(sentence(first!), []);
});

test('a node gets no work before it has said what it has', () => {
  const world = new World();
  assert.deepEqual(joins(world, 'a1'), []);
  assert.deepEqual(world.submit([spec('x')], 'x'), []);
  assert.deepEqual(announced(world, 'a1'), ['a1: compute x']);
});

test('a node that is cut off for a moment keeps its runs and its data', () => {
  const world = new World();
  joins(world, 'a1');
  announced(world, 'a1');
  joins(world, 'a2');
  announced(world, 'a2');
  world.submit([spec('x', [], { near: 'a1' }), spec('y', ['x'])], 'x', 'y');
  world.done('x');
  world.started('y');
  assert.deepEqual(cut(world, 'a1'), []);
  assert.deepEqual(world.submit([spec('z')], 'z'), ['a2: compute z'], 'it gets no new work');
  world.tick(900);
  assert.deepEqual(joins(world, 'a1'), []);
  holds(world, 'a1', 'x');
  runs(world, 'a1', 'y', { run: world.runOf('y').run });
  assert.deepEqual(announced(world, 'a1'), []);
  assert.deepEqual(world.done('y'), ['held y on a1']);
});

test('what a node does not name when it is back is lost, as orders and reports may have been', () => {
  const world = new World();
  joins(world, 'a1');
  announced(world, 'a1');
  world.submit([spec('x'), spec('y', ['x'])], 'x', 'y');
  world.done('x');
  cut(world, 'a1');
  joins(world, 'a1');
  assert.deepEqual(announced(world, 'a1'), ['a1: compute x']);
  assert.equal(phaseOf(world, 'y'), 'waiting');
  assert.equal(world.state.tasks.get(taskKey('y'))!.losses, 0, 'no node has died');
});

test('a node that is away too long is lost; back again, what was done over meanwhile is ended there', () => {
  const world = new World();
  joins(world, 'a1');
  announced(world, 'a1');
  world.submit([spec('x')], 'x');
  const { run } = world.runOf('x');
  cut(world, 'a1');
  joins(world, 'b1');
  announced(world, 'b1');
  assert.deepEqual(world.tick(700), []);
  assert.deepEqual(world.tick(700), ['b1: compute x']);
  joins(world, 'a1');
  assert.deepEqual(runs(world, 'a1', 'x', { run }), [`a1: abort ${run}`]);
  assert.equal(world.runOf('x').node, 'b1');
});

test('a node of the same name but of another life has lost everything, and may be what a task kills', () => {
  const world = new World();
  joins(world, 'a1', 1);
  announced(world, 'a1');
  world.submit([spec('x')], 'x');
  world.started('x');
  cut(world, 'a1');
  joins(world, 'a1', 2);
  assert.equal(world.state.tasks.get(taskKey('x'))!.deaths, 1);
  assert.deepEqual(announced(world, 'a1'), ['a1: compute x']);
});

test('a run that another scheduler gave is adopted, and its inputs are not made for its sake', () => {
  const world = new World();
  world.submit([spec('w'), spec('x', ['w']), spec('y', ['x'])], 'y');
  joins(world, 'a1');
  assert.deepEqual(runs(world, 'a1', 'y', { run: 77 }), []);
  assert.deepEqual(
    ['w', 'x', 'y'].map((key) => phaseOf(world, key)),
    ['released', 'released', 'assigned'],
  );
  assert.deepEqual(announced(world, 'a1'), []);
  assert.deepEqual(world.done('y'), ['held y on a1']);
});

test('the inputs of an adopted run are kept where they lie, in case that it must run again', () => {
  const world = new World();
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  joins(world, 'a1');
  joins(world, 'b1');
  runs(world, 'a1', 'y', { run: 77 });
  assert.deepEqual(holds(world, 'b1', 'x'), []);
  announced(world, 'b1');
  assert.deepEqual(world.lose('a1'), ['b1: compute y']);
});

test('a run that has not begun still needs its inputs', () => {
  const world = new World();
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  joins(world, 'a1');
  runs(world, 'a1', 'y', { run: 77, started: false });
  joins(world, 'b1');
  assert.deepEqual(announced(world, 'b1'), ['b1: compute x']);
});

test('of two runs of one task one is adopted, and one of a task that nobody wants is ended', () => {
  const world = new World();
  world.submit([spec('x')], 'x');
  joins(world, 'a1');
  joins(world, 'b1');
  assert.deepEqual(runs(world, 'a1', 'x', { run: 70 }), []);
  assert.deepEqual(runs(world, 'b1', 'x', { run: 71 }), ['b1: abort 71']);
  assert.deepEqual(runs(world, 'b1', 'other', { run: 72 }), ['b1: abort 72']);
});

test('a run that takes more of a resource than is left is not adopted', () => {
  const world = new World();
  const gpu = { needs: { gpu: 1 } };
  world.submit([spec('x', [], gpu), spec('y', [], gpu)], 'x', 'y');
  world.join('a1', { announces: true, resources: { gpu: 1 } });
  assert.deepEqual(runs(world, 'a1', 'x', { run: 70 }), []);
  assert.deepEqual(runs(world, 'a1', 'y', { run: 71 }), ['a1: abort 71']);
});

test('a node that was told to leave and is cut off ends on its own: nobody waits for it', () => {
  const world = new World();
  joins(world, 'a1');
  announced(world, 'a1');
  joins(world, 'b1');
  announced(world, 'b1');
  world.submit([spec('x', [], { near: 'a1' })], 'x');
  world.node('a1', { type: 'retiring' });
  assert.deepEqual(cut(world, 'a1'), ['b1: compute x']);
});

test('an announcement that is repeated after its run has failed does not bring the run back', () => {
  for (const over of [false, true]) {
    const world = new World();
    world.submit([spec('x', [], { retries: 1 })], 'x');
    joins(world, 'a1');
    runs(world, 'a1', 'x', { run: 7 });
    assert.equal(phaseOf(world, 'x'), 'assigned');
    if (over) announced(world, 'a1');
    world.failed('x', 'once');
    assert.deepEqual(runs(world, 'a1', 'x', { run: 7 }), []);
    if (!over) announced(world, 'a1');
    assert.notEqual(world.runOf('x').run, 7);
  }
});
