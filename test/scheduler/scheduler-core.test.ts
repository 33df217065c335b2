/** What the scheduler does about each event: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientId, nodeId, runId, siteName, taskKey } from '../../runtime/index.ts';
import { explain, story } from '../../scheduler/explain.ts';
import { limits } from '../../scheduler/limits.ts';
import { replay } from '../../scheduler/replay.ts';
import { me, spec, World } from './world.ts';

const empty = (world: World): void => {
  assert.equal(world.state.tasks.size, 0);
  for (const node of world.state.nodes.values()) assert.equal(node.assigned.size + node.held.size, 0);
};

test('a task is sent to a node, its result told and kept until it is released', () => {
  const world = new World();
  world.join('a1');
  assert.deepEqual(world.submit([spec('x')], 'x'), ['a1: compute x']);
  assert.deepEqual(world.done('x'), ['held x on a1']);
  assert.deepEqual(world.release('x'), ['a1: drop x']);
  empty(world);
});

test('a task starts when its inputs are held, and they are dropped when their last user is done', () => {
  const world = new World();
  world.join('a1');
  assert.deepEqual(world.submit([spec('x'), spec('y', ['x'])], 'y'), ['a1: compute x']);
  assert.deepEqual(world.done('x'), ['a1: compute y']);
  assert.deepEqual(world.done('y'), ['held y on a1', 'a1: drop x']);
  world.release('y');
  empty(world);
});

test('what nobody wants is never run', () => {
  const world = new World();
  world.join('a1');
  assert.deepEqual(world.submit([spec('x'), spec('y')], 'y'), ['a1: compute y']);
  assert.equal(world.state.tasks.size, 1);
});

test('two clients share one run of equal tasks, and it is kept for the second', () => {
  const world = new World();
  const other = clientId('other');
  world.join('a1');
  world.submit([spec('x')], 'x');
  assert.deepEqual(world.client({ type: 'submit', tasks: [spec('x')], wants: [taskKey('x')] }, other), []);
  assert.deepEqual(world.done('x'), ['held x on a1', 'held x on a1']);
  assert.deepEqual(world.release('x'), []);
  assert.deepEqual(world.client({ type: 'release', keys: [taskKey('x')] }, other), ['a1: drop x']);
});

test('a task that throws is run again as often as its hint allows, then fails with its own error', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x', [], { retries: 1 })], 'x');
  assert.deepEqual(world.failed('x', 'boom'), ['a1: compute x']);
  assert.deepEqual(world.failed('x', 'boom again'), ['failed x: boom again']);
});

test('an error that no attempt can mend is not retried', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x', [], { retries: 5 })], 'x');
  assert.deepEqual(world.failed('x', 'unknown function', false), ['failed x: unknown function']);
});

test('a failure ends all that wait for it, naming the culprit, and nothing else', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x']), spec('z', ['y']), spec('w')], 'z', 'w');
  assert.deepEqual(world.failed('x', 'boom'), ['failed z: boom by x', 'a1: compute w']);
  world.done('w');
  world.release('z', 'w');
  empty(world);
});

test('a failed task that is submitted again is run again', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  world.failed('x', 'boom');
  assert.deepEqual(world.submit([spec('x'), spec('y', ['x'])], 'y'), ['a1: compute x']);
});

test('the run of a dead node is done elsewhere, under a new run id', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  const { run } = world.runOf('x');
  world.join('a2');
  assert.deepEqual(world.lose('a1'), ['a2: compute x']);
  assert.notEqual(world.runOf('x').run, run);
});

test('a task that was alone on three nodes as they died is failed though it was never heard to start', () => {
  const world = new World();
  world.submit([spec('x')], 'x');
  for (const name of ['a1', 'a2', 'a3']) {
    assert.deepEqual(world.join(name), [`${name}: compute x`]);
    assert.deepEqual(world.lose(name), name === 'a3' ? ['failed x: task-killed-nodes'] : []);
  }
});

test('a task that was running on three nodes when they died is failed by name', () => {
  const world = new World();
  world.submit([spec('x', [], { retries: 9 })], 'x');
  for (const name of ['a1', 'a2', 'a3']) {
    assert.deepEqual(world.join(name), [`${name}: compute x`]);
    world.started('x');
    assert.deepEqual(world.lose(name), name === 'a3' ? ['failed x: task-killed-nodes'] : []);
  }
});

test('a task that was made between the deaths of three nodes is not taken for their killer', () => {
  const world = new World();
  world.submit([spec('x')], 'x');
  for (const name of ['a1', 'a2', 'a3', 'a4']) {
    world.join(name);
    world.started('x');
    if (name === 'a2') world.done('x');
    world.lose(name);
  }
  assert.equal(world.state.counts.failed, 0);
});

test('lost data are made again from their lineage when somebody still needs them', () => {
  const world = new World();
  world.join('a1', { threads: 2 });
  world.submit([spec('x'), spec('y', ['x']), spec('z', ['y'])], 'z', 'y');
  world.done('x');
  world.done('y');
  world.join('b1');
  assert.deepEqual(world.lose('a1'), ['b1: compute x']);
  assert.deepEqual(world.done('x'), ['b1: compute y']);
  assert.deepEqual(world.done('y'), ['held y on b1', 'b1: drop x', 'b1: compute z']);
});

test('lost data that nobody needs any more are not made again', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  world.done('x');
  world.done('y');
  world.join('b1');
  assert.deepEqual(world.lose('a1'), ['b1: compute x']);
  world.release('y');
  empty(world);
});

test('a copy on another node stands in for a lost one', () => {
  const world = new World();
  world.join('a1');
  world.join('b1');
  world.submit([spec('x')], 'x');
  const { node } = world.runOf('x');
  const other = node === 'a1' ? 'b1' : 'a1';
  world.done('x');
  world.node(other, { type: 'replica-added', key: taskKey('x'), bytes: 8 });
  assert.deepEqual(world.lose(node), []);
  assert.deepEqual(world.client({ type: 'unfetched', key: taskKey('x'), node, reason: 'unreachable' }), [
    `held x on ${other}`,
  ]);
});

test('a report of a run that no longer counts changes nothing', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  const trace = world.trace('x', nodeId('a1'), 1);
  const late = { type: 'run-done', key: taskKey('x'), run: runId(77), bytes: 1, trace } as const;
  assert.deepEqual(world.node('a1', late), []);
  assert.equal(world.state.counts.assigned, 1);
});

test('releasing an unfinished task aborts its run, and its late report is dropped', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  const { run } = world.runOf('x');
  assert.deepEqual(world.release('x'), [`a1: abort ${run}`]);
  const trace = { ...world.trace('x', nodeId('a1'), 1) };
  assert.deepEqual(world.node('a1', { type: 'run-done', key: taskKey('x'), run, bytes: 1, trace }), []);
  empty(world);
});

test('cancelling tells the client, and changes nothing about a finished task', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y')], 'x', 'y');
  world.done('x');
  const { run } = world.runOf('y');
  const told = world.client({ type: 'cancel', keys: [taskKey('x'), taskKey('y')] });
  assert.deepEqual(told, ['failed y: cancelled', `a1: abort ${run}`]);
  assert.equal(world.state.counts.held, 1);
});

test('inputs that their holder no longer has are made again before their user', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  world.done('x');
  const { run } = world.runOf('y');
  const inputs = [{ key: taskKey('x'), node: nodeId('a1'), reason: 'absent' as const }];
  const told = world.node('a1', { type: 'inputs-missing', key: taskKey('y'), run, inputs });
  assert.deepEqual(told, ['a1: drop x', 'a1: compute x']);
});

test('a holder that can not be reached is tried again before its data are taken for lost', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  world.done('x');
  const report = () =>
    world.node('a1', {
      type: 'inputs-missing',
      key: taskKey('y'),
      run: world.runOf('y').run,
      inputs: [{ key: taskKey('x'), node: nodeId('a1'), reason: 'unreachable' }],
    });
  for (let attempt = 0; attempt < limits.unreachableTries; attempt++) {
    assert.deepEqual(report(), ['a1: compute y']);
  }
  assert.deepEqual(report(), ['a1: drop x', 'a1: compute x']);
});

test('a task moves to a node that can reach all its inputs rather than try in vain for ever', () => {
  const world = new World();
  world.join('a1');
  world.join('b1');
  const [big, small] = [spec('big', [], { site: siteName('a') }), spec('small', [], { site: siteName('b') })];
  world.submit([big, small, spec('y', ['big', 'small'])], 'y');
  world.done('big', 5e6);
  assert.deepEqual(world.done('small', 8), ['a1: compute y']);
  const inputs = [{ key: taskKey('small'), node: nodeId('b1'), reason: 'unreachable' as const }];
  const missing = { type: 'inputs-missing', key: taskKey('y'), run: world.runOf('y').run, inputs } as const;
  assert.deepEqual(world.node('a1', missing), ['b1: compute y']);
});

test('a node that is silent too long is given up, but not after the scheduler itself slept', () => {
  const world = new World();
  world.join('a1');
  world.tick(1000);
  assert.deepEqual(world.tick(60_000), []);
  for (let second = 0; second < 10; second++) assert.deepEqual(world.tick(1000), []);
  assert.deepEqual(world.tick(1000), ['disconnect a1']);
});

test('neither gone clients nor missing sites are given up right after the scheduler itself slept', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', [], { site: siteName('b') })], 'x', 'y');
  world.done('x');
  world.tick(1000);
  world.tell({ type: 'client-lost', client: me });
  assert.deepEqual(world.tick(60_000), []);
  world.tell({ type: 'client-joined', client: me });
  assert.deepEqual(world.join('b1'), ['b1: compute y']);
});

test('a node that joins again under its name begins a new life', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  const { run } = world.runOf('x');
  assert.deepEqual(world.join('a1'), ['a1: compute x']);
  assert.notEqual(world.runOf('x').run, run);
});

test('what a gone client wanted is released after a grace', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  world.done('x');
  world.tell({ type: 'client-lost', client: me });
  assert.deepEqual(world.tick(1000), []);
  world.node('a1', { type: 'heartbeat', storedBytes: 0, rssBytes: 0, running: 0 });
  assert.deepEqual(world.pass(limits.clientGraceMs / 1000), ['a1: drop x']);
  empty(world);
});

test('a copy that turns up on the node that is making it anew is used, and so is known there', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  const { run } = world.runOf('x');
  const added = { type: 'replica-added', key: taskKey('x'), bytes: 8 } as const;
  assert.deepEqual(world.node('a1', added), [`a1: abort ${run}`, 'held x on a1']);
  assert.deepEqual(world.release('x'), ['a1: drop x']);
  empty(world);
});

test('a site that is missing is waited for anew for a task that comes after the last one has gone', () => {
  const world = new World();
  const bound = spec('x', [], { site: siteName('b') });
  const seconds = limits.noSuchSiteMs / 1000;
  world.submit([bound], 'x');
  world.release('x');
  world.pass(seconds);
  world.submit([bound], 'x');
  assert.deepEqual(world.pass(seconds - 1), []);
  assert.deepEqual(world.pass(1), ['failed x: no-such-site']);
});

test('what a client left to another is not counted in its progress when it comes anew', () => {
  const world = new World();
  const other = clientId('other');
  world.join('a1');
  world.submit([spec('x')], 'x');
  world.client({ type: 'submit', tasks: [spec('x')], wants: [taskKey('x')] }, other);
  world.tell({ type: 'client-lost', client: me });
  world.pass(limits.clientGraceMs / 1000 + 1);
  world.tell({ type: 'client-joined', client: me });
  world.done('x');
  const { done, total } = world.state.clients.get(me)!;
  assert.deepEqual({ done, total }, { done: 0, total: 0 });
});

test('a task with an input that is not known fails at once', () => {
  const world = new World();
  world.join('a1');
  assert.deepEqual(world.submit([spec('y', ['x'])], 'y'), ['failed y: unknown-input']);
});

test('a retiring node is given nothing more, and a shutdown ends when all nodes have left', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y')], 'x', 'y');
  assert.deepEqual(world.client({ type: 'shutdown' }), ['a1: retire']);
  world.node('a1', { type: 'retiring' });
  assert.deepEqual(world.done('x'), ['held x on a1']);
  assert.deepEqual(world.lose('a1'), ['stop']);
});

test('what a retiring node has not begun is done elsewhere before it has left', () => {
  const world = new World();
  world.join('a1', { threads: 2 });
  world.submit([spec('x'), spec('y')], 'x', 'y');
  world.started('x');
  world.join('b1');
  world.node('a1', { type: 'retiring' });
  const back = { type: 'inputs-missing', key: taskKey('y'), run: world.runOf('y').run, inputs: [] } as const;
  assert.deepEqual(world.node('a1', back), ['b1: compute y']);
  assert.equal(world.runOf('x').node, 'a1');
});

test('the recorded events give the same state again, and each task has its story', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  world.done('x');
  world.done('y');
  world.join('b1');
  world.lose('a1');
  const again = replay(world.state.log.entries(), world.state.firstRun);
  assert.deepEqual(again.counts, world.state.counts);
  for (const key of [taskKey('x'), taskKey('y')])
    assert.deepEqual(story(again, key), story(world.state, key));
  const changes = story(world.state, taskKey('y')).map((line) => line.split(': ')[1]);
  assert.deepEqual(changes, [
    'released -> waiting (wanted by me)',
    'waiting -> ready (all inputs are held)',
    'ready -> ready (best on a1)',
    'ready -> assigned (run 2 on a1)',
    'assigned -> held (8 bytes on a1)',
    'held -> released (node a1 was lost',
    'released -> waiting (node a1 was lost',
  ]);
  assert.equal(explain(world.state, taskKey('y')), 'y waits for 1 inputs: x (assigned)');
});
