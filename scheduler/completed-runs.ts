/**
 * Owns a loop over results in the order of their completion, to which more may be added while it goes on.
 * Must not know: how tasks are submitted or results fetched (client-jobs.ts).
 */
import type { TaskKey } from '../runtime/index.ts';
import type { Job, Jobs } from './client-jobs.ts';
import type { Completed, CompletedIterable, WaitOptions } from './cluster.ts';
import { Completions } from './completions.ts';
import { bindReferences } from './references.ts';
import type { Future, Lazy } from './task.ts';

type Item<T> = Lazy<T> | Future<T>;

interface Asked {
  /** Where in the order of adding it stands. */
  readonly places: number[];
  readonly jobs: Job[];
}

export class CompletedRuns<T> implements CompletedIterable<T> {
  readonly #jobs: Jobs;
  readonly #options: WaitOptions;
  /** Added before the loop began. */
  readonly #early: (readonly Item<T>[])[] = [];
  #take: ((items: readonly Item<T>[], first: number) => void) | undefined;
  #count = 0;

  constructor(jobs: Jobs, options: WaitOptions) {
    this.#jobs = jobs;
    this.#options = options;
  }

  add(items: readonly Item<T>[]): number {
    const first = this.#count;
    this.#count += items.length;
    if (this.#take === undefined) this.#early.push(items);
    else this.#take(items, first);
    return first;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Completed<T>, void, void> {
    const wait = this.#jobs.begin('asCompleted', this.#options);
    const completions = new Completions(this.#jobs.wants, []);
    const asked = new Map<TaskKey, Asked>();
    this.#take = (items, first) => {
      const job = this.#jobs.claim(items, wait.signal);
      note(asked, job, first);
      // Of anything that goes wrong here, the wait is told.
      this.#jobs.submit(job).catch((error: Error) => wait.fail(error));
      completions.add(job.graph.wants);
    };
    try {
      let first = 0;
      for (const items of this.#early.splice(0)) {
        this.#take(items, first);
        first += items.length;
      }
      while (asked.size > 0) {
        const key = await completions.next(wait.signal);
        const end = await this.#ended(key, wait.signal);
        const { places, jobs } = asked.get(key)!;
        asked.delete(key);
        for (const job of jobs) job.release([key]);
        for (const index of places) yield { index, ...end };
      }
    } finally {
      this.#take = undefined;
      completions.stop();
      for (const [key, { jobs }] of asked) for (const job of jobs) job.release([key]);
      this.#jobs.end(wait);
    }
  }

  /** How a task ended, its result included. */
  async #ended(
    key: TaskKey,
    signal: AbortSignal,
  ): Promise<{ readonly value: T } | { readonly error: Error }> {
    try {
      return { value: (await this.#jobs.fetcher.fetch(key, signal)) as T };
    } catch (error) {
      signal.throwIfAborted();
      return { error: error as Error };
    }
  }
}

function note(asked: Map<TaskKey, Asked>, job: Job, first: number): void {
  const keys = bindReferences(job.graph.shape, job.graph.wants) as readonly TaskKey[];
  keys.forEach((key, index) => {
    const known = asked.get(key) ?? { places: [], jobs: [] };
    asked.set(key, known);
    known.places.push(first + index);
    if (known.jobs.at(-1) !== job) known.jobs.push(job);
  });
}
