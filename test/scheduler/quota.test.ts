/** How much of the scheduler one client may fill. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientId, taskKey } from '../../runtime/index.ts';
import { clientLimits } from '../../scheduler/limits.ts';
import type { TaskSpec } from '../../scheduler/protocol.ts';
import type { Instruction } from '../../scheduler/scheduler-state.ts';
import { piecesOf } from '../../scheduler/submission.ts';
import { spec, World } from './world.ts';

const greedy = clientId('greedy');

/** A world in which clients may have four tasks and a hundred bytes. */
function narrowWorld(): World {
  const world = new World();
  world.state.quotas.quota = { tasks: 4, bytes: 100 };
  world.join('a1');
  world.feed({ type: 'client-joined', client: greedy });
  return world;
}

function submit(
  world: World,
  tasks: readonly TaskSpec[],
  wants: readonly string[],
  more = false,
): Instruction[] {
  const keys = wants.map(taskKey);
  const message = { type: 'submit', tasks, wants: keys, ...(more ? { more } : {}) } as const;
  return world.feed({ type: 'from-client', client: greedy, message });
}

function refusedKeys(instructions: readonly Instruction[]): string[] {
  return instructions.flatMap((instruction) => {
    if (instruction.type !== 'notify' || instruction.message.type !== 'failed') return [];
    assert.equal(instruction.message.error.code, 'client-quota');
    assert.match(instruction.message.error.message, /may have 4 tasks and 100 bytes .*submit less/);
    return [instruction.message.key];
  });
}

const some = (...names: string[]): TaskSpec[] => names.map((name) => spec(name));
const large = (name: string, bytes: number): TaskSpec => ({ ...spec(name), args: new Uint8Array(bytes) });

test('a submission beyond the tasks allowed fails, saying so, and leaves nothing', () => {
  const world = narrowWorld();
  assert.deepEqual(refusedKeys(submit(world, some('a', 'b', 'c', 'd', 'e'), ['e', 'd'])), ['e', 'd']);
  assert.equal(world.state.tasks.size, 0);
  assert.equal(world.state.quotas.usages.size, 0);
  assert.deepEqual(refusedKeys(submit(world, some('a', 'b', 'c', 'd'), ['a', 'b', 'c', 'd'])), []);
  assert.equal(world.state.tasks.size, 4);
});

test('the bytes of arguments count as well, whatever the tasks', () => {
  const world = narrowWorld();
  submit(world, [large('a', 60)], ['a']);
  assert.deepEqual(refusedKeys(submit(world, [large('b', 60)], ['b'])), ['b']);
  assert.deepEqual(refusedKeys(submit(world, [large('b', 40)], ['b'])), []);
});

test('a graph that comes in pieces is refused as a whole, the pieces before included', () => {
  const world = narrowWorld();
  submit(world, some('a', 'b', 'c'), [], true);
  assert.deepEqual(refusedKeys(submit(world, some('d', 'e'), [], true)), []);
  assert.deepEqual(refusedKeys(submit(world, some('f'), ['f'])), ['f']);
  assert.equal(world.state.tasks.size, 0);
});

test('what is released makes room again, and other clients have room of their own', () => {
  const world = narrowWorld();
  submit(world, some('a', 'b', 'c', 'd'), ['a', 'b', 'c', 'd']);
  assert.deepEqual(refusedKeys(submit(world, some('e'), ['e'])), ['e']);
  world.submit(some('x', 'y'), 'x', 'y');
  assert.equal(world.state.tasks.size, 6);
  world.feed({ type: 'from-client', client: greedy, message: { type: 'release', keys: [taskKey('a')] } });
  assert.deepEqual(refusedKeys(submit(world, some('e'), ['e'])), []);
});

test('arguments too large for the way through the scheduler are refused before they are sent', () => {
  const fits = large('fits', clientLimits.argumentBytes);
  assert.equal([...piecesOf([fits])].length, 1);
  const pieces = () => [...piecesOf([large('huge', clientLimits.argumentBytes + 1)])];
  assert.throws(pieces, { code: 'argument-too-large', message: /arguments of huge have 134217729 bytes/ });
});
