/** Small results travel with the messages about them; large ones, and those that must stay, never do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runId, taskKey } from '../../runtime/index.ts';
import { limits } from '../../scheduler/limits.ts';
import type { Instruction } from '../../scheduler/scheduler-state.ts';
import { WorkerWorld } from '../nodes/worker-world.ts';
import { spec, World } from './world.ts';

/** Ends the run of a task on node `a1` with a result that comes along, and returns what follows. */
function endInline(world: World, name: string, inline: Uint8Array): Instruction[] {
  const { node, run } = world.runOf(name);
  const trace = world.trace(name, node, 0.001);
  const message = { type: 'run-done', key: taskKey(name), run, bytes: inline.length, inline, trace } as const;
  return [...world.feed({ type: 'from-node', node, message }), ...world.feed({ type: 'drained' })];
}

function inputsSent(out: readonly Instruction[]): readonly (Uint8Array | undefined)[] {
  return out.flatMap((one) =>
    one.type === 'send' && one.message.type === 'compute'
      ? one.message.inputs.map(({ inline }) => inline)
      : [],
  );
}

function toldInline(out: readonly Instruction[]): readonly (Uint8Array | undefined)[] {
  return out.flatMap((one) =>
    one.type === 'notify' && one.message.type === 'held' ? [one.message.inline] : [],
  );
}

test('a small result reaches the run that takes it, and the client that wants it, with the news', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'x', 'y');
  const value = Uint8Array.of(1, 2, 3);
  const out = endInline(world, 'x', value);
  assert.deepEqual(toldInline(out), [value]);
  assert.deepEqual(inputsSent(out), [value]);
  assert.equal(world.state.inlineBytes, 3);
  world.done('y');
  world.release('x', 'y');
  assert.equal(world.state.inlineBytes, 0);
});

test('a result that is too large to come along is left on its node, whatever the node says', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'x', 'y');
  const out = endInline(world, 'x', new Uint8Array(limits.inlineBytes + 1));
  assert.deepEqual([...toldInline(out), ...inputsSent(out)], [undefined, undefined]);
});

test('small results have no place of their own: their users run where there is room', () => {
  const world = new World();
  world.join('a1');
  world.submit([spec('x'), spec('y', ['x']), spec('z', ['x'])], 'y', 'z');
  world.join('a2');
  const out = endInline(world, 'x', Uint8Array.of(1));
  const places = out.flatMap((one) =>
    one.type === 'send' && one.message.type === 'compute' ? [one.to] : [],
  );
  assert.deepEqual(places.sort(), ['a1', 'a2']);
});

test('a worker begins at once with inputs that came along, and sends its own small result along', () => {
  const world = new WorkerWorld();
  const inline = Uint8Array.of(7);
  const [start] = world.feed({
    type: 'from-scheduler',
    message: {
      type: 'compute',
      key: taskKey('y'),
      run: runId(1),
      fn: 'test.fn',
      args: new Uint8Array(0),
      inputs: [{ key: taskKey('x'), bytes: 1, replicas: [], inline }],
      hints: {},
      rank: 1,
    },
  });
  assert.equal(start?.type, 'start');
  assert.deepEqual([...start.inlined], [['x', inline]]);
  const out = world.feed({
    type: 'run-ended',
    run: runId(1),
    outcome: { ok: true, bytes: 1, inline },
    thread: 0,
    startMs: 5,
    endMs: 7,
  });
  const done = out.find((one) => one.type === 'send');
  assert.equal(done?.message.type === 'run-done' ? done.message.inline : undefined, inline);
});

test('a result that must stay at its site is not sent along', () => {
  const world = new WorkerWorld();
  world.compute(1, 'x', {}, { hints: { stay: true } });
  const out = world.feed({
    type: 'run-ended',
    run: runId(1),
    outcome: { ok: true, bytes: 1, inline: Uint8Array.of(7) },
    thread: 0,
    startMs: 5,
    endMs: 7,
  });
  const done = out.find((one) => one.type === 'send');
  assert.ok(done?.message.type === 'run-done' && !('inline' in done.message));
});
