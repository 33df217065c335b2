/** Lazy values become graphs: equal tasks merge, long chains and wide fans work, keys depend on content
 * alone. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { collectGraph, type GraphTools } from '../../scheduler/graph.ts';
import { bindReferences } from '../../scheduler/references.ts';
import { type Lazy, task } from '../../scheduler/task.ts';
import { heldFuture } from '../support/held-future.ts';

const tools: GraphTools = {
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  digest: (parts) => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest('base64url').slice(0, 16);
  },
};
const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

const read = task('graph.read', (_, path: string) => path.length);
const inc = task('graph.inc', (_, value: number) => value + 1);
const sum = task('graph.sum', (_, values: readonly number[]) => values.reduce((a, b) => a + b, 0));
const pick = task('graph.pick', (_, spec: { readonly a: number; readonly b: readonly number[] }) => spec.a);

test('a task has one key, whoever builds it and whenever', () => {
  const first = collectGraph(inc(read('a.ms')), tools);
  const second = collectGraph([inc(read('a.ms')), inc(read('b.ms'))], tools);
  assert.equal(first.wants[0], second.wants[0]);
  assert.notEqual(second.wants[0], second.wants[1]);
  assert.match(first.wants[0]!, /^graph\.inc-[\w-]+$/);
});

test('equal tasks merge, and an input named twice is one input', () => {
  const { tasks, wants, shape } = collectGraph({ x: sum([read('a'), read('a'), 3]), y: read('a') }, tools);
  assert.deepEqual(
    tasks.map(({ fn }) => fn),
    ['graph.read', 'graph.sum'],
  );
  assert.deepEqual(tasks[1]!.inputs, [tasks[0]!.key]);
  assert.deepEqual(decode(tasks[1]!.args), [[{ $task: 0 }, { $task: 0 }, 3]]);
  assert.deepEqual(wants, [tasks[1]!.key, tasks[0]!.key]);
  assert.deepEqual(bindReferences(shape, [10, 20]), { x: 10, y: 20 });
});

test('the same path read at two sites is two tasks; an estimate makes no difference', () => {
  const keyOf = (lazy: Lazy<unknown>) => collectGraph(lazy, tools).wants[0];
  assert.notEqual(keyOf(read.with({ near: 'nancay' })('a')), keyOf(read.with({ near: 'paris' })('a')));
  assert.equal(keyOf(read.with({ bytes: 5, seconds: 1 })('a')), keyOf(read('a')));
});

test('lazies and futures are found inside lists and records of arguments', () => {
  const held = heldFuture<number>('k', 'paris');
  const { tasks } = collectGraph(pick({ a: held, b: [1, inc(2)] }), tools);
  assert.deepEqual(tasks.at(-1)!.inputs, ['k', tasks[0]!.key]);
  assert.deepEqual(decode(tasks.at(-1)!.args), [{ a: { $task: 0 }, b: [1, { $task: 1 }] }]);
});

test("a user's own $task field is not taken for a reference", () => {
  const echo = task('graph.echo', (_, value: unknown) => value);
  const value = { $task: 0, deep: [{ $$task: 'x' }] };
  const { tasks } = collectGraph(echo(value), tools);
  assert.deepEqual(bindReferences(decode(tasks[0]!.args), []), [value]);
});

test('a chain of 100,000 tasks and a fan-in of 100,000 are collected', () => {
  let chain = inc(0);
  for (let step = 1; step < 100_000; step++) chain = inc(chain);
  const long = collectGraph(chain, tools);
  assert.equal(long.tasks.length, 100_000);
  assert.deepEqual(long.tasks[99_999]!.inputs, [long.tasks[99_998]!.key]);
  const wide = collectGraph(sum(Array.from({ length: 100_000 }, (_, index) => inc(index))), tools);
  assert.equal(wide.tasks.length, 100_001);
  assert.equal(wide.tasks.at(-1)!.inputs.length, 100_000);
});

test('a cycle in plain arguments is an error, not a hang', () => {
  const loop: unknown[] = [];
  loop.push(loop);
  assert.throws(() => collectGraph(loop, tools), { code: 'arguments-too-deep' });
});

test('branches are ordered to be finished one by one, the one that needs most memory first', () => {
  const names = new Map<string, string>();
  const leaf = (name: string) => read(name);
  const left = sum([leaf('a'), leaf('b')]);
  const right = sum([sum([leaf('c'), leaf('d')]), sum([leaf('e'), leaf('f')])]);
  for (const name of 'abcdef') names.set(collectGraph(leaf(name), tools).wants[0]!, name);
  const { tasks } = collectGraph(sum([left, right]), tools);
  assert.equal(tasks.map(({ key }) => names.get(key) ?? '+').join(''), 'cd+ef++ab++');
});
