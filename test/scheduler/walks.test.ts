/** Graphs that are too large for one event: need, and its end, spread over them in pieces. After every piece
 * the invariants are checked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskKey } from '../../runtime/index.ts';
import { handle } from '../../scheduler/scheduler-core.ts';
import { isUnfinished } from '../../scheduler/walks-state.ts';
import { me, spec, World } from './world.ts';

/** Forty tasks, `c0` to `c39`, each made from the one before. */
const chain = Array.from({ length: 40 }, (_, index) =>
  spec(`c${index}`, index === 0 ? [] : [`c${index - 1}`]),
);

/** Turns in which nothing happens, until nothing is left to do. */
function settle(world: World): { turns: number; said: string[] } {
  const said: string[] = [];
  let turns = 0;
  for (; isUnfinished(world.state); turns++) said.push(...world.tell({ type: 'drained' }));
  return { turns, said };
}

test('what is wanted is demanded turn by turn, and begins when the walk has come to it', () => {
  const world = new World(4);
  world.join('a1');
  assert.deepEqual(world.submit(chain, 'c39'), []);
  const { waiting } = world.state.counts;
  assert.ok(waiting > 0 && waiting < 39, `${waiting} are waiting after the first turn`);
  const { turns, said } = settle(world);
  assert.ok(turns > 1, `${turns} turns`);
  assert.deepEqual(said, ['a1: compute c0']);
  assert.equal(world.state.counts.waiting, 39);
});

test('what is released while it is still being demanded is given up whole', () => {
  const world = new World(4);
  world.join('a1');
  world.submit(chain, 'c39');
  world.release('c39');
  assert.ok(world.state.tasks.size > 0);
  settle(world);
  assert.equal(world.state.tasks.size, 0);
  assert.equal(world.state.counts.assigned, 0);
});

test('nothing is dropped of which it is not yet known that a wanted task needs it', () => {
  const world = new World(4);
  world.join('a1');
  world.submit([chain[0]!], 'c0');
  world.done('c0');
  world.submit(chain.slice(1), 'c39');
  world.release('c0');
  assert.deepEqual(settle(world).said, ['a1: compute c1']);
  assert.equal(world.state.tasks.get(taskKey('c0'))?.phase.name, 'held');
});

test('a cancelled task is told of at once, though what it was to be made from is given up later', () => {
  const world = new World(4);
  world.join('a1');
  world.submit(chain, 'c39');
  const said = world.client({ type: 'cancel', keys: [taskKey('c39')] }, me);
  assert.deepEqual(said, ['failed c39: cancelled']);
  settle(world);
  assert.equal(world.state.tasks.size, 0);
});

test('a node that is lost with many data is given up in pieces, and all that is wanted is made again', () => {
  const world = new World(4);
  world.join('a1', { threads: 64 });
  const parts = Array.from({ length: 30 }, (_, index) => `m${index}`);
  world.submit(
    parts.map((name) => spec(name)),
    ...parts,
  );
  settle(world);
  for (const name of parts) world.done(name);
  world.join('a2', { threads: 64 });
  const first = world.lose('a1');
  assert.ok(first.length < 30, `${first.length} were sent in the first turn`);
  const all = [...first, ...settle(world).said];
  assert.deepEqual(new Set(all), new Set(parts.map((name) => `a2: compute ${name}`)));
  assert.equal(world.state.nodes.size, 1);
});

test('a node that returns while its loss is seen to begins with nothing', () => {
  const world = new World(4);
  world.join('a1', { threads: 64 });
  const parts = Array.from({ length: 30 }, (_, index) => `m${index}`);
  world.submit(
    parts.map((name) => spec(name)),
    ...parts,
  );
  settle(world);
  for (const name of parts) world.done(name);
  world.lose('a1');
  const all = [...world.join('a1', { threads: 64 }), ...settle(world).said];
  assert.deepEqual(new Set(all), new Set(parts.map((name) => `a1: compute ${name}`)));
});

test('of many tasks that become ready at once some are placed in each turn, and none is left', () => {
  const world = new World(4);
  for (const name of ['a1', 'a2']) world.join(name, { threads: 16 });
  const parts = Array.from({ length: 30 }, (_, index) => spec(`m${index}`));
  const first = world.submit(
    [
      ...parts,
      spec(
        'sum',
        parts.map(({ key }) => key),
      ),
    ],
    'sum',
  );
  assert.ok(first.length < 30, `${first.length} were sent in the first turn`);
  const all = [...first, ...settle(world).said];
  assert.deepEqual(
    new Set(all.map((line) => line.slice(4))),
    new Set(parts.map(({ key }) => `compute ${key}`)),
  );
});

test('a chain of 100,000 and a fan-in of 100,000 pass through without recursion', () => {
  const world = new World();
  const names = Array.from({ length: 100_000 }, (_, index) => `t${index}`);
  const { state } = world;
  const submit = (tasks: ReturnType<typeof spec>[], wanted: string) => {
    world.feed({ type: 'client-joined', client: me });
    world.feed({
      type: 'from-client',
      client: me,
      message: { type: 'submit', tasks, wants: [taskKey(wanted)] },
    });
  };
  submit(
    names.map((name, index) => spec(name, index === 0 ? [] : [names[index - 1]!])),
    names.at(-1)!,
  );
  const finish = () => {
    while (isUnfinished(state)) handle(state, { type: 'drained' }, world.now);
    world.feed({ type: 'drained' });
  };
  finish();
  assert.equal(state.counts.waiting, 99_999);
  world.release(names.at(-1)!);
  finish();
  assert.equal(state.tasks.size, 0);
  submit([...names.map((name) => spec(name)), spec('sum', names)], 'sum');
  finish();
  assert.equal(state.counts.ready, 100_000);
});
