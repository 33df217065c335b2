/** What a client's tasks may count on: names, deadlines, retries apart from deaths, forgetting, data sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientId, taskKey } from '../../runtime/index.ts';
import type { Instruction } from '../../scheduler/scheduler-state.ts';
import { me, spec, World } from './world.ts';

const other = clientId('other');
const named = (key: string, name: string) => ({ ...spec(key), name });

test('a name stands for one task as long as that is known, and for any afterwards', () => {
  const world = new World();
  world.join('a1');
  assert.deepEqual(world.submit([named('k-1', 'k')], 'k-1'), ['a1: compute k-1']);
  assert.deepEqual(world.submit([named('k-2', 'k'), spec('user', ['k-2'])], 'user'), [
    'failed user: key-conflict by k-2',
  ]);
  // The same task again is no conflict.
  assert.deepEqual(world.client({ type: 'submit', tasks: [named('k-1', 'k')], wants: [] }, other), []);
  assert.deepEqual(world.submit([named('k-2', 'k'), spec('user', ['k-2'])], 'user'), [
    'failed user: key-conflict by k-2',
  ]);
  world.release('k-1');
  world.release('user');
  assert.deepEqual(world.submit([named('k-2', 'k')], 'k-2'), ['a1: compute k-2']);
  world.release('k-2');
  assert.equal(world.state.names.size, 0);
});

test('an error says after which submission it came, so that an old one is known', () => {
  const world = new World();
  world.join('a1');
  const serials = (out: readonly Instruction[]) =>
    out.flatMap((one) =>
      one.type === 'notify' && one.message.type === 'failed' ? [one.message.serial] : [],
    );
  const submit = (serial: number) =>
    world.feed({
      type: 'from-client',
      client: me,
      message: { type: 'submit', tasks: [spec('x')], wants: [taskKey('x')], serial },
    });
  world.feed({ type: 'client-joined', client: me });
  submit(1);
  world.feed({ type: 'drained' });
  const { node, run } = world.runOf('x');
  const error = { name: 'Error', message: 'bad' };
  const trace = world.trace('x', node, 1);
  const failed = { type: 'run-failed', key: taskKey('x'), run, error, retryable: true, trace } as const;
  assert.deepEqual(serials(world.feed({ type: 'from-node', node, message: failed })), [1]);
  assert.deepEqual(serials(submit(2)), []);
  world.feed({ type: 'drained' });
  const again = { ...failed, run: world.runOf('x').run };
  assert.deepEqual(serials(world.feed({ type: 'from-node', node, message: again })), [2]);
});

test('a retry begins again where the failure began', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  assert.deepEqual(world.failed('x', 'bad'), ['failed y: bad by x']);
  assert.deepEqual(world.client({ type: 'retry', keys: [taskKey('y')], serial: 2 }), ['a1: compute x']);
  assert.deepEqual(world.done('x'), ['a1: compute y']);
  // Of what has not failed, the client is told as it stands.
  assert.deepEqual(world.client({ type: 'retry', keys: [taskKey('y')], serial: 3 }), []);
  assert.deepEqual(world.done('y'), ['held y on a1', 'a1: drop x']);
});

test('deaths of nodes are counted apart from errors of the body', () => {
  const world = new World();
  world.state.allowedFailures = 2;
  world.join('a1');
  world.submit([spec('x', [], { retries: 1 })], 'x');
  world.started('x');
  world.lose('a1');
  world.join('a2');
  // The body's first error: its retry is still there, though a node has died.
  assert.deepEqual(world.failed('x', 'bad'), ['a2: compute x']);
  world.started('x');
  assert.deepEqual(world.lose('a2'), ['failed x: task-killed-nodes']);
});

test('a task that is to be dropped when late is not begun after its deadline', () => {
  const world = new World();
  world.join('a1');
  const deadlineMs = world.now + 5000;
  world.submit([spec('busy')], 'busy');
  world.submit([spec('late', [], { deadlineMs, dropIfLate: true })], 'late');
  world.started('busy');
  assert.deepEqual(world.pass(5), []);
  assert.deepEqual(world.pass(1), ['failed late: late']);
  world.submit([spec('missed', [], { deadlineMs })], 'missed');
  assert.deepEqual(world.done('busy'), ['held busy on a1', 'a1: compute missed']);
  world.tick(1000);
  assert.deepEqual({ ...world.state.lateness }, { dropped: 1, missed: 1 });
});

test('no late task is begun between two ticks, and none is sent ahead of its turn', () => {
  const world = new World();
  world.join('a1');
  world.state.learnt.set('test.fn', { seconds: 0.001, bytes: 8, growthBytes: 0 });
  const deadlineMs = world.now + 100;
  world.submit([spec('busy')], 'busy');
  assert.deepEqual(world.submit([spec('late', [], { deadlineMs, dropIfLate: true })], 'late'), []);
  world.now = (world.now + 101) as typeof world.now;
  assert.deepEqual(world.done('busy'), ['held busy on a1', 'failed late: late']);
});

test('the less time is left, the earlier a task runs, and so do those that it is made from', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('busy')], 'busy');
  world.submit([spec('none')], 'none');
  world.submit([spec('x'), spec('later', ['x'], { deadlineMs: 90_000 })], 'later');
  world.submit([spec('y'), spec('soon', ['y'], { deadlineMs: 50_000 })], 'soon');
  const order = ['busy'];
  for (let step = 0; step < 5; step++) {
    const [run] = world.done(order.at(-1)!).flatMap((line) => /compute (\w+)/.exec(line)?.[1] ?? []);
    order.push(run!);
  }
  assert.deepEqual(order, ['busy', 'y', 'soon', 'x', 'later', 'none']);
});

test('a forgotten task runs to its end though nobody wants it, and then goes', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  assert.deepEqual(world.client({ type: 'forget', keys: [taskKey('y')] }), []);
  assert.deepEqual(world.release('y'), []);
  assert.deepEqual(world.done('x'), ['a1: compute y']);
  assert.deepEqual(world.done('y'), ['a1: drop x y']);
  assert.equal(world.state.tasks.size, 0);
  world.submit([spec('z')], 'z');
  world.client({ type: 'forget', keys: [taskKey('z')] });
  world.release('z');
  world.failed('z', 'bad');
  assert.equal(world.state.tasks.size, 0);
});

test('what a client publishes outlives it until it is unpublished', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x')], 'x');
  world.done('x');
  const value = { keys: [taskKey('x')], shape: new Uint8Array(1) };
  assert.deepEqual(world.client({ type: 'publish', request: 1, name: 'sky', value }), ['dataset-answer']);
  world.feed({ type: 'client-lost', client: me });
  world.pass(10);
  assert.equal(world.state.tasks.get(taskKey('x'))?.phase.name, 'held');
  // Two answers: the value, and where its result lies.
  assert.deepEqual(world.client({ type: 'get-dataset', request: 1, name: 'sky' }, other), [
    'dataset-answer',
    'held x on a1',
  ]);
  assert.deepEqual(world.client({ type: 'unpublish', request: 2, name: 'sky' }, other), ['dataset-answer']);
  assert.equal(world.state.tasks.get(taskKey('x'))?.phase.name, 'held');
  assert.deepEqual(world.client({ type: 'release', keys: [taskKey('x')] }, other), ['a1: drop x']);
  assert.equal(world.state.tasks.size, 0);
});

test('a data set is not replaced unasked, and must be of known tasks', () => {
  const world = new World();
  const problems: (string | undefined)[] = [];
  const ask = (message: Parameters<World['client']>[0]) => {
    world.client(message);
    const out = world.feed({ type: 'from-client', client: me, message });
    for (const one of out) {
      if (one.type === 'notify' && one.message.type === 'dataset-answer')
        problems.push(one.message.problem?.code);
    }
  };
  const value = { keys: [], shape: new Uint8Array(1) };
  ask({ type: 'publish', request: 1, name: 'sky', value });
  ask({ type: 'publish', request: 2, name: 'sea', value: { ...value, keys: [taskKey('x')] } });
  ask({ type: 'unpublish', request: 3, name: 'land' });
  ask({ type: 'get-dataset', request: 4, name: 'land' });
  assert.deepEqual(problems, ['dataset-exists', 'unknown-input', 'no-such-dataset', 'no-such-dataset']);
});

test('scattered data come once: when the last copy is lost, their users fail', () => {
  const world = new World();
  world.join('a1');
  world.join('b1');
  const data = { ...spec('data'), fn: '', scattered: true };
  assert.deepEqual(world.submit([data, spec('user', ['data'], { site: 'b' as never })], 'data', 'user'), []);
  assert.deepEqual(world.node('a1', { type: 'replica-added', key: taskKey('data'), bytes: 8 }), [
    'held data on a1',
    'b1: compute user',
  ]);
  world.lose('b1');
  assert.deepEqual(world.lose('a1'), ['failed data: data-lost', 'failed user: data-lost by data']);
});

test('scattered data that nobody waits for any more are dropped when they come', () => {
  const world = new World();
  world.join('a1');
  world.submit([{ ...spec('data'), fn: '', scattered: true }], 'data');
  world.release('data');
  assert.deepEqual(world.node('a1', { type: 'replica-added', key: taskKey('data'), bytes: 8 }), [
    'a1: drop data',
  ]);
  world.submit([{ ...spec('data'), fn: '', scattered: true }], 'data');
  assert.deepEqual(world.tick(3_600_001), ['failed data: data-lost']);
  assert.equal(world.state.awaited.size, 0);
});

test('a run that waits for tasks of its own gives its thread back until it goes on', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('parent')], 'parent');
  world.started('parent');
  const { node, run } = world.runOf('parent');
  world.submit([spec('child')], 'child');
  const report = (type: 'run-paused' | 'run-resumed') =>
    world.node(node, { type, key: taskKey('parent'), run });
  assert.deepEqual(report('run-paused'), ['a1: compute child']);
  assert.deepEqual(report('run-paused'), []);
  assert.deepEqual(world.submit([spec('next')], 'next'), []);
  assert.deepEqual(report('run-resumed'), []);
  // Its thread is taken by two: the next waits for both.
  assert.deepEqual(world.done('child'), ['held child on a1']);
  assert.deepEqual(world.done('parent'), ['held parent on a1', 'a1: compute next']);
});

test('a node that dies with a run that waits leaves its counts right', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('parent')], 'parent');
  world.started('parent');
  const { node, run } = world.runOf('parent');
  world.node(node, { type: 'run-paused', key: taskKey('parent'), run });
  world.lose('a1');
  assert.deepEqual(world.join('a2'), ['a2: compute parent']);
  // What the lost node still says is about a run that no longer counts.
  assert.deepEqual(world.node('a2', { type: 'run-paused', key: taskKey('parent'), run }), []);
});
