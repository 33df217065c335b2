/**
 * Owns a task as its author writes it: a named function whose call runs nothing but returns a `Lazy`, and the
 * registry in which executors find the function by name. Must not know: where or when tasks run.
 */
import { AsperitasError, type TaskKey } from '../runtime/index.ts';
import type { Hints } from './protocol.ts';

declare const result: unique symbol;

/** A task that has not been sent: an immutable value, typed by what the task returns. */
export interface Lazy<out T> {
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly hints: Hints;
  readonly [result]?: T;
}

/** What may stand for a `T` among arguments: a `T`, a `Lazy<T>`, or a list or record with lazies inside. */
export type Input<T> =
  | T
  | Lazy<T>
  | (T extends readonly (infer E)[] ? readonly Input<E>[] : never)
  | (T extends ArrayBufferView | ((...args: never[]) => unknown)
      ? never
      : T extends object
        ? { readonly [K in keyof T]: Input<T[K]> }
        : never);

/** What a running task is told. */
export interface TaskContext {
  readonly key: TaskKey;
  readonly node: string;
  readonly site: string;
  /** The folder whose files tasks on this node may read (`--data`), if the node has one. */
  readonly data: string | undefined;
  /** Aborted when the run is cancelled or the node stops. */
  readonly signal: AbortSignal;
}

export interface Task<A extends readonly unknown[], R> {
  (...args: { [I in keyof A]: Input<A[I]> }): Lazy<R>;
  /** The same task with hints; later ones win. */
  with(hints: Hints): Task<A, R>;
  readonly taskName: string;
}

type Body = (context: TaskContext, ...args: never[]) => unknown;
const bodies = new Map<string, Body>();
const lazies = new WeakSet<object>();

/** Declares a task under a name that is unique in the process (`module.verb`). Arguments and results are any
 * values
 *  of structured clone; typed arrays are shared, not copied, so a body must not write to its arguments. */
export function task<A extends readonly unknown[], R>(
  name: string,
  run: (context: TaskContext, ...args: A) => R | Promise<R>,
): Task<A, Awaited<R>> {
  if (bodies.has(name))
    throw new AsperitasError('duplicate-task', `two tasks are named ${name}`, { task: name });
  bodies.set(name, run as unknown as Body);
  return hinted(name, {});
}

function hinted<A extends readonly unknown[], R>(name: string, hints: Hints): Task<A, R> {
  const call = (...args: readonly unknown[]): Lazy<R> => {
    const lazy: Lazy<R> = Object.freeze({ fn: name, args: Object.freeze([...args]), hints });
    lazies.add(lazy);
    return lazy;
  };
  return Object.assign(call, {
    with: (more: Hints) => hinted<A, R>(name, { ...hints, ...more }),
    taskName: name,
  }) as unknown as Task<A, R>;
}

export function isLazy(value: unknown): value is Lazy<unknown> {
  return typeof value === 'object' && value !== null && lazies.has(value);
}

/** The body of a task, for executors; throws `unknown-task` when no loaded module declares it. */
export function taskBody(name: string): Body {
  const body = bodies.get(name);
  if (body === undefined) {
    throw new AsperitasError('unknown-task', `no loaded module declares the task ${name}; see --modules`, {
      task: name,
    });
  }
  return body;
}
