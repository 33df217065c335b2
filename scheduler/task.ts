/**
 * Owns a task as its author writes it: a named function whose call runs nothing but returns a `Lazy`; the
 * `Future` that stands for a result left on the nodes; and the registry in which executors find the function
 * by name. Must not know: where or when tasks run.
 */
import { AsperitasError, type SiteName, type TaskKey } from '../runtime/index.ts';
import { chainBody, isChain } from './chain.ts';
import type { Cluster, WaitOptions } from './cluster.ts';
import type { Hints } from './protocol.ts';

declare const result: unique symbol;

/** A task that has not been sent: an immutable value, typed by what the task returns. */
export interface Lazy<out T> {
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly hints: Hints;
  /** The author's word for the task (`with({ key })`). */
  readonly name: string | undefined;
  readonly [result]?: T;
}

/** `held`: the result lies on a node. What is lost there and made again is `pending` meanwhile. */
export type FutureStatus = 'pending' | 'held' | 'failed' | 'cancelled' | 'released';

/** A result that is on its way, or lies on one or more nodes until it is released; may stand among the
 * arguments of later tasks of the same cluster. */
export interface Future<out T> {
  readonly key: TaskKey;
  readonly status: FutureStatus;
  /** Whether it has come to an end, whatever end. */
  readonly done: boolean;
  /** Size of the result as it lies on the node, once it is held. */
  readonly bytes: number | undefined;
  /** A site that holds it. */
  readonly site: SiteName | undefined;
  /** The result, fetched from a node that holds it; waits until there is one. A wait that is late (`timeout`)
   * or aborted does not cancel the task. Rejects with the task's error, or `future-released`. */
  result(options?: WaitOptions): Promise<T>;
  /** Cancels the task for this client, unless it has ended: then nothing changes. Whoever waits for it here
   * gets `cancelled`; it goes on if another client wants it. */
  cancel(): void;
  /** Gives the result up: it is dropped once no unfinished task needs it. Repeating it changes nothing. */
  release(): void;
  /** The same, at the end of a block (`using`). */
  [Symbol.dispose](): void;
  readonly [result]?: T;
}

/** Values that are handed over whole: no lazy is looked for inside them. */
type Whole =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | Date
  | RegExp
  | Error
  | ((...args: never[]) => unknown);
type Keyed = ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;

/** What may stand for a `T` among arguments: a `T`, a lazy or held `T`, or a list or record of such. */
export type Input<T> =
  | T
  | Lazy<T>
  | Future<T>
  | (T extends readonly (infer E)[] ? readonly Input<E>[] : never)
  | (T extends Whole | Keyed ? never : T extends object ? { readonly [K in keyof T]: Input<T[K]> } : never);

/** What `compute` gives for a value with lazies and futures inside: their results in their places. */
export type Resolved<T> =
  T extends Lazy<infer U>
    ? U
    : T extends Future<infer U>
      ? U
      : T extends Whole | Keyed
        ? T
        : T extends object
          ? { readonly [K in keyof T]: Resolved<T[K]> }
          : T;

/** What `persist` gives for a value with lazies inside: futures in their places. */
export type Held<T> =
  T extends Lazy<infer U>
    ? Future<U>
    : T extends Future<infer U>
      ? Future<U>
      : T extends Whole | Keyed
        ? T
        : T extends object
          ? { readonly [K in keyof T]: Held<T[K]> }
          : T;

/** Hints as an author writes them: a site is its name. */
export type TaskHints = Omit<Hints, 'site' | 'needs' | 'orNeeds'> & {
  /** Resources held while running, such as `{ gpu: 1 }`; `threads` is 1 unless told. A list: the first of
   * these ways for which a node has room. */
  readonly needs?: Readonly<Record<string, number>> | readonly Readonly<Record<string, number>>[] | undefined;
  readonly site?: string | undefined;
  /** A word for the task. No other may bear it while the scheduler knows this one (`key-conflict`). */
  readonly key?: string | undefined;
};

/** What a running task is told. */
export interface TaskContext {
  readonly key: TaskKey;
  readonly node: string;
  readonly site: string;
  /** The folder whose files tasks on this node may read (`--data`), if the node has one. */
  readonly data: string | undefined;
  /** Aborted when the run is cancelled or the node stops. */
  readonly signal: AbortSignal;
  /** A client of the cluster on which the task runs, for tasks that submit tasks. While the body waits for
   * something of it, its thread is free for others; what is not published or forgotten goes with the run.
   * Rejects as `connect` does. */
  cluster(): Promise<Cluster>;
}

export interface Task<A extends readonly unknown[], R> {
  (...args: { [I in keyof A]: Input<A[I]> }): Lazy<R>;
  /** The same task with hints; later ones win. */
  with(hints: TaskHints): Task<A, R>;
  readonly taskName: string;
}

type Body = (context: TaskContext, ...args: never[]) => unknown;
const bodies = new Map<string, Body>();
const lazies = new WeakSet<object>();
const futures = new WeakSet<object>();

/** Declares a task under a name that is unique in the process (`module.verb`). Arguments and results are any
 * values of structured clone; typed arrays are shared, not copied, so a body must not write to its
 * arguments. Throws `duplicate-task`. */
export function task<A extends readonly unknown[], R>(
  name: string,
  run: (context: TaskContext, ...args: A) => R | Promise<R>,
): Task<A, Awaited<R>> {
  if (bodies.has(name))
    throw new AsperitasError('duplicate-task', `two tasks are named ${name}`, { task: name });
  bodies.set(name, run as unknown as Body);
  return hinted(name, {});
}

function hinted<A extends readonly unknown[], R>(fn: string, given: TaskHints): Task<A, R> {
  const { key: name, needs, ...others } = given;
  const hints = { ...others, ...needsHints(needs) };
  const call = (...args: readonly unknown[]): Lazy<R> =>
    lazyOf({ fn, args: Object.freeze([...args]), hints: hints as Hints, name });
  return Object.assign(call, {
    with: (more: TaskHints) => hinted<A, R>(fn, { ...given, ...more }),
    taskName: fn,
  }) as unknown as Task<A, R>;
}

/** On the wire the first way stands by itself. */
function needsHints(needs: TaskHints['needs']): Pick<Hints, 'needs' | 'orNeeds'> {
  if (needs === undefined) return {};
  if (!Array.isArray(needs)) return { needs: needs as Readonly<Record<string, number>> };
  const [first, ...others] = needs as readonly Readonly<Record<string, number>>[];
  if (first === undefined) return {};
  return others.length === 0 ? { needs: first } : { needs: first, orNeeds: others };
}

function lazyOf<R>(fields: Omit<Lazy<R>, typeof result>): Lazy<R> {
  const lazy: Lazy<R> = Object.freeze({ ...fields });
  lazies.add(lazy);
  return lazy;
}

/** The same task with these hints where it has none of its own. */
export function withDefaultHints<R>(lazy: Lazy<R>, hints: Hints): Lazy<R> {
  return lazyOf({ ...lazy, hints: { ...hints, ...lazy.hints } });
}

export function isLazy(value: unknown): value is Lazy<unknown> {
  return typeof value === 'object' && value !== null && lazies.has(value);
}

/** For clients: makes a handle known as a future. */
export function futureOf<T>(handle: Future<T>): Future<T> {
  futures.add(Object.freeze(handle));
  return handle;
}

export function isFuture(value: unknown): value is Future<unknown> {
  return typeof value === 'object' && value !== null && futures.has(value);
}

/** The body of a task, for executors; throws `unknown-task` when no loaded module declares it. */
export function taskBody(name: string): Body {
  const body = bodies.get(name) ?? (isChain(name) ? chainBody(taskBody) : undefined);
  if (body === undefined) {
    throw new AsperitasError('unknown-task', `no loaded module declares the task ${name}; see --modules`, {
      task: name,
    });
  }
  return body;
}
