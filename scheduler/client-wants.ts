/**
 * Owns what a client wants: how many of its waits and futures need a result, and what the scheduler last said
 * about it. Pure. Must not know: connections, who waits, how results are fetched.
 */
import type { TaskKey } from '../runtime/index.ts';
import type { ToClient } from './protocol.ts';

export type HeldNews = Extract<ToClient, { readonly type: 'held' }>;
export type FailedNews = Extract<ToClient, { readonly type: 'failed' }>;
/** The last word on a result; undefined while there is none. Each is an object of its own, so that a newer
 * word can be told from the same one. */
export type News = HeldNews | FailedNews | undefined;

interface Want {
  uses: number;
  /** Of the last submission or retry that asks for it: errors of earlier ones are old. */
  serial: number;
  /** Cancelled: what was said before it is asked for anew is old. */
  cancelled: boolean;
  news: News;
  readonly listeners: Set<(key: TaskKey) => void>;
}

export class Wants {
  readonly #wants = new Map<TaskKey, Want>();

  get size(): number {
    return this.#wants.size;
  }

  has(key: TaskKey): boolean {
    return this.#wants.has(key);
  }

  /** Counts one more use of each. */
  retain(keys: readonly TaskKey[]): void {
    for (const key of keys) {
      const want = this.#wants.get(key);
      if (want !== undefined) want.uses++;
      else {
        const listeners: Want['listeners'] = new Set();
        this.#wants.set(key, { uses: 1, serial: 0, cancelled: false, news: undefined, listeners });
      }
    }
  }

  /** Counts one use less of each; returns those that nobody here uses any more, for the scheduler. */
  release(keys: readonly TaskKey[]): TaskKey[] {
    return keys.filter((key) => {
      const want = this.#wants.get(key);
      if (want === undefined || --want.uses > 0) return false;
      this.#wants.delete(key);
      for (const listener of [...want.listeners]) listener(key);
      return true;
    });
  }

  /** Gives up everything. */
  releaseAll(): TaskKey[] {
    const keys = [...this.#wants.keys()];
    this.#wants.clear();
    return keys;
  }

  /** Those of which nothing is known. */
  unanswered(): TaskKey[] {
    return [...this.#wants].filter(([, { news }]) => news === undefined).map(([key]) => key);
  }

  /** Where a former scheduler said that results are counts no longer. */
  forgetPlaces(): void {
    for (const want of this.#wants.values()) if (want.news?.type === 'held') want.news = undefined;
  }

  /** Takes in what the scheduler says; about what is no longer wanted it may be late. */
  tell(news: HeldNews | FailedNews): void {
    const want = this.#wants.get(news.key);
    if (want === undefined || want.cancelled) return;
    // The error of an earlier attempt, told while a later one was asked for.
    if (news.type === 'failed' && (news.serial ?? want.serial) < want.serial) return;
    this.#settle(want, news);
  }

  #settle(want: Want, news: HeldNews | FailedNews): void {
    want.news = news;
    for (const listener of [...want.listeners]) listener(news.key);
  }

  /** Settles what is still to come as cancelled. */
  cancel(keys: readonly TaskKey[]): void {
    for (const key of keys) {
      const want = this.#wants.get(key);
      if (want === undefined || want.news !== undefined) continue;
      want.cancelled = true;
      const error = { name: 'AsperitasError', code: 'cancelled', message: `task ${key} was cancelled` };
      this.#settle(want, { type: 'failed', key, error, culprit: key });
    }
  }

  newsOf(key: TaskKey): News {
    return this.#wants.get(key)?.news;
  }

  /** Forgets a word that has proved wrong or old, unless a newer one has come. */
  forget(key: TaskKey, news: News): void {
    const want = this.#wants.get(key);
    if (want?.news === news && want !== undefined) want.news = undefined;
  }

  /** They are asked for (again) by a submission or retry of this number: an old failure is no answer to a new
   * attempt. */
  expect(keys: readonly TaskKey[], serial: number): void {
    for (const key of keys) {
      const want = this.#wants.get(key);
      if (want === undefined) continue;
      want.serial = serial;
      want.cancelled = false;
      if (want.news?.type === 'failed') want.news = undefined;
    }
  }

  /** Calls `listener` at every word on one of `keys`, and for those already known at once. Returns the way
   * to stop. */
  watch(keys: readonly TaskKey[], listener: (key: TaskKey) => void): () => void {
    const watched = keys.flatMap((key) => this.#wants.get(key) ?? []);
    for (const want of watched) want.listeners.add(listener);
    for (const key of keys) if (this.newsOf(key) !== undefined) listener(key);
    return () => {
      for (const want of watched) want.listeners.delete(listener);
    };
  }
}
