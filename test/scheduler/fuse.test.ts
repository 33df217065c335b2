/** Chains of a graph become one task each, where that changes nothing but the number of tasks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePacked } from '../../runtime/index.ts';
import { type CollectedGraph, collectGraph } from '../../scheduler/graph.ts';
import { limits } from '../../scheduler/limits.ts';
import { graphTools } from '../../scheduler/submission.ts';
import { type Lazy, type TaskContext, type TaskHints, task, taskBody } from '../../scheduler/task.ts';
import { eventually, startSmallCluster } from '../support/small-cluster.ts';

const read = task('fuse.read', (_, from: number) => ({ from }));
const inc = task('fuse.inc', (_, value: number) => value + 1);
const first = task('fuse.first', (_, value: { readonly from: number }) => value.from);
const sum = task('fuse.sum', (_, values: readonly number[]) => values.reduce((a, b) => a + b, 0));
const fail = task('fuse.fail', (_, value: number): number => {
  throw new RangeError(`not ${value}`);
});
const where = task('fuse.where', ({ key }, value: number) => `${key} ${value}`);

const collect = (what: unknown, wanted: readonly string[] = []): CollectedGraph =>
  collectGraph(what, { ...graphTools, isWanted: (key) => wanted.includes(key) });
const plain = (what: unknown) => collectGraph(what, graphTools);
const names = ({ tasks }: CollectedGraph) => tasks.map(({ fn }) => fn);

test('a chain is one task under the key of its last', () => {
  const lazy = inc(inc(first(read(1))));
  const graph = collect(lazy);
  assert.deepEqual(names(graph), ['fuse.read+fuse.first+fuse.inc*2']);
  assert.deepEqual(graph.wants, plain(lazy).wants);
  assert.deepEqual(graph.tasks[0]!.key, plain(lazy).wants[0]);
  assert.deepEqual(graph.tasks[0]!.inputs, []);
});

test('what is wanted here or by an earlier wait, or has two users, stays a task of its own', () => {
  const start = inc(1);
  const middle = inc(start);
  const end = inc(middle);
  assert.deepEqual(names(collect([middle, end])), ['fuse.inc*2+', 'fuse.inc']);
  assert.deepEqual(names(collect(end, [plain(start).wants[0]!])), ['fuse.inc', 'fuse.inc*2+']);
  assert.deepEqual(names(collect(sum([inc(middle), inc(inc(middle))]))).sort(), [
    'fuse.inc',
    'fuse.inc*3+',
    'fuse.sum',
  ]);
});

test('a chain may begin at several inputs, and ends before a task that has others', () => {
  const graph = collect(inc(sum([inc(1), inc(2)])));
  assert.deepEqual(names(graph).sort(), ['fuse.inc', 'fuse.inc', 'fuse.sum+fuse.inc']);
  const last = graph.tasks.at(-1)!;
  assert.deepEqual(last.inputs, plain(sum([inc(1), inc(2)])).tasks.at(-1)!.inputs);
});

test('tasks that different nodes may run, or run differently often, are not fused', () => {
  const apart: readonly (readonly [TaskHints, TaskHints])[] = [
    [{ site: 'a' }, { site: 'b' }],
    [{ site: 'a' }, {}],
    [{ needs: { gpu: 1 } }, {}],
    [{ needs: { gpu: 1 } }, { needs: { gpu: 2 } }],
    [{ stay: true }, {}],
    [{ retries: 1 }, { retries: 2 }],
    [{ near: 'a' }, { near: 'b' }],
    [{ deadlineMs: 1 }, { deadlineMs: 2 }],
    [{ key: 'mine' }, {}],
    [{}, { key: 'mine' }],
  ];
  for (const [one, other] of apart) {
    assert.equal(collect(inc.with(other)(inc.with(one)(1))).tasks.length, 2, JSON.stringify([one, other]));
  }
  const alike: TaskHints = { site: 'a', needs: { gpu: 1 }, retries: 2, stay: true };
  assert.equal(collect(inc.with(alike)(inc.with(alike)(1))).tasks.length, 1);
});

test('hints of a chain add up: all its time, the size of what stays, the bias of any', () => {
  const chain = inc.with({ seconds: 2, bytes: 8 })(inc.with({ seconds: 1, bytes: 800, near: 'a' })(1));
  assert.deepEqual(collect(chain).tasks[0]!.hints, { seconds: 3, bytes: 8, near: 'a' });
  assert.deepEqual(collect(inc(inc.with({ seconds: 1, bytes: 800 })(1))).tasks[0]!.hints, {});
});

test('a long chain becomes tasks of a limited length', () => {
  let lazy = inc(0);
  for (let step = 1; step < 3 * limits.fusedTasks; step++) lazy = inc(lazy);
  const { tasks } = collect(lazy);
  assert.equal(tasks.length, 3);
  assert.deepEqual(tasks[2]!.inputs, [tasks[1]!.key]);
});

test('a chain gives what its tasks would give, and fails as they would', async (t) => {
  const { cluster, client, count } = await startSmallCluster(t, ['a1', 'b1']);
  const apart = await client({ fuse: false });
  const chain = where(sum([inc(first(read(1))), inc(inc(2)), 5]));
  const fused = await cluster.compute(chain);
  // Two clients have no common order: the one's release may come after the other's question.
  await eventually(async () => (await cluster.status()).tasks.held === 0, 'the result is given up');
  const plainly = await apart.compute(chain);
  assert.equal(fused, plainly);
  assert.match(fused, /^fuse\.where-\S+ 11$/);
  assert.equal(count('fuse.first'), 1);
  for (const one of [cluster, apart]) {
    await assert.rejects(one.compute(inc(fail(inc(1)))), { name: 'RangeError', message: 'not 2' });
  }
  assert.equal(await cluster.compute(inc(read(3) as unknown as Lazy<number>)), '[object Object]1');
});

test("an author's name with the joint in it is no chain, and a broken chain is not run", async (t) => {
  const own = task('fuse.a+fuse.b', (_, steps: unknown) => steps);
  const { cluster } = await startSmallCluster(t, ['a1']);
  assert.deepEqual(await cluster.compute(own(own([1]))), [1]);
  const context = { key: 'k', signal: new AbortController().signal } as unknown as TaskContext;
  for (const args of [
    [],
    [[], []],
    [[{ fn: 'fuse.inc' }], [1]],
    [[{ fn: 'x+y', args: encodePacked([1]) }], []],
  ]) {
    await assert.rejects(async () => taskBody('x+y')(context, ...(args as never[])), {
      code: 'invalid-message',
    });
  }
});
