/**
 * Owns the promises of `Cluster`, put together from the parts of a client: its connection, its jobs, futures,
 * data sets and questions. Must not know: how any of them works.
 */
import {
  type ActorDefinition,
  type ActorMessages,
  type AsperitasError,
  assertNever,
  decodePacked,
  encodePacked,
  type TaskKey,
  webSocketTransport,
} from '../runtime/index.ts';
import { ActorLinks } from './actor-links.ts';
import type { ActorAddress } from './actor-ref.ts';
import { ClientActors, isActorNews } from './client-actors.ts';
import { ClientConnection, type ConnectOptions, type SchedulerNews } from './client-connection.ts';
import { Coordination } from './client-coordination.ts';
import { Datasets } from './client-datasets.ts';
import { Futures, futuresIn } from './client-futures.ts';
import { ClientInspector, type InspectorTools, isAnswer } from './client-inspect.ts';
import { type Job, Jobs } from './client-jobs.ts';
import { Questions } from './client-questions.ts';
import { Scatter } from './client-scatter.ts';
import { until } from './client-wait.ts';
import type {
  Cluster,
  ClusterStatus,
  CompletedIterable,
  Progress,
  ScatterOptions,
  WaitFor,
  WaitOptions,
} from './cluster.ts';
import { CompletedRuns } from './completed-runs.ts';
import { Completions } from './completions.ts';
import type { Lock, Semaphore, SharedEvent, SharedQueue, Topic, Variable } from './coordination.ts';
import { DataLinks } from './data-links.ts';
import type { RunTrace, ToScheduler } from './protocol.ts';
import { bindReferences } from './references.ts';
import type { SpawnOptions } from './supervision.ts';
import type { Future, Held, Lazy, Resolved } from './task.ts';

export type { ConnectOptions } from './client-connection.ts';

class Client implements Cluster {
  readonly inspect: ClientInspector;
  readonly actors: ClientActors;
  readonly #connection: ClientConnection;
  readonly #links: DataLinks;
  readonly #jobs: Jobs;
  readonly #futures: Futures;
  readonly #progressListeners = new Set<(progress: Progress) => void>();
  readonly #questions: Questions;
  readonly #datasets: Datasets;
  readonly #scatter: Scatter;
  readonly #coordination: Coordination;

  constructor(connection: ClientConnection, options: ConnectOptions) {
    const { token, transport = webSocketTransport } = options;
    this.#connection = connection;
    this.#links = new DataLinks({ token, transport });
    const tell = (message: ToScheduler): void => connection.send(message);
    this.#jobs = new Jobs(connection, this.#links, options);
    this.#futures = new Futures(this.#jobs);
    this.#scatter = new Scatter({ jobs: this.#jobs, futures: this.#futures, token, transport });
    this.#questions = new Questions(tell);
    this.#datasets = new Datasets((request) => this.#jobs.tellInOrder(request));
    this.#coordination = new Coordination(this.#jobs, this.#futures);
    const tools: InspectorTools = {
      tell,
      within: (what, limits, body) => this.#jobs.within(what, limits, body),
    };
    this.inspect = new ClientInspector(tools);
    this.actors = new ClientActors(tools, new ActorLinks({ token, transport }));
    connection.listen({
      onNews: (news) => this.#receive(news),
      onReturn: (known) => this.#onReturn(known),
      onLost: (error) => this.#giveUp(error),
    });
  }

  submit<T>(lazy: Lazy<T> | Future<T>): Future<T> {
    return this.#futures.submit([lazy])[0]!;
  }

  map<A, T>(task: (item: A) => Lazy<T>, items: Iterable<A>): Future<T>[] {
    return this.#futures.submit(Array.from(items, (item) => task(item)));
  }

  async scatter<T>(value: T, options: ScatterOptions = {}): Promise<Future<T>> {
    return (await this.#scatter.scatter([value], options))[0]!;
  }

  scatterAll<T>(values: Iterable<T>, options: ScatterOptions = {}): Promise<Future<T>[]> {
    return this.#scatter.scatter(values, options);
  }

  compute<const T>(what: T, options: WaitOptions = {}): Promise<Resolved<T>> {
    return this.#jobs.run('compute', what, options, async (job) => {
      const { graph } = job;
      const values = await this.#jobs.fetchAll(job);
      const results = graph.wants.map((key) => values.get(key));
      return bindReferences(graph.shape, results) as Resolved<T>;
    });
  }

  persist<const T>(what: T, options: WaitOptions = {}): Promise<Held<T>> {
    return this.#jobs.run('persist', what, options, async (job) => {
      await this.#allHeld(job);
      const { tasks, wants, shape } = job.graph;
      const made = new Set(tasks.map(({ key }) => key));
      const given = new Map(futuresIn(what).map((future) => [future.key, future]));
      // A future that was passed in is itself what is held; what was lazy gets a future of its own.
      const futures = wants.map((key) => (made.has(key) ? this.#futures.of(key) : given.get(key)));
      return bindReferences(shape, futures) as Held<T>;
    });
  }

  gather<const T>(what: T, options: WaitOptions = {}): Promise<Resolved<T>> {
    return this.#futures.gather(what, options);
  }

  wait<T>(
    futures: readonly Future<T>[],
    options: WaitOptions & { readonly for?: WaitFor } = {},
  ): Promise<{ readonly done: Future<T>[]; readonly pending: Future<T>[] }> {
    return this.#futures.wait(futures, options);
  }

  asCompleted<T>(items: readonly (Lazy<T> | Future<T>)[], options: WaitOptions = {}): CompletedIterable<T> {
    const runs = new CompletedRuns<T>(this.#jobs, options);
    runs.add(items);
    return runs;
  }

  cancel(what: unknown): void {
    for (const future of futuresIn(what)) future.cancel();
  }

  release(what: unknown): void {
    for (const future of futuresIn(what)) future.release();
  }

  retry(what: unknown): void {
    this.#futures.retry(what);
  }

  forget(what: unknown): void {
    this.#futures.forget(what);
  }

  publish(name: string, what: unknown, options: WaitOptions = {}): Promise<void> {
    return this.#jobs.run('publish', what, options, async ({ graph: { wants, shape }, signal }) => {
      const value = { keys: wants, shape: encodePacked(shape) };
      await this.#datasets.ask({ type: 'publish', name, value }, signal);
    });
  }

  unpublish(name: string, options: WaitOptions = {}): Promise<void> {
    return this.#jobs.within('unpublish', options, async (signal) => {
      await this.#datasets.ask({ type: 'unpublish', name }, signal);
    });
  }

  dataset(name: string, options: WaitOptions = {}): Promise<unknown> {
    return this.#jobs.within('dataset', options, async (signal) => {
      let value: unknown;
      await this.#datasets.ask({ type: 'get-dataset', name }, signal, (found) => {
        if (found === undefined) return;
        // Used before the scheduler's words on them are read, or these would be about nobody's results.
        const futures = found.keys.map((key) => this.#futures.of(key));
        value = bindReferences(decodePacked(found.shape), futures);
        if (signal.aborted) for (const future of futures) future.release();
      });
      return value;
    });
  }

  datasets(options: WaitOptions = {}): Promise<readonly string[]> {
    return this.#jobs.within('datasets', options, (signal) =>
      this.#datasets.ask({ type: 'list-datasets' }, signal),
    );
  }

  spawn<O, M extends ActorMessages>(definition: ActorDefinition<O, M>, options: O, more?: SpawnOptions) {
    return this.actors.spawn(definition, options, more);
  }

  actor<O, M extends ActorMessages>(
    definition: ActorDefinition<O, M>,
    which: string | ActorAddress,
    wait?: WaitOptions,
  ) {
    return this.actors.find(definition, which, wait);
  }

  lock(name: string): Lock {
    return this.#coordination.lock(name);
  }

  semaphore(name: string, { leases }: { readonly leases: number }): Semaphore {
    return this.#coordination.semaphore(name, leases);
  }

  event(name: string): SharedEvent {
    return this.#coordination.event(name);
  }

  queue<T>(name: string, { limit }: { readonly limit?: number } = {}): SharedQueue<T> {
    return this.#coordination.queue(name, limit);
  }

  variable<T>(name: string): Variable<T> {
    return this.#coordination.variable(name);
  }

  topic<T>(name: string): Topic<T> {
    return this.#coordination.topic(name);
  }

  status(options: WaitOptions = {}): Promise<ClusterStatus> {
    return this.#jobs.within('status', options, (signal) => this.#questions.status(signal));
  }

  trace(options: WaitOptions = {}): Promise<readonly RunTrace[]> {
    return this.#jobs.within('trace', options, (signal) => this.#questions.trace(signal));
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    // A function of its own, so that one listener registered twice is two.
    const own = (progress: Progress): void => listener(progress);
    this.#progressListeners.add(own);
    return () => void this.#progressListeners.delete(own);
  }

  async shutdown(options: WaitOptions = {}): Promise<void> {
    const wait = this.#jobs.begin('shutdown', options);
    try {
      // The end of the connection is what is waited for, not an error.
      this.#jobs.spare(wait);
      this.#connection.send({ type: 'shutdown' });
      await until((resolve) => {
        void this.#connection.closed.then(resolve);
        return () => undefined;
      }, wait.signal);
    } finally {
      this.#jobs.end(wait);
    }
  }

  async close(): Promise<void> {
    this.#jobs.releaseAll();
    this.#coordination.wishes.endAll();
    await this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #allHeld({ graph: { wants }, signal }: Job): Promise<void> {
    const completions = new Completions(this.#jobs.wants, wants);
    const left = new Set<TaskKey>(wants);
    try {
      while (left.size > 0) {
        const key = await completions.next(signal);
        await this.#jobs.fetcher.held(key, signal);
        left.delete(key);
      }
    } finally {
      completions.stop();
    }
  }

  #receive(message: SchedulerNews): void {
    if (isAnswer(message)) {
      this.inspect.answer(message);
      return;
    }
    if (isActorNews(message)) {
      this.actors.hear(message);
      return;
    }
    switch (message.type) {
      case 'held':
      case 'failed':
        this.#jobs.wants.tell(message);
        return;
      case 'progress':
        this.#tellProgress(message);
        return;
      case 'status':
      case 'trace':
        this.#questions.answer(message);
        return;
      case 'wish-answered':
        this.#coordination.wishes.answer(message);
        return;
      case 'topic-said':
        this.#coordination.wishes.hear(message);
        return;
      case 'dataset-answer':
        this.#datasets.answer(message);
        return;
      case 'places-found':
        this.#scatter.answer(message);
        return;
      default:
        assertNever(message);
    }
  }

  #tellProgress({ type: _, ...progress }: Progress & { readonly type: string }): void {
    for (const listener of [...this.#progressListeners]) {
      try {
        listener(progress);
      } catch (error) {
        // The listener's own matter, which must neither be hidden nor end this connection.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #onReturn(known: boolean): void {
    this.#questions.askAgain();
    this.inspect.askAgain();
    this.#datasets.interrupt();
    this.actors.askAgain();
    this.#jobs.returns.onReturn(known);
    this.#scatter.askAgain();
    this.#coordination.wishes.resume();
  }

  #giveUp(lost: AsperitasError): void {
    this.#jobs.fail(lost);
    this.#coordination.wishes.fail(lost);
    this.#links.close();
    this.#scatter.close();
    this.actors.close(lost);
  }
}

/** Connects to a running scheduler. When the connection breaks or the scheduler dies, one is looked for at
 * the same address, and everything goes on. Promises reject with `scheduler-lost` only when none is found
 * (`reconnectMs`), or it has ended for good. Rejects with `unreachable`, `wrong-token`, `not-a-scheduler`,
 * `timeout` or `aborted`. */
export async function connect(url: string, options: ConnectOptions): Promise<Cluster> {
  return new Client(await ClientConnection.dial(url, options), options);
}
