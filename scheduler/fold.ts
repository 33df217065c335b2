/**
 * Owns the rewriting of an associative reduction into a tree, so that partial results are combined where they
 * lie and each site sends one over the long line. Pure. Must not know: keys, nodes, what is combined.
 */
import { AsperitasError } from '../runtime/index.ts';
import { findInputs } from './references.ts';
import { type Future, type Input, isFuture, isLazy, type Lazy, withDefaultHints } from './task.ts';

export interface FoldOptions {
  /** How many results one combining task takes at most; 8 unless told, at least 2. */
  readonly arity?: number;
  /** `site`: items made at one site are combined there first, so `combine` must also be commutative.
   * Otherwise only neighbours are combined, in order. */
  readonly by?: 'site';
}
type Item<T> = Lazy<T> | Future<T>;
type Place = string | undefined;

/** Where an item's result will be: its own hint, or the one place that all it is made of agrees on. */
function placesOf(items: readonly unknown[]): (item: unknown) => Place {
  const known = new Map<unknown, Place>();
  const inputsOf = (lazy: Lazy<unknown>): unknown[] => {
    const inputs: unknown[] = [];
    findInputs(
      lazy.args,
      (value) => isLazy(value) || isFuture(value),
      (value) => inputs.push(value),
    );
    return inputs;
  };
  for (const item of items) {
    const stack: { item: unknown; inputs: readonly unknown[]; next: number }[] = [];
    const enter = (value: unknown): void => {
      if (known.has(value)) return;
      if (isFuture(value)) known.set(value, value.site);
      else if (!isLazy(value)) known.set(value, undefined);
      else if (value.hints.site !== undefined) known.set(value, value.hints.site);
      else if (value.hints.near !== undefined) known.set(value, value.hints.near);
      else stack.push({ item: value, inputs: inputsOf(value), next: 0 });
    };
    enter(item);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next < top.inputs.length) {
        enter(top.inputs[top.next++]);
        continue;
      }
      const places = new Set(
        top.inputs.map((input) => known.get(input)).filter((place) => place !== undefined),
      );
      known.set(top.item, places.size === 1 ? [...places][0] : undefined);
      stack.pop();
    }
  }
  return (item) => known.get(item);
}

/** Reduces `items` by `combine`, a task over a list (or a function that calls one), as a tree of tasks.
 * A single lazy item is its own fold. Throws `empty-fold`. */
export function fold<T>(
  items: readonly Item<T>[],
  combine: (group: readonly Input<NoInfer<T>>[]) => Lazy<T>,
  options: FoldOptions = {},
): Lazy<T> {
  const arity = Math.max(2, Math.floor(options.arity ?? 8));
  const reduce = (level: readonly Item<T>[], near: Place): Item<T> => {
    let current = level;
    while (current.length > 1) {
      const next: Item<T>[] = [];
      for (let start = 0; start < current.length; start += arity) {
        const group = current.slice(start, start + arity);
        if (group.length === 1) next.push(group[0]!);
        else next.push(near === undefined ? combine(group) : withDefaultHints(combine(group), { near }));
      }
      current = next;
    }
    return current[0]!;
  };
  if (items.length === 0) throw new AsperitasError('empty-fold', 'fold was given no items to combine');
  let parts: readonly Item<T>[] = items;
  if (options.by === 'site') {
    const placeOf = placesOf(items);
    const groups = new Map<Place, Item<T>[]>();
    for (const item of items) {
      const place = placeOf(item);
      const group = groups.get(place);
      if (group === undefined) groups.set(place, [item]);
      else group.push(item);
    }
    // Items of no known place are not brought together first: that would be a hop of their own.
    parts = [...groups].flatMap(([place, group]) => (place === undefined ? group : [reduce(group, place)]));
  }
  const whole = reduce(parts, undefined);
  return isLazy(whole) ? (whole as Lazy<T>) : combine([whole]);
}
