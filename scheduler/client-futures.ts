/**
 * Owns the futures of a client: handles of results that are on their way, or lie on the nodes, each a use of
 * its result until it is released. Must not know: how tasks are submitted or results fetched
 * (client-jobs.ts).
 */
import { AsperitasError, type SiteName, type TaskKey } from '../runtime/index.ts';
import type { Jobs } from './client-jobs.ts';
import type { HeldNews } from './client-wants.ts';
import type { WaitFor, WaitOptions } from './cluster.ts';
import { Completions } from './completions.ts';
import { bindReferences, findInputs } from './references.ts';
import { type Future, type FutureStatus, futureOf, isFuture, type Lazy, type Resolved } from './task.ts';

/** What stays of a future when its program has dropped it: enough to release it. */
interface Use {
  readonly key: TaskKey;
  released: boolean;
}

class Handle<T> implements Future<T> {
  readonly key: TaskKey;
  readonly #use: Use;
  readonly #futures: Futures;
  /** The last place that was told of. */
  #held: HeldNews | undefined;

  constructor(futures: Futures, use: Use) {
    this.key = use.key;
    this.#use = use;
    this.#futures = futures;
  }

  get status(): FutureStatus {
    if (this.#use.released) return 'released';
    const news = this.#futures.newsOf(this.key);
    if (news?.type !== 'failed') return news?.type ?? 'pending';
    return news.error.code === 'cancelled' ? 'cancelled' : 'failed';
  }

  get done(): boolean {
    return this.status !== 'pending';
  }

  get bytes(): number | undefined {
    return this.#place()?.bytes;
  }

  get site(): SiteName | undefined {
    return this.#place()?.replicas[0]?.site;
  }

  #place(): HeldNews | undefined {
    const news = this.#use.released ? undefined : this.#futures.newsOf(this.key);
    if (news?.type === 'held') this.#held = news;
    return this.#held;
  }

  result(options: WaitOptions = {}): Promise<T> {
    return this.#futures.result(this, options) as Promise<T>;
  }

  cancel(): void {
    if (!this.done) this.#futures.cancel([this.key]);
  }

  release(): void {
    this.#place();
    this.#futures.giveUp(this.#use);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

export class Futures {
  readonly #jobs: Jobs;
  readonly #dropped = new FinalizationRegistry<Use>((use) => this.giveUp(use));

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** A handle of a result that this client wants. */
  of<T>(key: TaskKey): Future<T> {
    this.#jobs.wants.retain([key]);
    const use: Use = { key, released: false };
    const future = futureOf(new Handle<T>(this, use));
    // Only a help for programs that forget: collection may come late or never.
    this.#dropped.register(future, use, use);
    return future;
  }

  /** Sends what is lazy and returns at once; in the order of `lazies`. */
  submit<T>(lazies: readonly (Lazy<T> | Future<T>)[]): Future<T>[] {
    this.#jobs.throwIfLost();
    const { signal } = new AbortController();
    const job = this.#jobs.claim(lazies, signal);
    const keys = bindReferences(job.graph.shape, job.graph.wants) as readonly TaskKey[];
    const futures = keys.map((key) => this.of<T>(key));
    // What can go wrong is the loss of the scheduler, of which every wait is told.
    this.#jobs.submit(job).catch(() => undefined);
    job.release(job.graph.wants);
    return futures;
  }

  /** Has tasks run to their ends though their handles are given up. */
  forget(what: unknown): void {
    this.#jobs.throwIfLost();
    const job = this.#jobs.claim(what, new AbortController().signal);
    this.#jobs.submit(job).catch(() => undefined);
    this.#jobs.tellInOrder({ type: 'forget', keys: job.graph.wants });
    job.release(job.graph.wants);
  }

  /** The values of futures, in the shape in which they are given. */
  gather<const T>(what: T, options: WaitOptions): Promise<Resolved<T>> {
    return this.#jobs.within('gather', options, async (signal) => {
      const job = this.#jobs.claim(what, signal);
      const { tasks, wants, shape } = job.graph;
      try {
        if (tasks.length > 0) await this.#jobs.submit(job);
        else checkAll(what);
        const values = await this.#jobs.fetchAll(job);
        return bindReferences(
          shape,
          wants.map((key) => values.get(key)),
        ) as Resolved<T>;
      } finally {
        job.release(wants);
      }
    });
  }

  async result(future: Future<unknown>, options: WaitOptions): Promise<unknown> {
    return this.#jobs.within('result', options, async (signal) => {
      const { key } = future;
      checkAll(future);
      this.#jobs.wants.retain([key]);
      try {
        return await this.#jobs.fetcher.fetch(key, signal);
      } finally {
        this.#jobs.release([key]);
      }
    });
  }

  /** Waits until all are done, or one. None is cancelled when the wait ends before its time. */
  wait<T>(
    futures: readonly Future<T>[],
    { for: until = 'all', ...options }: WaitOptions & { readonly for?: WaitFor },
  ): Promise<{ readonly done: Future<T>[]; readonly pending: Future<T>[] }> {
    return this.#jobs.within('wait', options, async (signal) => {
      const open = new Set(futures.filter(({ done }) => !done).map(({ key }) => key));
      const completions = new Completions(this.#jobs.wants, [...open]);
      const enough = until === 'first' ? Math.min(1, futures.length) : futures.length;
      try {
        while (futures.length - open.size < enough && open.size > 0) {
          open.delete(await completions.next(signal));
          if (until === 'first' && open.size < futures.length) break;
        }
      } finally {
        completions.stop();
      }
      const isDone = ({ done }: Future<T>): boolean => done;
      return { done: futures.filter(isDone), pending: futures.filter((future) => !isDone(future)) };
    });
  }

  /** Tries again what has failed among the futures of `what`. */
  retry(what: unknown): void {
    this.#jobs.throwIfLost();
    const failed = futuresIn(what).filter(({ status }) => status === 'failed');
    const keys = [...new Set(failed.map(({ key }) => key))];
    if (keys.length === 0) return;
    const serial = this.#jobs.nextSerial();
    this.#jobs.wants.expect(keys, serial);
    this.#jobs.tellInOrder({ type: 'retry', keys, serial });
  }

  /** Nobody here waits for them any longer; the scheduler's last word on them, if it is to come, is old. */
  cancel(keys: readonly TaskKey[]): void {
    this.#jobs.wants.cancel(keys);
    this.#jobs.tellInOrder({ type: 'release', keys });
  }

  giveUp(use: Use): void {
    if (use.released) return;
    use.released = true;
    this.#dropped.unregister(use);
    this.#jobs.release([use.key]);
  }

  newsOf(key: TaskKey): ReturnType<Jobs['wants']['newsOf']> {
    return this.#jobs.wants.newsOf(key);
  }
}

export function futuresIn(what: unknown): Future<unknown>[] {
  const found: Future<unknown>[] = [];
  findInputs(what, isFuture, (future) => found.push(future as Future<unknown>));
  return found;
}

function checkAll(what: unknown): void {
  const released = futuresIn(what).find(({ status }) => status === 'released');
  if (released === undefined) return;
  const message = `the future of ${released.key} was released: its result is no longer to be had`;
  throw new AsperitasError('future-released', message, { task: released.key });
}
