/**
 * Owns how data of a client get onto nodes: made known to the scheduler, then brought to the nodes directly,
 * and given up everywhere if that does not succeed. Must not know: how bytes travel, how futures work.
 */
import { randomBytes } from 'node:crypto';
import {
  AsperitasError,
  type DatumParts,
  encodedBytes,
  encodeValue,
  isAsperitasError,
  nodeId,
  PushLink,
  scatteredKey,
  siteName,
  type TaskKey,
  type Transport,
} from '../runtime/index.ts';
import { choosePlace } from './choose-place.ts';
import type { Futures } from './client-futures.ts';
import type { Jobs } from './client-jobs.ts';
import { orAborted, pause, shareWidely, until } from './client-wait.ts';
import type { ScatterOptions } from './cluster.ts';
import { clientLimits } from './limits.ts';
import { LinkPool } from './link-pool.ts';
import type { TaskSpec, ToClient, ToScheduler } from './protocol.ts';
import { RecentPuts } from './recent-puts.ts';
import { findInputs } from './references.ts';
import type { Place } from './scatter-messages.ts';
import { type Future, isFuture, isLazy } from './task.ts';

type Answer = Extract<ToClient, { readonly type: 'places-found' }>;
type Question = Extract<ToScheduler, { readonly type: 'find-places' }>;

interface Datum {
  readonly key: TaskKey;
  readonly secret: string;
  readonly parts: DatumParts;
  readonly bytes: number;
}

export interface ScatterTools {
  readonly jobs: Jobs;
  readonly futures: Futures;
  readonly transport: Transport;
  readonly token: string;
}

export class Scatter {
  readonly #jobs: Jobs;
  readonly #futures: Futures;
  readonly #links: LinkPool<PushLink>;
  readonly #puts = new RecentPuts();
  readonly #asked = new Map<
    number,
    { readonly question: Question; readonly hear: (answer: Answer) => void }
  >();
  #last = 0;

  constructor({ jobs, futures, transport, token }: ScatterTools) {
    this.#jobs = jobs;
    this.#futures = futures;
    const open = (connection: ConstructorParameters<typeof PushLink>[0]) => new PushLink(connection);
    this.#links = new LinkPool({ transport, token, role: 'client', open });
  }

  /** Futures of the values, in their order, once all are held. */
  scatter<T>(values: Iterable<T>, options: ScatterOptions): Promise<Future<T>[]> {
    return this.#jobs.within('scatter', options, async (signal) => {
      signal.throwIfAborted();
      const data = Array.from(values, datumOf);
      const futures = data.map(({ key }) => this.#futures.of<T>(key));
      // What one of them fails on ends the others.
      const failed = new AbortController();
      try {
        await this.#announce(data, options, signal);
        const either = AbortSignal.any([signal, failed.signal]);
        shareWidely(either);
        await this.#bring(data, options, either);
        for (const { key } of data) await this.#jobs.fetcher.held(key, signal);
        return futures;
      } catch (error) {
        failed.abort(error);
        for (const future of futures) future.release();
        throw error;
      }
    });
  }

  answer(answer: Answer): void {
    const asked = this.#asked.get(answer.request);
    this.#asked.delete(answer.request);
    asked?.hear(answer);
  }

  /** Answers may have been lost with a connection. */
  askAgain(): void {
    for (const { question } of this.#asked.values()) this.#jobs.tellInOrder(question);
  }

  close(): void {
    this.#links.close();
  }

  /** The scheduler must know of the data before nodes say that they hold them, or it has them dropped. */
  async #announce(data: readonly Datum[], { stay }: ScatterOptions, signal: AbortSignal): Promise<void> {
    const tasks = data.map(({ key, bytes }): TaskSpec => {
      const hints = { bytes, ...(stay === undefined ? {} : { stay }) };
      return { key, fn: 'scatter', args: nothing, inputs: [], hints, scattered: true };
    });
    const wants = data.map(({ key }) => key);
    await this.#jobs.submit({ graph: { tasks, wants, shape: undefined }, signal });
  }

  /** Asks after what was submitted before, so that an answer means that the scheduler knows it. */
  async #places({ node, site }: ScatterOptions, signal: AbortSignal): Promise<readonly Place[]> {
    const where = {
      ...(node === undefined ? {} : { node: nodeId(node) }),
      ...(site === undefined ? {} : { site: siteName(site) }),
    };
    for (let round = 0; ; round++) {
      const request = ++this.#last;
      let found: Answer | undefined;
      await until((resolve) => {
        const question: Question = { type: 'find-places', request, ...where };
        const hear = (answer: Answer): void => {
          found = answer;
          resolve();
        };
        this.#asked.set(request, { question, hear });
        this.#jobs.tellInOrder(question);
        return () => void this.#asked.delete(request);
      }, signal);
      const { places, problem } = found!;
      if (problem !== undefined) throw new AsperitasError(problem.code, problem.message, where);
      if (places.length > 0) return places;
      // No node is there yet: as tasks wait for one, so do data.
      await pause(Math.min(clientLimits.leastPauseMs * 2 ** round, clientLimits.mostPauseMs), signal);
    }
  }

  async #bring(data: readonly Datum[], options: ScatterOptions, signal: AbortSignal): Promise<void> {
    const places = await this.#places(options, signal);
    const { broadcast } = options;
    const errands = data.flatMap((datum) =>
      broadcast === true
        ? places.map((place) => () => this.#bringCopy(datum, place, options, signal))
        : [() => this.#bringSomewhere(datum, places, signal)],
    );
    let begun = 0;
    const bringSome = async (): Promise<void> => {
      while (begun < errands.length) await errands[begun++]!();
    };
    await Promise.all(Array.from({ length: clientLimits.pushes }, bringSome));
  }

  /** A node that can't be reached is passed over while there is another. */
  async #bringSomewhere(datum: Datum, places: readonly Place[], signal: AbortSignal): Promise<void> {
    let left = places;
    for (;;) {
      const place = choosePlace(left, datum.bytes, this.#puts.at(performance.now()))!;
      left = left.filter((other) => other !== place);
      try {
        return await this.#push(datum, place, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (left.length === 0 || !isGone(error)) throw error;
      }
    }
  }

  /** A node that has gone meanwhile needs no copy. */
  async #bringCopy(datum: Datum, place: Place, options: ScatterOptions, signal: AbortSignal): Promise<void> {
    try {
      await this.#push(datum, place, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isGone(error)) throw error;
      const { url } = place;
      if ((await this.#places(options, signal)).some((other) => other.url === url)) throw error;
    }
  }

  /** A connection that breaks is no reason to give up: the node has kept nothing, or all of it. */
  async #push({ secret, parts, bytes }: Datum, { url, node }: Place, signal: AbortSignal): Promise<void> {
    this.#puts.add(node, bytes, performance.now());
    for (let tries = 1; ; tries++) {
      try {
        const pushed = this.#links.use(url, (link) => link.push(secret, parts, signal));
        return await orAborted(pushed, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (tries >= clientLimits.pushTries || !isAsperitasError(error, 'connection-lost')) throw error;
        await pause(clientLimits.leastPauseMs * 2 ** tries, signal);
      }
    }
  }
}

const nothing = new Uint8Array(0);

function isGone(error: unknown): boolean {
  return ['unreachable', 'connection-lost', 'timeout'].some((code) => isAsperitasError(error, code));
}

/** @throws AsperitasError `not-serialisable` */
function datumOf(value: unknown): Datum {
  findInputs(
    value,
    (inner) => isLazy(inner) || isFuture(inner),
    () => {
      const message = 'a lazy or a future is no datum of its own: submit it, or scatter what it is made from';
      throw new AsperitasError('not-serialisable', message);
    },
  );
  const secret = randomBytes(secretBytes).toString('base64url');
  const parts = encodeValue(value);
  return { key: scatteredKey(secret), secret, parts, bytes: encodedBytes(parts) };
}

const secretBytes = 24;
