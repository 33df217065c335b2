/** What a worker does about each event: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../nodes/limits.ts';
import { handle } from '../../nodes/worker-core.ts';
import { createWorkerState } from '../../nodes/worker-state.ts';
import { millis, nodeId, runId, siteName, taskKey } from '../../runtime/index.ts';
import { WorkerWorld } from './worker-world.ts';

const empty = ({ state }: WorkerWorld): void => {
  assert.equal(state.runs.size + state.data.size + state.made.size + state.fetching + state.occupied, 0);
};

test('a run without inputs starts, is reported, and its result kept until it is dropped', () => {
  const world = new WorkerWorld();
  assert.deepEqual(world.compute(1, 'x'), ['start 1']);
  assert.deepEqual(world.tell({ type: 'run-started', run: runId(1) }), ['-> run-started 1']);
  assert.deepEqual(world.done(1), ['keep x of 1', '-> run-done 1']);
  assert.deepEqual(world.drop('x'), ['-> replica-lost x', 'forget x']);
  empty(world);
});

test('inputs are fetched first; copies are announced and stay after the run until they are dropped', () => {
  const world = new WorkerWorld();
  assert.deepEqual(world.compute(1, 'y', { x: ['b1'], w: ['a2'] }), ['fetch x from b1', 'fetch w from a2']);
  assert.deepEqual(world.fetched('w', 'a2'), ['-> replica-added w']);
  assert.deepEqual(world.fetched('x', 'b1'), ['-> replica-added x', 'start 1 x w']);
  assert.deepEqual(world.done(1), ['keep y of 1', '-> run-done 1']);
  assert.deepEqual(world.drop('x', 'w', 'y'), [
    '-> replica-lost x',
    '-> replica-lost w',
    '-> replica-lost y',
    'forget x w y',
  ]);
  empty(world);
});

test('the report of a run says what was fetched for it, from which sites, and how long that took', () => {
  const world = new WorkerWorld();
  world.compute(1, 'y', { x: ['b1'], w: ['a2'] });
  world.fetched('w', 'a2', 3);
  world.now = millis(1030);
  world.fetched('x', 'b1', 5);
  const outcome = { ok: true, bytes: 8 } as const;
  const out = world.feed({ type: 'run-ended', run: runId(1), outcome, thread: 2, startMs: 5, endMs: 7 });
  const trace = {
    key: taskKey('y'),
    fn: 'test.fn',
    node: nodeId('a1'),
    site: siteName('a'),
    thread: 2,
    startMs: 5,
    endMs: 7,
    localBytes: 3,
    remoteBytes: 5,
    fetchMs: 30,
    queueMs: 0,
    outcome: 'done' as const,
  };
  const message = { type: 'run-done', key: taskKey('y'), run: runId(1), bytes: 8, trace } as const;
  assert.deepEqual(out[1], { type: 'send', message });
});

test('two runs that need one datum share its fetch', () => {
  const world = new WorkerWorld({ threads: 2 });
  world.compute(1, 'y', { x: ['b1'] });
  assert.deepEqual(world.compute(2, 'z', { x: ['b1'] }), []);
  assert.deepEqual(world.fetched('x', 'b1'), ['-> replica-added x', 'start 1 x', 'start 2 x']);
});

test('a holder that does not deliver is followed by the next; then the run is given back by name', () => {
  const world = new WorkerWorld();
  world.compute(1, 'y', { x: ['a2', 'b1'] });
  assert.deepEqual(world.missed('x', 'a2'), ['fetch x from b1']);
  const told = ['-> inputs-missing 1, x absent at a2, x unreachable at b1'];
  assert.deepEqual(world.missed('x', 'b1', 'unreachable'), told);
  empty(world);
});

test('a run whose input is said to lie here, and does not, is given back at once', () => {
  const world = new WorkerWorld();
  assert.deepEqual(world.compute(1, 'y', { x: ['a1'] }), ['-> inputs-missing 1, x absent at a1']);
  assert.deepEqual(world.compute(2, 'y', { x: ['a1', 'b1'] }), ['fetch x from b1']);
  assert.deepEqual(world.compute(3, 'z', { w: [] }), ['-> inputs-missing 3']);
});

test('runs that know different holders of one datum are given back one by one', () => {
  const world = new WorkerWorld();
  world.compute(1, 'y', { x: ['a2'] });
  world.compute(2, 'z', { x: ['a2', 'b1'] });
  assert.deepEqual(world.missed('x', 'a2'), ['-> inputs-missing 1, x absent at a2', 'fetch x from b1']);
});

test('runs start in the order of their ranks, not of their arrival', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  world.compute(2, 'y', {}, { rank: 9 });
  world.compute(3, 'z', {}, { rank: 4 });
  assert.deepEqual(world.done(1), ['keep x of 1', '-> run-done 1', 'start 3']);
  assert.deepEqual(world.done(3), ['keep z of 3', '-> run-done 3', 'start 2']);
});

test('what waits for a resource lets others pass; what waits for threads does not', () => {
  const world = new WorkerWorld({ threads: 3, resources: { gpu: 1 } });
  const gpu = { hints: { needs: { gpu: 1 } } };
  assert.deepEqual(world.compute(1, 'p', {}, gpu), ['start 1']);
  assert.deepEqual(world.compute(2, 'q', {}, gpu), []);
  assert.deepEqual(world.compute(3, 'r'), ['start 3']);
  assert.deepEqual(world.compute(4, 's', {}, { hints: { needs: { threads: 3 } } }), []);
  assert.deepEqual(world.compute(5, 't'), []);
  assert.deepEqual(world.done(1), ['keep p of 1', '-> run-done 1', 'start 2']);
  assert.deepEqual(world.done(2), ['keep q of 2', '-> run-done 2']);
  assert.deepEqual(world.done(3), ['keep r of 3', '-> run-done 3', 'start 4']);
});

test('a run that asks for more than there is runs alone rather than never', () => {
  const world = new WorkerWorld();
  assert.deepEqual(world.compute(1, 'x', {}, { hints: { needs: { threads: 9 } } }), ['start 1']);
  assert.deepEqual(world.compute(2, 'y'), []);
  assert.deepEqual(world.done(1), ['keep x of 1', '-> run-done 1', 'start 2']);
});

test('only so many fetches are under way at once, those of the lowest ranks first', () => {
  const world = new WorkerWorld();
  const many = Array.from({ length: limits.fetchesInFlight }, (_, index) => [`x${index}`, ['b1']] as const);
  assert.equal(world.compute(1, 'y', Object.fromEntries(many)).length, limits.fetchesInFlight);
  assert.deepEqual(world.compute(3, 'z', { late: ['b1'] }), []);
  assert.deepEqual(world.compute(2, 'w', { soon: ['b1'] }), []);
  assert.deepEqual(world.fetched('x0', 'b1'), ['-> replica-added x0', 'fetch soon from b1']);
});

test('while memory is short one run at a time is started, and nothing fetched beside it', () => {
  const world = new WorkerWorld({ threads: 2 });
  world.compute(1, 'x');
  world.tell({ type: 'memory-noted', pressed: true });
  assert.deepEqual(world.compute(2, 'y'), []);
  assert.deepEqual(world.compute(3, 'z', { v: ['b1'], w: ['b1'] }), []);
  assert.deepEqual(world.done(1), ['keep x of 1', '-> run-done 1', 'start 2']);
  assert.deepEqual(world.done(2), ['keep y of 2', '-> run-done 2', 'fetch v from b1']);
  assert.deepEqual(world.fetched('v', 'b1'), ['-> replica-added v', 'fetch w from b1']);
  assert.deepEqual(world.tell({ type: 'memory-noted', pressed: false }), []);
  assert.deepEqual(world.fetched('w', 'b1'), ['-> replica-added w', 'start 3 v w']);
});

test('an aborted run keeps its thread until it has ended, and its result is thrown away', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  assert.deepEqual(world.compute(2, 'y'), []);
  assert.deepEqual(world.abort(1), ['stop 1']);
  assert.deepEqual(world.tell({ type: 'run-started', run: runId(1) }), []);
  assert.deepEqual(world.done(1), ['discard 1', 'start 2']);
  assert.deepEqual(world.abort(2), ['stop 2']);
  assert.deepEqual(world.threw(2), []);
  empty(world);
});

test('aborting a run that has ended forgets its datum; one that is unknown changes nothing', () => {
  const world = new WorkerWorld();
  world.make(1, 'x');
  assert.deepEqual(world.abort(7), []);
  assert.deepEqual(world.abort(1), ['-> replica-lost x', 'forget x']);
  assert.deepEqual(world.abort(1), []);
  empty(world);
});

test('aborting a run that waits or is ready stops what was fetched for it alone', () => {
  const world = new WorkerWorld();
  world.compute(1, 'y', { x: ['b1'], w: ['b1'] });
  world.compute(2, 'z', { w: ['b1'] });
  assert.deepEqual(world.abort(1), ['cancel fetch x']);
  assert.deepEqual(world.abort(2), ['cancel fetch w']);
  empty(world);
});

test('a fetch that finishes after it was cancelled is forgotten, or used if it is needed again', () => {
  const world = new WorkerWorld();
  world.compute(1, 'y', { x: ['b1'] });
  world.abort(1);
  assert.deepEqual(world.fetched('x', 'b1'), ['forget x']);
  assert.deepEqual(world.missed('x', 'b1'), []);
  world.compute(2, 'y', { x: ['b1'] });
  world.abort(2);
  assert.deepEqual(world.compute(3, 'y', { x: ['a2'] }), ['fetch x from a2']);
  assert.deepEqual(world.missed('x', 'b1'), []);
  assert.deepEqual(world.fetched('x', 'b1'), ['cancel fetch x', '-> replica-added x', 'start 3 x']);
  assert.deepEqual(world.fetched('x', 'a2'), []);
});

test('an input of a run that is dropped goes when the run ends, and stays if it is needed again', () => {
  const world = new WorkerWorld();
  world.make(1, 'x');
  world.compute(2, 'y', { x: ['a1'] });
  assert.deepEqual(world.drop('x'), ['-> replica-lost x']);
  assert.deepEqual(world.drop('x'), []);
  assert.deepEqual(world.compute(3, 'z', { x: ['b1'] }), ['-> replica-added x']);
  assert.deepEqual(world.drop('x'), ['-> replica-lost x']);
  assert.deepEqual(world.done(2), ['keep y of 2', '-> run-done 2', 'start 3 x']);
  assert.deepEqual(world.done(3), ['keep z of 3', '-> run-done 3', 'forget x']);
});

test('a drop while the datum is fetched for a run does not stop the fetch', () => {
  const world = new WorkerWorld();
  world.compute(1, 'y', { x: ['b1'] });
  assert.deepEqual(world.drop('x', 'unknown'), []);
  assert.deepEqual(world.fetched('x', 'b1'), ['-> replica-added x', 'start 1 x']);
});

test('a compute that is repeated is taken once', () => {
  const world = new WorkerWorld({ threads: 2 });
  world.compute(1, 'x');
  assert.deepEqual(world.compute(1, 'x'), []);
});

test('a later run of a key whose datum still lies here leaves that in place, and answers for it', () => {
  const world = new WorkerWorld();
  world.make(1, 'x');
  assert.deepEqual(world.compute(2, 'x'), ['start 2']);
  assert.deepEqual(world.done(2), ['discard 2', '-> run-done 2']);
  // The copy was announced on its own, so the scheduler asks for its end on its own.
  assert.deepEqual(world.abort(2), []);
  assert.deepEqual(world.drop('x'), ['-> replica-lost x', 'forget x']);
  empty(world);
});

test('a run whose key lies here only until another run ends takes that over', () => {
  const world = new WorkerWorld({ threads: 2 });
  world.make(1, 'x');
  world.compute(2, 'y', { x: ['a1'] });
  world.drop('x');
  world.compute(3, 'x');
  assert.deepEqual(world.done(3), ['discard 3', '-> run-done 3']);
  assert.deepEqual(world.done(2), ['keep y of 2', '-> run-done 2']);
  assert.deepEqual(world.abort(3), ['-> replica-lost x', 'forget x']);
});

test('a run that makes what is being fetched ends the fetch', () => {
  const world = new WorkerWorld({ threads: 2 });
  world.compute(1, 'x');
  world.compute(2, 'y', { x: ['b1'] });
  assert.deepEqual(world.done(1), ['cancel fetch x', 'keep x of 1', '-> run-done 1', 'start 2 x']);
});

test('a body that throws is reported, with its error', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  assert.deepEqual(world.threw(1), ['-> run-failed 1: boom']);
  empty(world);
});

test('a datum that is lost is fetched again for runs that have not begun', () => {
  const world = new WorkerWorld();
  world.make(1, 'x');
  world.compute(2, 'v');
  world.compute(3, 'y', { x: ['a1', 'b1'] });
  world.compute(4, 'z', { x: ['a1'] });
  const lost = { type: 'datum-lost', key: taskKey('x') } as const;
  const told = ['-> replica-lost x', '-> inputs-missing 4, x absent at a1', 'fetch x from b1'];
  assert.deepEqual(world.tell(lost), told);
  assert.deepEqual(world.tell(lost), []);
});

test('a run that fails after the loss of an input is given back: the error may be due to that', () => {
  const world = new WorkerWorld();
  world.make(1, 'x');
  world.compute(2, 'y', { x: ['a1'] });
  world.tell({ type: 'datum-lost', key: taskKey('x') });
  assert.deepEqual(world.threw(2), ['-> inputs-missing 2, x absent at a1']);
  empty(world);
});

test('that is so even when the input has come again before the run fails', () => {
  const world = new WorkerWorld({ threads: 2 });
  world.make(1, 'x');
  world.compute(2, 'y', { x: ['a1'] });
  world.tell({ type: 'datum-lost', key: taskKey('x') });
  world.make(3, 'x');
  assert.deepEqual(world.threw(2), ['-> inputs-missing 2']);
});

test('a node that stops finishes what runs, gives back the rest and leaves when it may', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  world.compute(2, 'y');
  world.compute(3, 'z', { w: ['b1'] });
  const given = ['-> inputs-missing 2', '-> inputs-missing 3', 'cancel fetch w'];
  assert.deepEqual(world.tell({ type: 'stopping' }), ['-> retiring', ...given]);
  assert.deepEqual(world.hear({ type: 'retire' }), []);
  assert.deepEqual(world.compute(4, 'v'), ['-> inputs-missing 4']);
  assert.deepEqual(world.done(1), ['keep x of 1', '-> run-done 1']);
  assert.deepEqual(world.hear({ type: 'dismiss' }), ['leave']);
  assert.deepEqual(world.tell({ type: 'stopping' }), []);
});

test('a node told to retire leaves when it is dismissed, and at once without a scheduler', () => {
  const told = new WorkerWorld();
  assert.deepEqual(told.hear({ type: 'retire' }), ['-> retiring']);
  assert.deepEqual(told.hear({ type: 'dismiss' }), ['leave']);
  const lone = createWorkerState({ node: nodeId('a1'), site: siteName('a'), threads: 1, resources: {} });
  assert.deepEqual(handle(lone, { type: 'stopping' }, millis(1)), [{ type: 'leave' }]);
  const world = new WorkerWorld();
  world.compute(1, 'x');
  world.tell({ type: 'stopping' });
  assert.deepEqual(world.lose(), ['leave']);
});

test('a node that the scheduler refuses leaves at once, whatever runs, and says why', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  const error = { name: 'AsperitasError', code: 'name-taken', message: 'a node named a1 is there already' };
  assert.deepEqual(world.hear({ type: 'refused', error }), [`leave: ${error.message}`]);
  assert.deepEqual(world.done(1), []);
});

test('the heartbeat says how many runs have a thread', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x');
  const heartbeat = { type: 'heartbeat', storedBytes: 1, rssBytes: 2, running: 1 };
  const out = world.feed({ type: 'ticked', storedBytes: 1, rssBytes: 2 });
  assert.deepEqual(out, [{ type: 'send', message: heartbeat }]);
});

test('a fan-in of 100,000 inputs passes through', () => {
  const world = new WorkerWorld();
  const run = {
    type: 'compute',
    key: taskKey('sum'),
    run: runId(1),
    fn: 'test.fn',
    hints: {},
    rank: 0,
  } as const;
  const replicas = [{ node: nodeId('b1'), site: siteName('b'), url: 'ws://b1' }];
  const inputs = Array.from({ length: 100_000 }, (_, index) => ({
    key: taskKey(`x${index}`),
    bytes: 8,
    replicas,
  }));
  const feed = (event: Parameters<typeof handle>[1]) => handle(world.state, event, millis(1));
  feed({ type: 'from-scheduler', message: { ...run, args: new Uint8Array(0), inputs } });
  let last: readonly { readonly type: string }[] = [];
  for (const { key } of inputs) last = feed({ type: 'fetched', key, bytes: 8, from: nodeId('b1'), ms: 1 });
  assert.equal(last.at(-1)?.type, 'start');
});
