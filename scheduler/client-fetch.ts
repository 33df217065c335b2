/**
 * Owns how a wanted result gets here: from the holders that the scheduler names, one after the other; when
 * none delivers, the scheduler is told, and asked again by waiting for its next word. Must not know: graphs,
 * who wants the result.
 */
import {
  AsperitasError,
  decodeValue,
  fromWireError,
  isAsperitasError,
  type TaskKey,
} from '../runtime/index.ts';
import { orAborted, pause, until } from './client-wait.ts';
import type { FailedNews, HeldNews, Wants } from './client-wants.ts';
import type { DataLinks } from './data-links.ts';
import { clientLimits } from './limits.ts';
import type { Replica, ToScheduler } from './protocol.ts';

/** The error of a failed task: its own name, message (in one line), code and fields, with the task's key and
 * the key of the task that failed first; the cause has the remote stack and the whole message. */
function taskError({ key, error, culprit }: FailedNews): Error {
  const { name, code } = error;
  const line = error.message.replaceAll(/\s*\n\s*/g, ' ').slice(0, clientLimits.messageCharacters);
  // Of a chain of tasks that ran as one, the error names the task that threw it.
  const fields = { culprit, ...error.fields, task: key };
  const plain = { name, message: line, fields, cause: error };
  const made = fromWireError(code === undefined ? plain : { ...plain, code });
  return isAsperitasError(made) ? made : Object.assign(made, { fields });
}

export interface ResultFetcherOptions {
  readonly wants: Wants;
  readonly links: DataLinks;
  readonly tell: (message: ToScheduler) => void;
}

export class ResultFetcher {
  readonly #options: ResultFetcherOptions;
  #free = clientLimits.fetches as number;
  readonly #queue = new Set<() => void>();

  constructor(options: ResultFetcherOptions) {
    this.#options = options;
  }

  /** The value of a wanted result, in memory of its own; waits until it is held. Rejects with the task's
   * error, the signal's reason, or why the last holder did not deliver. */
  async fetch(key: TaskKey, signal: AbortSignal): Promise<unknown> {
    const { wants } = this.#options;
    for (let round = 0; ; round++) {
      const news = await this.held(key, signal);
      if (news.inline !== undefined) return decodeValue(news.inline, []);
      const failure = await this.#tryHolders(news, signal);
      if (!(failure instanceof Missed)) return failure.value;
      if (round >= clientLimits.fetchRounds || failure.reports.length === 0) throw failure.error;
      if (failure.reports.some(({ reason }) => reason === 'unreachable')) {
        await pause(Math.min(clientLimits.leastPauseMs * 2 ** round, clientLimits.mostPauseMs), signal);
      }
      // A newer word has come meanwhile: it already takes the loss into account.
      if (wants.newsOf(key) !== news) continue;
      wants.forget(key, news);
      for (const report of failure.reports) this.#options.tell({ type: 'unfetched', key, ...report });
    }
  }

  /** Who holds a wanted result; waits until somebody does. Rejects with the task's error or the signal's
   * reason. */
  async held(key: TaskKey, signal: AbortSignal): Promise<HeldNews> {
    const { wants } = this.#options;
    signal.throwIfAborted();
    for (;;) {
      const news = wants.newsOf(key);
      if (news?.type === 'failed') throw taskError(news);
      if (news !== undefined) return news;
      await until((resolve) => wants.watch([key], resolve), signal);
    }
  }

  async #tryHolders(news: HeldNews, signal: AbortSignal): Promise<Missed | { readonly value: unknown }> {
    const reports: Missed['reports'][number][] = [];
    let last: Error = new AsperitasError('datum-absent', `no node is named that holds ${news.key}`, {
      key: news.key,
    });
    for (const replica of news.replicas) {
      try {
        return { value: await this.#fetchFrom(replica, news.key, signal) };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AsperitasError)) throw error;
        last = error;
        const reason = error.code === 'datum-absent' ? 'absent' : 'unreachable';
        reports.push({ node: replica.node, reason });
      }
    }
    return new Missed(reports, last);
  }

  async #fetchFrom({ url }: Replica, key: TaskKey, signal: AbortSignal): Promise<unknown> {
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      const { header, frames } = await orAborted(this.#options.links.fetch(url, key, signal), signal);
      return decodeValue(header, frames);
    } finally {
      this.#pass();
    }
  }

  /** Waits until another fetch has ended and hands its place over. */
  #turn(signal: AbortSignal): Promise<void> {
    return until((resolve) => {
      this.#queue.add(resolve);
      return () => this.#queue.delete(resolve);
    }, signal);
  }

  #pass(): void {
    const [next] = this.#queue;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#queue.delete(next);
    next();
  }
}

/** No holder delivered: what each of them said, and the last one's error. */
class Missed {
  readonly reports: readonly {
    readonly node: Replica['node'];
    readonly reason: 'absent' | 'unreachable';
  }[];
  readonly error: Error;

  constructor(reports: Missed['reports'], error: Error) {
    this.reports = reports;
    this.error = error;
  }
}
