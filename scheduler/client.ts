/**
 * Owns the promises of `Cluster`: what is lazy is submitted, waited for, fetched and released. Must not know:
 * the connection (client-connection.ts), how results are fetched (client-fetch.ts), how tasks run.
 */
import {
  type ActorDefinition,
  type ActorMessages,
  type AsperitasError,
  assertNever,
  type TaskKey,
  webSocketTransport,
} from '../runtime/index.ts';
import { ActorLinks } from './actor-links.ts';
import type { ActorAddress } from './actor-ref.ts';
import { ClientActors, isActorNews } from './client-actors.ts';
import { ClientConnection, type ConnectOptions, type SchedulerNews } from './client-connection.ts';
import { Datasets } from './client-datasets.ts';
import { ResultFetcher } from './client-fetch.ts';
import { ClientInspector, type InspectorTools, isAnswer } from './client-inspect.ts';
import { Questions } from './client-questions.ts';
import { orAborted, shareWidely, until, Wait } from './client-wait.ts';
import { type HeldNews, Wants } from './client-wants.ts';
import type { Cluster, ClusterStatus, Completed, Progress, WaitOptions } from './cluster.ts';
import { Completions } from './completions.ts';
import { DataLinks } from './data-links.ts';
import { type CollectedGraph, collectGraph } from './graph.ts';
import { clientLimits } from './limits.ts';
import type { RunTrace, ToScheduler } from './protocol.ts';
import { bindReferences, findInputs } from './references.ts';
import { earlierInputs, graphTools, submitGraph } from './submission.ts';
import type { SpawnOptions } from './supervision.ts';
import { type Future, futureOf, type Held, isFuture, type Lazy, type Resolved } from './task.ts';

export type { ConnectOptions } from './client-connection.ts';

/** What one wait has asked for: results that it uses until it ends. */
interface Job {
  readonly graph: CollectedGraph;
  readonly signal: AbortSignal;
  /** Gives single results up before the end of the wait. */
  readonly release: (keys: readonly TaskKey[]) => void;
}

class Client implements Cluster {
  readonly #connection: ClientConnection;
  readonly #links: DataLinks;
  readonly #fetcher: ResultFetcher;
  readonly #wants = new Wants();
  readonly #waits = new Set<Wait>();
  readonly #progressListeners = new Set<(progress: Progress) => void>();
  readonly #questions: Questions;
  readonly inspect: ClientInspector;
  readonly actors: ClientActors;
  readonly #datasets = new Datasets((request) => this.#tell(request));
  /** Resolves when the submission before has been sent. */
  #submitted: Promise<unknown> = Promise.resolve();
  readonly #forgotten = new FinalizationRegistry<TaskKey>((key) => this.#release([key]));

  constructor(connection: ClientConnection, { token, transport = webSocketTransport }: ConnectOptions) {
    this.#connection = connection;
    this.#links = new DataLinks({ token, transport });
    const tell = (message: ToScheduler): void => this.#tell(message);
    this.#questions = new Questions(tell);
    const tools: InspectorTools = {
      tell,
      within: (what, limits, body) => this.#within(what, limits, body),
    };
    this.inspect = new ClientInspector(tools);
    this.actors = new ClientActors(tools, new ActorLinks({ token, transport }));
    this.#fetcher = new ResultFetcher({ wants: this.#wants, links: this.#links, tell });
    connection.listen({
      onNews: (news) => this.#receive(news),
      onLost: (error) => this.#giveUp(error),
    });
  }

  compute<const T>(what: T, options: WaitOptions = {}): Promise<Resolved<T>> {
    return this.#job('compute', what, options, async ({ graph, signal }) => {
      const values = await this.#fetchAll(graph.wants, signal);
      const results = graph.wants.map((key) => values.get(key));
      return bindReferences(graph.shape, results) as Resolved<T>;
    });
  }

  persist<const T>(what: T, options: WaitOptions = {}): Promise<Held<T>> {
    return this.#job('persist', what, options, async ({ graph, signal }) => {
      const completions = new Completions(this.#wants, graph.wants);
      const held = new Map<TaskKey, HeldNews>();
      try {
        while (held.size < graph.wants.length) {
          const key = await completions.next(signal);
          held.set(key, await this.#fetcher.held(key, signal));
        }
      } finally {
        completions.stop();
      }
      const made = new Set(graph.tasks.map(({ key }) => key));
      const given = new Map<TaskKey, Future<unknown>>();
      findInputs(what, isFuture, (value) => given.set((value as Future<unknown>).key, value as never));
      // A future that was passed in is itself what is held; what was lazy gets a future of its own.
      const futures = graph.wants.map((key) =>
        made.has(key) ? this.#future(held.get(key)!) : given.get(key),
      );
      return bindReferences(graph.shape, futures) as Held<T>;
    });
  }

  async *asCompleted<T>(
    lazies: readonly (Lazy<T> | Future<T>)[],
    options: WaitOptions = {},
  ): AsyncGenerator<Completed<T>, void, void> {
    const wait = this.#begin('asCompleted', options);
    let job: Job | undefined;
    let completions: Completions | undefined;
    try {
      job = this.#claim(lazies, wait.signal);
      await this.#submit(job);
      const { shape, wants } = job.graph;
      const places = placesOf(bindReferences(shape, wants) as readonly TaskKey[]);
      completions = new Completions(this.#wants, wants);
      for (let left = wants.length; left > 0; left--) {
        const key = await completions.next(wait.signal);
        const end = await this.#ended<T>(key, wait.signal);
        job.release([key]);
        for (const index of places.get(key)!) yield { index, ...end };
      }
    } finally {
      completions?.stop();
      job?.release(job.graph.wants);
      this.#end(wait);
    }
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

  status(options: WaitOptions = {}): Promise<ClusterStatus> {
    return this.#within('status', options, (signal) => this.#questions.status(signal));
  }

  trace(options: WaitOptions = {}): Promise<readonly RunTrace[]> {
    return this.#within('trace', options, (signal) => this.#questions.trace(signal));
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    // A function of its own, so that one listener registered twice is two.
    const own = (progress: Progress): void => listener(progress);
    this.#progressListeners.add(own);
    return () => void this.#progressListeners.delete(own);
  }

  async shutdown(options: WaitOptions = {}): Promise<void> {
    const wait = this.#begin('shutdown', options);
    // The end of the connection is what is waited for, not an error.
    this.#waits.delete(wait);
    try {
      this.#tell({ type: 'shutdown' });
      await until((resolve) => {
        void this.#connection.closed.then(resolve);
        return () => undefined;
      }, wait.signal);
    } finally {
      wait.end();
    }
  }

  async close(): Promise<void> {
    const keys = this.#wants.releaseAll();
    if (keys.length > 0) this.#tell({ type: 'release', keys });
    await this.#connection.close();
  }

  /** Runs `body` on what `what` asks for, within the wait's limits, and gives the results up again. */
  #job<R>(name: string, what: unknown, options: WaitOptions, body: (job: Job) => Promise<R>): Promise<R> {
    return this.#within(name, options, async (signal) => {
      const job = this.#claim(what, signal);
      try {
        await this.#submit(job);
        return await body(job);
      } finally {
        job.release(job.graph.wants);
      }
    });
  }

  async #within<R>(
    what: string,
    options: WaitOptions,
    body: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const wait = this.#begin(what, options);
    try {
      return await body(wait.signal);
    } finally {
      this.#end(wait);
    }
  }

  #begin(what: string, options: WaitOptions): Wait {
    if (this.#connection.lost !== undefined) throw this.#connection.lost;
    const wait = new Wait(options, what);
    this.#waits.add(wait);
    return wait;
  }

  #end(wait: Wait): void {
    this.#waits.delete(wait);
    wait.end();
  }

  #claim(what: unknown, signal: AbortSignal): Job {
    signal.throwIfAborted();
    const graph = collectGraph(what, graphTools);
    const used = new Set(graph.wants);
    this.#wants.retain(graph.wants);
    const release = (keys: readonly TaskKey[]): void => {
      this.#release(keys.filter((key) => used.delete(key)));
    };
    return { graph, signal, release };
  }

  /** Submissions go one after the other. Futures among the arguments may be released meanwhile by whoever
   * has them: they are kept until their users have been sent. */
  async #submit({ graph, signal }: Job): Promise<void> {
    const inputs = earlierInputs(graph);
    this.#wants.retain(inputs);
    const before = this.#submitted;
    const sent = before.then(() => {
      this.#wants.forgetFailures(graph.wants);
      return submitGraph(this.#connection, graph, signal);
    });
    this.#submitted = sent.then(
      () => this.#release(inputs),
      () => this.#release(inputs),
    );
    await orAborted(sent, signal);
  }

  /** The values of all, fetched as they come to be held, some at a time. The first failure ends it, whatever
   * else is still to come. */
  async #fetchAll(keys: readonly TaskKey[], outer: AbortSignal): Promise<Map<TaskKey, unknown>> {
    const values = new Map<TaskKey, unknown>();
    const failed = new AbortController();
    const signal = AbortSignal.any([outer, failed.signal]);
    shareWidely(signal);
    const completions = new Completions(this.#wants, keys);
    let left = keys.length;
    const fetchSome = async (): Promise<void> => {
      while (left-- > 0) {
        const key = await completions.next(signal);
        values.set(key, await this.#fetcher.fetch(key, signal));
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(left, clientLimits.fetches) }, fetchSome));
      return values;
    } catch (error) {
      failed.abort(error);
      throw error;
    } finally {
      completions.stop();
    }
  }

  /** How a task ended, its result included. */
  async #ended<T>(
    key: TaskKey,
    signal: AbortSignal,
  ): Promise<{ readonly value: T } | { readonly error: Error }> {
    try {
      return { value: (await this.#fetcher.fetch(key, signal)) as T };
    } catch (error) {
      signal.throwIfAborted();
      return { error: error as Error };
    }
  }

  #future({ key, bytes, replicas }: HeldNews): Future<unknown> {
    this.#wants.retain([key]);
    const token = {};
    let released = false;
    const future = futureOf({
      key,
      bytes,
      site: replicas[0]!.site,
      release: () => {
        if (released) return;
        released = true;
        this.#forgotten.unregister(token);
        this.#release([key]);
      },
    });
    // Only a help for programs that forget: collection may come late or never.
    this.#forgotten.register(future, key, token);
    return future;
  }

  /** An aborted wait releases as well: that ends runs just as `cancel` does, and its answer can't hit a later
   * wait for an equal task. */
  #release(keys: readonly TaskKey[]): void {
    const unused = this.#wants.release(keys);
    if (unused.length > 0) this.#tell({ type: 'release', keys: unused });
  }

  #tell(message: ToScheduler): void {
    this.#connection.send(message);
  }

  #receive(message: SchedulerNews): void {
    if (isActorNews(message)) {
      this.actors.hear(message);
      return;
    }
    if (isAnswer(message)) {
      this.inspect.answer(message);
      return;
    }
    switch (message.type) {
      case 'held':
      case 'failed':
        this.#wants.tell(message);
        return;
      case 'progress':
        this.#tellProgress(message);
        return;
      case 'status':
      case 'trace':
        this.#questions.answer(message);
        return;
      case 'dataset-answer':
        this.#datasets.answer(message);
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

  #giveUp(lost: AsperitasError): void {
    for (const wait of [...this.#waits]) wait.fail(lost);
    this.#links.close();
    this.actors.close(lost);
  }
}

/** Where in the list each key stands. */
function placesOf(keys: readonly TaskKey[]): Map<TaskKey, number[]> {
  const places = new Map<TaskKey, number[]>();
  keys.forEach((key, index) => {
    const list = places.get(key);
    if (list === undefined) places.set(key, [index]);
    else list.push(index);
  });
  return places;
}

/** Connects to a running scheduler. A client does not reconnect: when the connection ends, everything pending
 * rejects with `scheduler-lost`, and the caller connects anew and asks again; results of equal tasks that are
 * still held are found again by their keys. Rejects with `unreachable`, `wrong-token`, `not-a-scheduler`,
 * `timeout` or `aborted`. */
export async function connect(url: string, options: ConnectOptions): Promise<Cluster> {
  return new Client(await ClientConnection.dial(url, options), options);
}
