/**
 * Owns what the waits of a client have in common: they submit graphs, one after the other, use results until
 * they end, and end with the scheduler's loss. Must not know: what is done with results.
 */
import type { AsperitasError, TaskKey } from '../runtime/index.ts';
import type { ClientConnection } from './client-connection.ts';
import { ResultFetcher } from './client-fetch.ts';
import { Returns } from './client-return.ts';
import { orAborted, shareWidely, Wait } from './client-wait.ts';
import { Wants } from './client-wants.ts';
import type { WaitOptions } from './cluster.ts';
import { Completions } from './completions.ts';
import type { DataLinks } from './data-links.ts';
import { type CollectedGraph, collectGraph, type GraphTools } from './graph.ts';
import { clientLimits } from './limits.ts';
import type { Hints, ToScheduler } from './protocol.ts';
import { earlierInputs, graphTools, submitGraph } from './submission.ts';
import type { TaskHints } from './task.ts';

/** What one wait has asked for: results that it uses until it ends. */
export interface Job {
  readonly graph: CollectedGraph;
  readonly signal: AbortSignal;
  /** Gives single results up before the end of the wait. */
  readonly release: (keys: readonly TaskKey[]) => void;
}

export interface JobOptions {
  /** Makes one task of a chain of tasks; true unless told. */
  readonly fuse?: boolean | undefined;
  readonly hints?: TaskHints | undefined;
  readonly onWait?: (() => () => void) | undefined;
}

export class Jobs {
  readonly wants = new Wants();
  readonly fetcher: ResultFetcher;
  readonly returns: Returns;
  readonly #connection: ClientConnection;
  readonly #tools: GraphTools;
  readonly #onWait: JobOptions['onWait'];
  readonly #waits = new Set<Wait>();
  /** Resolves when what was submitted before has been sent; so many sendings are under way. */
  #sent: Promise<unknown> = Promise.resolve();
  #sending = 0;
  #serial = 0;
  /** Waits and sendings under way. */
  #reasons = 0;

  constructor(
    connection: ClientConnection,
    links: DataLinks,
    { fuse = true, hints, onWait }: JobOptions = {},
  ) {
    const isWanted = (key: TaskKey): boolean => this.wants.has(key);
    this.#tools = { ...graphTools, hints: hints as Hints | undefined, isWanted: fuse ? isWanted : undefined };
    this.#onWait = onWait;
    this.#connection = connection;
    connection.hold(false);
    this.returns = new Returns({
      wants: this.wants,
      tell: (message) => this.tell(message),
      submit: (graph) => this.submit({ graph, signal: new AbortController().signal }),
    });
    this.fetcher = new ResultFetcher({ wants: this.wants, links, tell: (message) => this.tell(message) });
  }

  tell(message: ToScheduler): void {
    this.#connection.send(message);
  }

  /** The number of the next submission or retry. */
  nextSerial(): number {
    return ++this.#serial;
  }

  /** Tells the scheduler something that must not overtake the submissions made before. */
  tellInOrder(message: ToScheduler): void {
    if (this.#sending === 0) this.tell(message);
    else void this.#inOrder(() => this.tell(message));
  }

  #inOrder<R>(send: () => R | Promise<R>): Promise<R> {
    this.#sending++;
    this.#hold(1);
    const sent = this.#sent.then(send);
    const end = (): void => {
      this.#sending--;
      this.#hold(-1);
    };
    this.#sent = sent.then(end, end);
    return sent;
  }

  async within<R>(what: string, options: WaitOptions, body: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const wait = this.begin(what, options);
    try {
      return await body(wait.signal);
    } finally {
      this.end(wait);
    }
  }

  begin(what: string, options: WaitOptions): Wait {
    this.throwIfLost();
    const wait = new Wait(options, what, this.#onWait?.());
    this.#waits.add(wait);
    this.#hold(1);
    return wait;
  }

  end(wait: Wait): void {
    this.#waits.delete(wait);
    this.#hold(-1);
    wait.end();
  }

  /** A client that waits for nothing does not keep its process from ending. */
  #hold(more: 1 | -1): void {
    const before = this.#reasons;
    this.#reasons += more;
    if (before === 0 || this.#reasons === 0) this.#connection.hold(this.#reasons > 0);
  }

  /** The scheduler's end does not end this wait. */
  spare(wait: Wait): void {
    this.#waits.delete(wait);
  }

  throwIfLost(): void {
    if (this.#connection.lost !== undefined) throw this.#connection.lost;
  }

  /** The scheduler is gone: ends every wait. */
  fail(lost: AsperitasError): void {
    for (const wait of [...this.#waits]) wait.fail(lost);
  }

  /** Runs `body` on what `what` asks for, within the wait's limits, and gives the results up again. */
  run<R>(name: string, what: unknown, options: WaitOptions, body: (job: Job) => Promise<R>): Promise<R> {
    return this.within(name, options, async (signal) => {
      const job = this.claim(what, signal);
      try {
        await this.submit(job);
        return await body(job);
      } finally {
        job.release(job.graph.wants);
      }
    });
  }

  /** Makes the graph of what is asked for and uses its results. */
  claim(what: unknown, signal: AbortSignal): Job {
    signal.throwIfAborted();
    const graph = collectGraph(what, this.#tools);
    const used = new Set(graph.wants);
    this.wants.retain(graph.wants);
    const release = (keys: readonly TaskKey[]): void => {
      this.release(keys.filter((key) => used.delete(key)));
    };
    return { graph, signal, release };
  }

  /** Submissions go one after the other. Futures among the arguments may be released meanwhile by whoever
   * has them: they are kept until their users have been sent. */
  async submit({ graph, signal }: Pick<Job, 'graph' | 'signal'>): Promise<void> {
    const inputs = earlierInputs(graph);
    this.wants.retain(inputs);
    const serial = this.nextSerial();
    this.wants.expect(graph.wants, serial);
    const sent = this.returns.sending(graph, () =>
      this.#inOrder(async () => {
        await submitGraph(this.#connection, { ...graph, serial }, signal);
        // Nothing else is asked for that could leave with it: the cluster begins while this turn goes on.
        if (this.#waits.size === 1) this.#connection.flush();
      }),
    );
    const release = (): void => this.release(inputs);
    void sent.then(release, release);
    await orAborted(sent, signal);
  }

  /** The values of all, fetched as they come to be held, some at a time. The first failure ends it, whatever
   * else is still to come. */
  async fetchAll({ graph, signal: outer, release }: Job): Promise<Map<TaskKey, unknown>> {
    const keys = graph.wants;
    const values = new Map<TaskKey, unknown>();
    // One that fetches alone has no others to end, and a signal made of two takes longer than a message.
    const failed = keys.length > 1 ? new AbortController() : undefined;
    const signal = failed === undefined ? outer : AbortSignal.any([outer, failed.signal]);
    shareWidely(signal);
    const completions = new Completions(this.wants, keys);
    let left = keys.length;
    const fetchSome = async (): Promise<void> => {
      while (left-- > 0) {
        const key = await completions.next(signal);
        values.set(key, await this.fetcher.fetch(key, signal));
        // What is here is not kept on the nodes for the others: a bounded window goes on.
        release([key]);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(left, clientLimits.fetches) }, fetchSome));
      return values;
    } catch (error) {
      failed?.abort(error);
      throw error;
    } finally {
      completions.stop();
    }
  }

  /** An aborted wait releases as well: that ends runs just as `cancel` does, and its answer can't hit a later
   * wait for an equal task. */
  release(keys: readonly TaskKey[]): void {
    const unused = this.wants.release(keys);
    if (unused.length > 0) this.tellInOrder({ type: 'release', keys: unused });
  }

  releaseAll(): void {
    const keys = this.wants.releaseAll();
    for (let start = 0; start < keys.length; start += clientLimits.submitTasks) {
      this.tellInOrder({ type: 'release', keys: keys.slice(start, start + clientLimits.submitTasks) });
    }
  }
}
