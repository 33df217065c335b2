/**
 * Owns the view of a cluster that passes everything on to another view, for those that change a part of it:
 * how it ends, or what a wait does meanwhile. Must not know: what they change.
 */
import type { ActorDefinition, ActorMessages } from '../runtime/index.ts';
import type { ActorAddress } from './actor-ref.ts';
import type { Actors } from './client-actors.ts';
import type { Inspector } from './client-inspect.ts';
import type {
  Cluster,
  ClusterStatus,
  CompletedIterable,
  Progress,
  ScatterOptions,
  WaitFor,
  WaitOptions,
} from './cluster.ts';
import type { Lock, Semaphore, SharedEvent, SharedQueue, Topic, Variable } from './coordination.ts';
import type { RunTrace } from './protocol.ts';
import type { SpawnOptions } from './supervision.ts';
import type { Future, Held, Lazy, Resolved } from './task.ts';

export abstract class DelegatingCluster implements Cluster {
  protected readonly client: Cluster;

  constructor(client: Cluster) {
    this.client = client;
  }

  spawn<O, M extends ActorMessages>(definition: ActorDefinition<O, M>, options: O, more?: SpawnOptions) {
    return this.client.spawn(definition, options, more);
  }

  actor<O, M extends ActorMessages>(
    definition: ActorDefinition<O, M>,
    which: string | ActorAddress,
    wait?: WaitOptions,
  ) {
    return this.client.actor(definition, which, wait);
  }

  get actors(): Actors {
    return this.client.actors;
  }

  get inspect(): Inspector {
    return this.client.inspect;
  }

  submit<T>(lazy: Lazy<T> | Future<T>): Future<T> {
    return this.client.submit(lazy);
  }

  map<A, T>(task: (item: A) => Lazy<T>, items: Iterable<A>): Future<T>[] {
    return this.client.map(task, items);
  }

  scatter<T>(value: T, options?: ScatterOptions): Promise<Future<T>> {
    return this.client.scatter(value, options);
  }

  scatterAll<T>(values: Iterable<T>, options?: ScatterOptions): Promise<Future<T>[]> {
    return this.client.scatterAll(values, options);
  }

  compute<const T>(what: T, options?: WaitOptions): Promise<Resolved<T>> {
    return this.client.compute(what, options);
  }

  persist<const T>(what: T, options?: WaitOptions): Promise<Held<T>> {
    return this.client.persist(what, options);
  }

  gather<const T>(what: T, options?: WaitOptions): Promise<Resolved<T>> {
    return this.client.gather(what, options);
  }

  wait<T>(
    futures: readonly Future<T>[],
    options?: WaitOptions & { readonly for?: WaitFor },
  ): Promise<{ readonly done: Future<T>[]; readonly pending: Future<T>[] }> {
    return this.client.wait(futures, options);
  }

  asCompleted<T>(items: readonly (Lazy<T> | Future<T>)[], options?: WaitOptions): CompletedIterable<T> {
    return this.client.asCompleted(items, options);
  }

  cancel(what: unknown): void {
    this.client.cancel(what);
  }

  release(what: unknown): void {
    this.client.release(what);
  }

  retry(what: unknown): void {
    this.client.retry(what);
  }

  forget(what: unknown): void {
    this.client.forget(what);
  }

  publish(name: string, what: unknown, options?: WaitOptions): Promise<void> {
    return this.client.publish(name, what, options);
  }

  unpublish(name: string, options?: WaitOptions): Promise<void> {
    return this.client.unpublish(name, options);
  }

  dataset(name: string, options?: WaitOptions): Promise<unknown> {
    return this.client.dataset(name, options);
  }

  datasets(options?: WaitOptions): Promise<readonly string[]> {
    return this.client.datasets(options);
  }

  lock(name: string): Lock {
    return this.client.lock(name);
  }

  semaphore(name: string, options: { readonly leases: number }): Semaphore {
    return this.client.semaphore(name, options);
  }

  event(name: string): SharedEvent {
    return this.client.event(name);
  }

  queue<T>(name: string, options?: { readonly limit?: number }): SharedQueue<T> {
    return this.client.queue(name, options);
  }

  variable<T>(name: string): Variable<T> {
    return this.client.variable(name);
  }

  topic<T>(name: string): Topic<T> {
    return this.client.topic(name);
  }

  status(options?: WaitOptions): Promise<ClusterStatus> {
    return this.client.status(options);
  }

  trace(options?: WaitOptions): Promise<readonly RunTrace[]> {
    return this.client.trace(options);
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    return this.client.onProgress(listener);
  }

  shutdown(options?: WaitOptions): Promise<void> {
    return this.client.shutdown(options);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
