/**
 * Owns the step from lazy values to a graph: walks them (a chain may be 100,000 long: no recursion over
 * tasks), gives each task a key from its content so that equal tasks merge, and encodes arguments with
 * references to inputs. Only what is wanted is walked, so nothing else is ever sent. Pure: the codec and the
 * hash are arguments. Must not know: connections, the scheduler's state.
 */
import { AsperitasError, type TaskKey, taskKey } from '../runtime/index.ts';
import { fuseChains } from './fuse.ts';
import { orderTasks } from './order.ts';
import type { Hints, TaskSpec } from './protocol.ts';
import { findInputs, writeReferences } from './references.ts';
import { type Future, isFuture, isLazy, type Lazy } from './task.ts';

/** What collecting a graph takes from outside. */
export interface GraphTools {
  /** Deterministic: equal values give equal bytes. */
  readonly encode: (value: unknown) => Uint8Array;
  /** Results that must be had by themselves, beside those that are asked for here; without it, nothing is
   * fused. */
  readonly isWanted?: ((key: TaskKey) => boolean) | undefined;
  /** For tasks that have none of their own. */
  readonly hints?: Hints | undefined;
  /** A collision-free digest of the parts, as a short text. */
  readonly digest: (parts: readonly (string | Uint8Array)[]) => string;
}

/** A graph ready to be submitted, and the value that was asked for with references in place of results. */
export interface CollectedGraph {
  /** Inputs before users, in the order in which they are best run. */
  readonly tasks: readonly TaskSpec[];
  /** The tasks and futures standing in `shape`, each once; a reference's index counts in this list. */
  readonly wants: readonly TaskKey[];
  readonly shape: unknown;
}

type Source = Lazy<unknown> | Future<unknown>;
interface Frame {
  readonly lazy: Lazy<unknown>;
  readonly inputs: readonly Source[];
  next: number;
}

function isSource(value: object): value is Source {
  return isLazy(value) || isFuture(value);
}

function sourcesIn(value: unknown): Source[] {
  const found = new Set<Source>();
  findInputs(value, isSource, (source) => found.add(source as Source));
  return [...found];
}

/** Two users of one task may hint differently: bounds add up, the first word stands for the rest. */
function mergeHints(first: Hints, second: Hints): Hints {
  const merged: Record<string, unknown> = { ...second, ...first };
  for (const name of ['retries', 'priority'] as const) {
    const values = [first[name], second[name]].filter((value) => value !== undefined);
    if (values.length > 0) merged[name] = Math.max(...values);
  }
  return merged as Hints;
}

class Collector {
  readonly specs = new Map<TaskKey, TaskSpec>();
  readonly #keys = new Map<Lazy<unknown>, TaskKey>();
  readonly #names = new Map<string, TaskKey>();
  readonly #tools: GraphTools;

  constructor(tools: GraphTools) {
    this.#tools = tools;
  }

  /** The source's key; a lazy must have been walked. */
  keyOf(source: Source): TaskKey {
    return isFuture(source) ? source.key : this.#keys.get(source)!;
  }

  /** `value` with references, and the keys they count in. */
  refer(value: unknown, sources: readonly Source[]): { keys: TaskKey[]; shape: unknown } {
    const places = new Map<TaskKey, number>();
    for (const source of sources) {
      const key = this.keyOf(source);
      if (!places.has(key)) places.set(key, places.size);
    }
    const placeOf = (inner: object): number | undefined =>
      isSource(inner) ? places.get(this.keyOf(inner)) : undefined;
    const shape =
      places.size === 0 ? writeReferences(value, () => undefined) : writeReferences(value, placeOf);
    return { keys: [...places.keys()], shape };
  }

  walk(root: Lazy<unknown>): void {
    const stack: Frame[] = [];
    const enter = (source: Source): void => {
      if (isFuture(source) || this.#keys.has(source)) return;
      stack.push({ lazy: source, inputs: sourcesIn(source.args), next: 0 });
    };
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next < top.inputs.length) {
        enter(top.inputs[top.next++]!);
      } else {
        this.#specify(top.lazy, top.inputs);
        stack.pop();
      }
    }
  }

  #specify(lazy: Lazy<unknown>, sources: readonly Source[]): void {
    const { fn, name } = lazy;
    const hints = this.#tools.hints === undefined ? lazy.hints : { ...this.#tools.hints, ...lazy.hints };
    const { keys: inputs, shape } = this.refer(lazy.args, sources);
    const args = this.#tools.encode(shape);
    // A path names other bytes at another site, so the place where a task reads is part of what it is.
    const identity = JSON.stringify([fn, hints.site ?? null, hints.near ?? null, inputs]);
    const key = taskKey(`${name ?? fn}-${this.#tools.digest([identity, args])}`);
    this.#claim(name, key);
    const known = this.specs.get(key);
    this.specs.set(
      key,
      known === undefined
        ? { key, fn, args, inputs, hints, ...(name === undefined ? {} : { name }) }
        : { ...known, hints: mergeHints(known.hints, hints) },
    );
    this.#keys.set(lazy, key);
  }

  #claim(name: string | undefined, key: TaskKey): void {
    if (name === undefined) return;
    const bearer = this.#names.get(name) ?? key;
    this.#names.set(name, bearer);
    if (bearer === key) return;
    const message = `the key ${name} is given to two tasks that differ (${bearer}, ${key})`;
    throw new AsperitasError('key-conflict', message, { name });
  }
}

function fusedTasks(
  tasks: readonly TaskSpec[],
  wants: readonly TaskKey[],
  { encode, isWanted }: GraphTools,
): readonly TaskSpec[] {
  if (isWanted === undefined || tasks.length < 2) return tasks;
  const asked = new Set(wants);
  return fuseChains(tasks, { encode, isWanted: (key) => asked.has(key) || isWanted(key) });
}

/** The graph of all lazies and futures in `what`, itself one of them or plain lists and records of them.
 * Throws `arguments-too-deep`. */
export function collectGraph(what: unknown, tools: GraphTools): CollectedGraph {
  const collector = new Collector(tools);
  const sources = sourcesIn(what);
  for (const source of sources) if (isLazy(source)) collector.walk(source);
  const { keys: wants, shape } = collector.refer(what, sources);
  return { tasks: orderTasks(fusedTasks([...collector.specs.values()], wants, tools), wants), wants, shape };
}
