/** A fold is a tree of its combining task: in order, or site by site before one hop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold } from '../../scheduler/index.ts';
import { type Future, isLazy, type Lazy, task } from '../../scheduler/task.ts';
import { heldFuture } from '../support/held-future.ts';

const read = task('fold.read', (_, name: string) => name);
const grid = task('fold.grid', (_, name: string) => name);
const join = task('fold.join', (_, names: readonly string[]) => names.join(''));

/** The tree as text: a group in brackets, after it the place it is hinted to. */
function draw(value: unknown): string {
  if (!isLazy(value)) return typeof value === 'string' ? value : (value as Future<string>).key;
  if (value.fn !== 'fold.join') return draw(value.args[0]);
  const group = value.args[0] as readonly unknown[];
  return `(${group.map(draw).join(' ')})${value.hints.near ?? ''}`;
}
const reads = (names: string): Lazy<string>[] => [...names].map((name) => read(name));

test('without a site, neighbours are combined in order', () => {
  assert.equal(draw(fold(reads('abcdefg'), join, { arity: 3 })), '((a b c) (d e f) g)');
});

test('by site, each site is combined at home before one hop', () => {
  const at = (near: string, name: string) => grid(read.with({ near })(name));
  const items = [at('x', 'a'), at('y', 'b'), at('x', 'c'), at('y', 'd'), at('x', 'e')];
  assert.equal(draw(fold(items, join, { arity: 2, by: 'site' })), '(((a c)x e)x (b d)y)');
});

test('futures are combined where they lie, and items of unknown place last', () => {
  const held = (name: string) => heldFuture<string>(name, 'x');
  assert.equal(draw(fold([held('a'), read('b'), held('c')], join, { by: 'site' })), '((a c)x b)');
});

test('a single item is its own fold; none is an error', () => {
  const only = read('a');
  assert.equal(fold([only], join), only);
  assert.throws(() => fold([], join), { code: 'empty-fold' });
});

test('a fold of 100,000 items made from one long chain is built without recursion', () => {
  let chain = grid('start');
  const items: Lazy<string>[] = [];
  for (let step = 0; step < 100_000; step++) items.push((chain = grid(chain)));
  assert.ok(isLazy(fold(items, join, { by: 'site' })));
});
