/** What tasks take and how many may be under way: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskKey } from '../../runtime/index.ts';
import { explain } from '../../scheduler/explain.ts';
import type { Hints } from '../../scheduler/protocol.ts';
import { spec, World } from './world.ts';

function computes(sentences: readonly string[]): string[] {
  return sentences.filter((sentence) => sentence.includes('compute'));
}

/** Seconds pass in which the node shows that it lives. */
function alive(world: World, seconds: number): string[] {
  return Array.from({ length: seconds }, () => {
    world.node('a1', { type: 'heartbeat', storedBytes: 0, rssBytes: 0, running: 0 });
    return world.tick(1000);
  }).flat();
}

function progressOf(world: World) {
  const out = world.feed({ type: 'ticked' });
  for (const instruction of out) {
    if (instruction.type === 'notify' && instruction.message.type === 'progress') return instruction.message;
  }
  return undefined;
}

test('a fraction of a resource is taken, and what is left bounds what is sent', () => {
  const world = new World();
  world.join('a1', { threads: 8, resources: { gpu: 1 } });
  const hints: Hints = { needs: { gpu: 0.4 } };
  const tasks = ['x', 'y', 'z'].map((name) => spec(name, [], hints));
  assert.deepEqual(computes(world.submit(tasks, 'x', 'y', 'z')), ['a1: compute x', 'a1: compute y']);
  assert.deepEqual(computes(world.done('x')), ['a1: compute z']);
});

test('of two ways to run a task the second is taken where the first is not free', () => {
  const world = new World();
  world.join('a1', { threads: 8, resources: { gpu: 1 } });
  const hints: Hints = { needs: { gpu: 1 }, orNeeds: [{ threads: 4 }] };
  const tasks = ['w', 'x', 'y', 'z'].map((name) => spec(name, [], hints));
  const sent = computes(world.submit(tasks, 'w', 'x', 'y', 'z'));
  // The GPU with one thread, and one way of four threads; a second one would make nine.
  assert.deepEqual(sent, ['a1: compute w', 'a1: compute x']);
  assert.deepEqual(world.state.nodes.get(world.runOf('w').node)!.used.get('gpu'), 1);
  assert.deepEqual(computes(world.done('w')), ['a1: compute y']);
});

test('the node is told the one way in which a task is to run', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  const task = spec('x', [], { needs: { gpu: 1 }, orNeeds: [{ threads: 4 }] });
  world.client({ type: 'submit', tasks: [], wants: [] });
  world.feed({
    type: 'from-client',
    client: [...world.state.clients.keys()][0]!,
    message: { type: 'submit', tasks: [task], wants: [taskKey('x')] },
  });
  const out = world.feed({ type: 'drained' });
  const sent = out.flatMap((instruction) =>
    instruction.type === 'send' && instruction.message.type === 'compute' ? [instruction.message.hints] : [],
  );
  assert.deepEqual(sent, [{ needs: { threads: 4 } }]);
});

test('a task of a wanted way waits for no node that never had it if another way is there', () => {
  const world = new World();
  world.join('a1', { threads: 2 });
  const task = spec('x', [], { needs: { gpu: 1 }, orNeeds: [{ threads: 2 }] });
  assert.deepEqual(computes(world.submit([task], 'x')), ['a1: compute x']);
});

test('no more tasks of a group are in flight than its window lets in, results kept among them', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  const hints: Hints = { maxInFlight: { group: 'segments', limit: 2 } };
  const names = ['s1', 's2', 's3', 's4'];
  const sent = world.submit(
    names.map((name) => spec(name, [], hints)),
    ...names,
  );
  assert.deepEqual(computes(sent), ['a1: compute s1', 'a1: compute s2']);
  // Done but held for the client: still in flight.
  assert.deepEqual(computes(world.done('s1')), []);
  assert.match(explain(world.state, taskKey('s3')), /2 tasks of group segments are in flight or held/);
  assert.deepEqual(computes(world.release('s1')), ['a1: compute s3']);
  world.done('s2');
  assert.deepEqual(computes(world.release('s2')), ['a1: compute s4']);
});

test('tasks of no group pass a full window', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  const hints: Hints = { maxInFlight: { group: 'g', limit: 1 } };
  const tasks = [spec('g1', [], hints), spec('g2', [], hints), spec('free')];
  assert.deepEqual(computes(world.submit(tasks, 'g1', 'g2', 'free')), ['a1: compute g1', 'a1: compute free']);
});

test('a chain within a group does not wait for itself', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  const hints: Hints = { maxInFlight: { group: 'g', limit: 1 } };
  world.submit([spec('x', [], hints), spec('y', ['x'], hints)], 'y');
  assert.deepEqual(computes(world.done('x')), ['a1: compute y']);
});

test('a failed task and a cancelled one leave their window', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  const hints: Hints = { maxInFlight: { group: 'g', limit: 1 } };
  world.submit([spec('x', [], hints), spec('y', [], hints), spec('z', [], hints)], 'x', 'y', 'z');
  assert.deepEqual(computes(world.failed('x', 'no luck')), ['a1: compute y']);
  assert.deepEqual(computes(world.client({ type: 'cancel', keys: [taskKey('y')] })), ['a1: compute z']);
});

test('a window smaller than what a task joins does not stop everything', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  const hints: Hints = { maxInFlight: { group: 'g', limit: 1 } };
  const tasks = [spec('x', [], hints), spec('y', [], hints), spec('sum', ['x', 'y'])];
  world.submit(tasks, 'sum');
  assert.deepEqual(computes(world.done('x')), []);
  assert.deepEqual(computes(world.tick(250)), ['a1: compute y']);
  assert.deepEqual(computes(world.done('y')), ['a1: compute sum']);
});

test('a lost node empties its part of a window', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  const hints: Hints = { maxInFlight: { group: 'g', limit: 1 } };
  world.submit([spec('x', [], hints), spec('y', [], hints)], 'x', 'y');
  world.done('x');
  world.lose('a1');
  assert.deepEqual(computes(world.join('b1')), ['b1: compute x']);
  world.done('x');
  assert.deepEqual(computes(world.release('x')), ['b1: compute y']);
});

test('tasks whose memory together exceeds a node are not sent to it at once', () => {
  const world = new World();
  world.join('a1', { threads: 8, memoryBytes: 1e9 });
  const hints: Hints = { memoryBytes: 4e8 };
  const names = ['x', 'y', 'z'];
  const sent = world.submit(
    names.map((name) => spec(name, [], hints)),
    ...names,
  );
  assert.deepEqual(computes(sent), ['a1: compute x', 'a1: compute y']);
  assert.deepEqual(computes(world.done('x')), ['a1: compute z']);
});

test('a task that takes more memory than a node has runs alone; small ones do not pass it for ever', () => {
  const world = new World();
  world.join('a1', { threads: 8, memoryBytes: 1e9 });
  const tasks = [
    spec('small', [], { memoryBytes: 1e8 }),
    spec('huge', [], { memoryBytes: 5e9 }),
    spec('later', [], { memoryBytes: 1e8 }),
  ];
  assert.deepEqual(computes(world.submit(tasks, 'small', 'huge', 'later')), ['a1: compute small']);
  assert.deepEqual(computes(world.done('small')), ['a1: compute huge']);
  assert.deepEqual(computes(world.done('huge')), ['a1: compute later']);
});

test('what a function was seen to take counts for its next runs', () => {
  const world = new World();
  world.join('a1', { threads: 4, memoryBytes: 1e9 });
  world.submit([spec('first')], 'first');
  const { node, run } = world.runOf('first');
  const trace = { ...world.trace('first', node, 1), rssBeforeBytes: 1e8, rssPeakBytes: 7e8 };
  world.node(node, { type: 'run-done', key: taskKey('first'), run, bytes: 8, trace });
  assert.deepEqual(computes(world.submit([spec('x'), spec('y')], 'x', 'y')), ['a1: compute x']);
});

test('a task that asks for what no node ever had fails with no-such-resource', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x', [], { needs: { gpu: 1 } }), spec('y', [], { needs: { threads: 64 } })], 'x', 'y');
  assert.deepEqual(alive(world, 14), []);
  assert.deepEqual(alive(world, 2).sort(), ['failed x: no-such-resource', 'failed y: no-such-resource']);
});

test('a task bound to a site that has lost its nodes waits, and its client is told why', () => {
  const world = new World();
  world.join('a1');
  world.join('b1');
  world.lose('b1');
  world.submit([spec('x', [], { site: 'b' as NonNullable<Hints['site']> })], 'x');
  assert.deepEqual(alive(world, 20), []);
  const stalled = progressOf(world)?.stalled;
  assert.deepEqual(stalled, [{ tasks: 1, reason: 'no node there now has {"threads":1} at site b' }]);
  assert.deepEqual(computes(world.join('b2')), ['b2: compute x']);
  assert.equal(progressOf(world)?.stalled, undefined);
});
