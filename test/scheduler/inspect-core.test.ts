/** What the scheduler answers an operator, and what cancelling and draining do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientId, nodeId, siteName, taskKey } from '../../runtime/index.ts';
import type { Answer, Question } from '../../scheduler/inspect-core.ts';
import { limits } from '../../scheduler/limits.ts';
import type { Overview } from '../../scheduler/seeing-messages.ts';
import { spec, World } from './world.ts';

const operator = clientId('operator');

function ask(world: World, question: Question): Answer {
  if (!world.state.clients.has(operator)) world.feed({ type: 'client-joined', client: operator });
  const out = world.feed({ type: 'from-client', client: operator, message: question });
  const answers = out.flatMap((one) =>
    one.type === 'notify' && one.client === operator ? [one.message] : [],
  );
  assert.equal(answers.length, 1);
  return answers[0] as Answer;
}

function overviewOf(world: World): Overview {
  const answer = ask(world, { type: 'ask-overview', question: 7 });
  assert.equal(answer.type, 'overview');
  assert.equal(answer.question, 7);
  return answer.type === 'overview' ? answer.overview : assert.fail();
}

test('an overview counts nodes, tasks, functions and what travelled between sites', () => {
  const world = new World();
  world.join('a1');
  world.join('b1');
  world.submit([spec('x'), spec('y'), spec('z', ['x', 'y'])], 'z');
  world.done('x', 4_000_000, 2);
  const { node } = world.runOf('y');
  world.done('y', 8, 1);
  const other = node === 'a1' ? 'b1' : 'a1';
  world.node(node, {
    type: 'replica-added',
    key: taskKey('x'),
    bytes: 4_000_000,
    from: nodeId(other),
    fetchMs: 500,
  });
  const { nodes, functions, links, tasks, clients } = overviewOf(world);
  assert.deepEqual(
    nodes.map(({ node: name, site, threads, held }) => [name, site, threads, held]),
    [
      ['a1', 'a', 1, node === 'a1' ? 2 : 1],
      ['b1', 'b', 1, node === 'b1' ? 2 : 1],
    ],
  );
  assert.deepEqual(functions, [
    {
      fn: 'test.fn',
      running: 1,
      done: 2,
      failed: 0,
      seconds: 3,
      longestSeconds: 2,
      bytes: 4_000_008,
      growthBytes: 0,
    },
  ]);
  const pair = { from: siteName(other.slice(0, 1)), to: siteName(node.slice(0, 1)) };
  assert.deepEqual(links, [{ ...pair, bytes: 4_000_000, transfers: 1, seconds: 0.5 }]);
  assert.deepEqual([tasks.held, tasks.assigned, clients], [2, 1, 2]);
});

test('a task is found by its key, or by how its key alone begins; else the error names those like it', () => {
  const world = new World();
  world.submit([spec('map-1'), spec('map-2'), spec('sum')], 'map-1', 'map-2', 'sum');
  const told = ask(world, { type: 'ask-task', question: 1, task: 'su' });
  assert.equal(told.type, 'task-told');
  if (told.type !== 'task-told') return;
  assert.equal(told.key, 'sum');
  assert.match(told.explanation[0]!, /no node of any site/);
  assert.match(told.story[0]!, /released -> waiting/);
  const many = ask(world, { type: 'ask-task', question: 2, task: 'map' });
  assert.ok(many.type === 'declined' && many.code === 'ambiguous-task');
  assert.match(many.type === 'declined' ? many.message : '', /2 tasks begin with map: map-1, map-2/);
  const none = ask(world, { type: 'ask-task', question: 3, task: 'mop' });
  assert.ok(none.type === 'declined' && none.code === 'no-such-task');
});

test('a cancelled task ends its run and what waits for it, for everybody; the rest goes on', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x']), spec('w')], 'y', 'w');
  const { run } = world.runOf('x');
  const told = world.client({ type: 'cancel-task', question: 1, task: 'x' }, operator);
  assert.deepEqual(told, [`a1: abort ${run}`, 'failed y: cancelled by x', 'task-cancelled', 'a1: compute w']);
});

test('cancelling what has ended changes nothing', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  world.done('x');
  const answer = ask(world, { type: 'cancel-task', question: 1, task: 'x' });
  assert.deepEqual(answer, {
    type: 'task-cancelled',
    question: 1,
    key: 'x',
    phase: 'held',
    cancelled: false,
  });
  assert.equal(world.state.tasks.get(taskKey('x'))?.phase.name, 'held');
});

test('draining tells a node to leave, once, names what it still runs, and a stranger is declined', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  const drain = { type: 'drain-node', question: 1, node: 'a1' } as const;
  assert.deepEqual(world.client(drain, operator), ['a1: retire', 'node-leaves']);
  world.node('a1', { type: 'retiring' });
  assert.deepEqual(world.client(drain, operator), ['node-leaves']);
  const answer = ask(world, drain);
  assert.deepEqual(answer.type === 'node-leaves' ? answer.hinders : [], ['x runs there']);
  const stranger = ask(world, { ...drain, node: 'a9' });
  assert.ok(stranger.type === 'declined' && stranger.code === 'no-such-node');
  assert.match(stranger.type === 'declined' ? stranger.message : '', /the nodes are a1/);
});

/** Runs `count` tasks, after each of which the node takes what `bytesOf` says. */
function runMany(world: World, count: number, bytesOf: (k: number) => number): void {
  for (let k = 0; k < count; k++) {
    const name = `m${world.state.seq}`;
    world.submit([spec(name)], name);
    const { node, run } = world.runOf(name);
    const memory = { rssBeforeBytes: 0, rssPeakBytes: bytesOf(k), rssAfterBytes: bytesOf(k) };
    const trace = { ...world.trace(name, node, 0.1), ...memory };
    world.node(node, { type: 'run-done', key: taskKey(name), run, bytes: 8, trace });
    world.release(name);
  }
}

test('a node whose memory after runs only grows is marked; one where garbage comes and goes is not', () => {
  const runs = limits.ratchetRuns * limits.ratchetSpans;
  const leaking = new World();
  leaking.join('a1');
  runMany(leaking, runs, (k) => 1e8 + k * 1e6);
  assert.equal(overviewOf(leaking).nodes[0]!.ratchets, true);
  assert.equal(overviewOf(leaking).functions[0]!.growthBytes, 1e8 + (runs - 1) * 1e6);
  const sound = new World();
  sound.join('a1');
  runMany(sound, runs, (k) => 1e8 + (k % 20) * 5e7);
  assert.equal(overviewOf(sound).nodes[0]!.ratchets, false);
});

test('a leaving node is dismissed when what lay there alone has been copied: nothing is made again', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y')], 'x', 'y');
  world.done('x');
  world.done('y');
  world.join('a2');
  world.join('b1');
  assert.deepEqual(world.node('a1', { type: 'retiring' }), ['a2: copy x y']);
  assert.deepEqual(world.pass(2), []);
  world.node('a2', { type: 'replica-added', key: taskKey('x'), bytes: 8 });
  assert.deepEqual(world.pass(1), []);
  world.node('a2', { type: 'replica-added', key: taskKey('y'), bytes: 8 });
  assert.deepEqual(world.pass(1), ['a1: dismiss']);
  assert.deepEqual(world.lose('a1'), []);
  assert.equal(world.state.counts.held, 2);
});

test('a leaving node whose heir dies finds another; with nobody left it is dismissed', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  world.done('x');
  world.join('a2');
  assert.deepEqual(world.node('a1', { type: 'retiring' }), ['a2: copy x']);
  world.lose('a2');
  assert.deepEqual(world.pass(1), ['a1: dismiss']);
  const second = new World();
  second.join('a1');
  second.submit([spec('x')], 'x');
  second.done('x');
  second.join('a2');
  second.join('a3');
  const [told] = second.node('a1', { type: 'retiring' });
  const heir = told!.slice(0, 2);
  second.lose(heir);
  assert.deepEqual(second.pass(1), [`${heir === 'a2' ? 'a3' : 'a2'}: copy x`]);
});

test('a leaving node is not dismissed while it runs something, nor held up for ever by a copy', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y')], 'x', 'y');
  world.done('x');
  world.join('a2');
  assert.deepEqual(world.node('a1', { type: 'retiring' }), ['a2: copy x']);
  assert.deepEqual(world.tick(limits.handoverMs + 1), []);
  assert.deepEqual(world.done('y'), ['held y on a1']);
  assert.deepEqual(world.tick(250), ['a2: copy y']);
  assert.deepEqual(world.tick(limits.handoverMs + 1), ['a1: dismiss']);
});
