/**
 * Owns the promise that a cluster makes to its user: the interface that `connect` and a local cluster give.
 * Must not know: how it is kept.
 */
import type { ActorDefinition, ActorMessages } from '../runtime/index.ts';
import type { ActorAddress, ActorRef } from './actor-ref.ts';
import type { Actors } from './client-actors.ts';
import type { Inspector } from './client-inspect.ts';
import type { Lock, Semaphore, SharedEvent, SharedQueue, Topic, Variable } from './coordination.ts';
import type { RunTrace, ToClient } from './protocol.ts';
import type { SpawnOptions } from './supervision.ts';
import type { Future, Held, Lazy, Resolved } from './task.ts';

/** How long and under whose control to wait. An aborted wait cancels its tasks and rejects with `aborted`; a
 * late one with `timeout`. */
export interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** The end of one of several tasks. */
export type Completed<T> =
  | { readonly index: number; readonly value: T; readonly error?: undefined }
  | { readonly index: number; readonly value?: undefined; readonly error: Error };

/** Counts of this client's tasks since it connected, and of the cluster now. */
export type Progress = Omit<Extract<ToClient, { readonly type: 'progress' }>, 'type'>;
export type ClusterStatus = Omit<Extract<ToClient, { readonly type: 'status' }>, 'type'>;

/** What it takes to run graphs on a cluster. Every promise rejects with `scheduler-lost` when the scheduler
 * is gone, and with a task's own error (name, message, code, fields; the remote stack in its cause) when it
 * failed. */
export interface GraphCluster {
  /** Runs what is lazy in `what` (a lazy, a future, or plain lists and records of them), fetches the
   * results, releases them, and gives `what` with results in their places. */
  compute<const T>(what: T, options?: WaitOptions): Promise<Resolved<T>>;
  /** Runs what is lazy in `what` and leaves the results on the nodes; resolves when all are held. */
  persist<const T>(what: T, options?: WaitOptions): Promise<Held<T>>;
  /** Runs all, and gives each result in the order of completion. A result is fetched when it is asked for,
   * so a slow consumer holds memory on the nodes, not here. Leaving the loop cancels the rest. */
  asCompleted<T>(
    lazies: readonly (Lazy<T> | Future<T>)[],
    options?: WaitOptions,
  ): AsyncIterable<Completed<T>>;
  status(options?: WaitOptions): Promise<ClusterStatus>;
  /** The runs so far, as many as the scheduler keeps. */
  trace(options?: WaitOptions): Promise<readonly RunTrace[]>;
  /** Calls `listener` a few times a second while tasks are unfinished; returns the way to stop. */
  onProgress(listener: (progress: Progress) => void): () => void;
  /** Lets nodes finish what runs, then ends every node and the scheduler; resolves when it has gone. */
  shutdown(options?: WaitOptions): Promise<void>;
  /** Releases what this client wants and disconnects. The cluster goes on. */
  close(): Promise<void>;
}

/** Results in the order of completion, to which more may be added while they are looped over. */
export interface CompletedIterable<T> extends AsyncIterable<Completed<T>> {
  /** Returns the index of the first one added: those given to `asCompleted` come before. */
  add(items: readonly (Lazy<T> | Future<T>)[]): number;
}

export type WaitFor = 'all' | 'first';

/** Where data are put: on the named node, else on one of the site, else on one of all, where most memory is
 * free. */
export interface ScatterOptions extends WaitOptions {
  /** A copy on each of these nodes. */
  readonly broadcast?: boolean;
  readonly node?: string;
  readonly site?: string;
  /** The data must not leave the sites on which they are put. */
  readonly stay?: boolean;
}

/** A client's view of a cluster. Equal tasks of one client or several run once. */
export interface Cluster extends GraphCluster {
  /** Sends a task and returns at once. The result is kept on a node until the future is released, by
   * `release`, at the end of a block with `using`, or some time after the program has dropped it. */
  submit<T>(lazy: Lazy<T> | Future<T>): Future<T>;
  /** Submits the task of every item. */
  map<A, T>(task: (item: A) => Lazy<T>, items: Iterable<A>): Future<T>[];
  /** Puts a value of this program on a node, directly, and resolves when it is held there: the future is one
   * like any other, of data that no run can make again. The value must not change before that. Rejects with
   * `datum-too-large`, `no-such-node`, `no-such-site`, `not-serialisable`. */
  scatter<T>(value: T, options?: ScatterOptions): Promise<Future<T>>;
  /** The same for each of several values: they are spread over the nodes. */
  scatterAll<T>(values: Iterable<T>, options?: ScatterOptions): Promise<Future<T>[]>;
  /** `what` (a future, or plain lists and records of them) with results in their places. */
  gather<const T>(what: T, options?: WaitOptions): Promise<Resolved<T>>;
  /** Waits until all futures are done, or the first is, whatever their ends. */
  wait<T>(
    futures: readonly Future<T>[],
    options?: WaitOptions & { readonly for?: WaitFor },
  ): Promise<{ readonly done: Future<T>[]; readonly pending: Future<T>[] }>;
  asCompleted<T>(items: readonly (Lazy<T> | Future<T>)[], options?: WaitOptions): CompletedIterable<T>;
  /** Cancels the futures in `what` that are pending. */
  cancel(what: unknown): void;
  /** Releases the futures in `what`. */
  release(what: unknown): void;
  /** Runs again what has failed among the futures in `what`, from where the failure began. */
  retry(what: unknown): void;
  /** Runs what is lazy in `what`, and has it and the futures in `what` run to their ends though nobody keeps
   * a handle of them. */
  forget(what: unknown): void;
  /** Leaves `what` for other clients under a name; its results are kept, beyond the end of this client, until
   * it is unpublished. Rejects with `dataset-exists`. */
  publish(name: string, what: unknown, options?: WaitOptions): Promise<void>;
  /** Rejects with `no-such-dataset`. */
  unpublish(name: string, options?: WaitOptions): Promise<void>;
  /** What was published, with futures of this client in their places. Rejects with `no-such-dataset`. */
  dataset(name: string, options?: WaitOptions): Promise<unknown>;
  /** The names of all published data sets, sorted. */
  datasets(options?: WaitOptions): Promise<readonly string[]>;
  /** Spawns an actor; resolves when its state is made. It ends with this client unless it is `detached`.
   * @throws AsperitasError `actor-name-taken`, `timeout` (no node had room), or what `init` throws */
  spawn<O, M extends ActorMessages>(
    definition: ActorDefinition<O, M>,
    options: O,
    more?: SpawnOptions,
  ): Promise<ActorRef<M>>;
  /** The living actor of a name, or the one that an address (a reference that was sent) stands for.
   * @throws AsperitasError `no-such-actor`, `another-actor` */
  actor<O, M extends ActorMessages>(
    definition: ActorDefinition<O, M>,
    which: string | ActorAddress,
    wait?: WaitOptions,
  ): Promise<ActorRef<M>>;
  /** Groups of actors. */
  readonly actors: Actors;
  /** A lock of the whole cluster; these and the following are explained in `coordination.ts`. */
  lock(name: string): Lock;
  semaphore(name: string, options: { readonly leases: number }): Semaphore;
  event(name: string): SharedEvent;
  /** A queue with at most `limit` items, 10,000 unless its first user says otherwise. */
  queue<T>(name: string, options?: { readonly limit?: number }): SharedQueue<T>;
  variable<T>(name: string): Variable<T>;
  topic<T>(name: string): Topic<T>;
  /** What an operator asks: why a task waits, what holds a node up, how much has travelled. */
  readonly inspect: Inspector;
  /** Closes it at the end of a block (`await using`). */
  [Symbol.asyncDispose](): Promise<void>;
}
