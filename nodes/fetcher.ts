/**
 * Owns the fetching of data from other nodes: one data link a peer, dialled when it is first needed, shared
 * by all fetches, closed when idle and forgotten when dead. Must not know: the store, who wants the data.
 */
import { setMaxListeners } from 'node:events';
import {
  AsperitasError,
  type Connection,
  DataLink,
  type DatumParts,
  type DialOptions,
  emptyPartial,
  encodedBytes,
  isAsperitasError,
  type PartialDatum,
  receivedBytes,
  type SiteName,
  type Transport,
  webSocketTransport,
} from '../runtime/index.ts';
import { checkSite } from '../scheduler/index.ts';
import type { Replica } from '../scheduler/protocol.ts';
import { machineLimits } from './machine-limits.ts';
import { allocateShared } from './shared-frames.ts';

export interface FetcherOptions {
  /** Who fetches, said to the peers. */
  readonly node: string;
  readonly token: string;
  readonly transport?: Transport;
  /** A link is closed when nothing was fetched over it for so long. */
  readonly idleMs?: number;
  readonly dialMs?: number;
}

/** Why a fetch failed, as the scheduler wants to know it; undefined when it was merely aborted. */
export function missReason(error: unknown): 'absent' | 'unreachable' | undefined {
  if (isAsperitasError(error, 'aborted')) return undefined;
  return isAsperitasError(error, 'datum-absent') ? 'absent' : 'unreachable';
}

interface Peer {
  readonly url: string;
  readonly link: Promise<DataLink>;
  readonly stop: AbortController;
  /** Fetches that use the link or wait for their turn. */
  users: number;
  underWay: number;
  readonly waiting: (() => void)[];
  idle: NodeJS.Timeout | undefined;
}

export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #peers = new Map<string, Peer>();
  #closed = false;
  /** Data fetched so far, and their bytes. */
  fetches = 0;
  fetchedBytes = 0;
  /** Fetches that went on over another connection. */
  resumed = 0;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** The number of links, those being dialled included. */
  get links(): number {
    return this.#peers.size;
  }

  /** A datum's parts, each frame in shared memory of its own.
   * @throws AsperitasError `datum-absent`; `aborted`; anything else means that the peer can't be talked to
   *   (`missReason` tells them apart). */
  async fetch(key: string, replica: Replica, signal?: AbortSignal): Promise<DatumParts> {
    if (this.#closed || signal?.aborted) throw aborted(key, signal);
    // One signal stops the fetches of all inputs of a run: many listeners are no leak.
    if (signal !== undefined) setMaxListeners(0, signal);
    const partial = emptyPartial();
    for (let received = 0; ; ) {
      try {
        return await this.#fetchOnce(key, replica, { signal, partial });
      } catch (error) {
        // Cut off on the way: as long as each line brings some of it, another one is worth dialling.
        const more = receivedBytes(partial) - received;
        const cut = isAsperitasError(error, 'connection-lost') && partial.stamp !== undefined;
        if (!cut || more <= 0 || this.#closed || signal?.aborted === true) throw error;
        received += more;
        this.resumed++;
      }
    }
  }

  async #fetchOnce(
    key: string,
    replica: Replica,
    { signal, partial }: { readonly signal: AbortSignal | undefined; readonly partial: PartialDatum },
  ): Promise<DatumParts> {
    const peer = this.#peers.get(replica.url) ?? this.#dial(replica);
    peer.users++;
    clearTimeout(peer.idle);
    try {
      const link = await unlessAborted(peer.link, key, signal);
      await turn(peer, key, signal);
      try {
        const parts = await link.fetch(key, signal, partial);
        this.fetches++;
        this.fetchedBytes += encodedBytes(parts);
        return parts;
      } catch (error) {
        // Now, not when the end of the connection is noticed: the next fetch must not take this link.
        if (isAsperitasError(error, 'connection-lost')) this.#drop(peer);
        throw error;
      } finally {
        peer.underWay--;
        peer.waiting.shift()?.();
      }
    } finally {
      if (--peer.users === 0) this.#onIdle(peer);
    }
  }

  /** Ends every link; what is under way rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    const peers = [...this.#peers.values()];
    for (const peer of peers) this.#drop(peer);
    await Promise.all(peers.map((peer) => peer.link.then((link) => link.closed).catch(() => undefined)));
  }

  #dial({ url, site }: Replica): Peer {
    const { token, node, transport = webSocketTransport, dialMs } = this.#options;
    const stop = new AbortController();
    const options: DialOptions = {
      token,
      hello: { role: 'data', node },
      signal: stop.signal,
      ...(dialMs === undefined ? {} : { timeoutMs: dialMs }),
    };
    const link = transport.dial(url, options).then((connection) => {
      checkHolder(connection, site);
      return new DataLink(connection, {
        allocate: allocateShared,
        silenceMs: machineLimits.fetchSilenceMs,
      });
    });
    const peer: Peer = { url, link, stop, users: 0, underWay: 0, waiting: [], idle: undefined };
    this.#peers.set(url, peer);
    // The next fetch dials anew, whether this link never came to be or has ended.
    link
      .then((opened) => opened.closed)
      .then(
        () => this.#drop(peer),
        () => this.#drop(peer),
      );
    return peer;
  }

  #onIdle(peer: Peer): void {
    if (this.#peers.get(peer.url) !== peer) return;
    peer.idle = setTimeout(() => this.#drop(peer), this.#options.idleMs ?? machineLimits.linkIdleMs);
    peer.idle.unref();
  }

  #drop(peer: Peer): void {
    if (this.#peers.get(peer.url) === peer) this.#peers.delete(peer.url);
    clearTimeout(peer.idle);
    peer.stop.abort();
    peer.link.then(
      (link) => link.close(),
      () => undefined,
    );
  }
}

/** Data of a site come from nodes of it, where certificates tell.
 * @throws AsperitasError `wrong-site` */
function checkHolder(connection: Connection, site: SiteName): void {
  try {
    checkSite(connection.peer, site, `the node at ${connection.peer?.address}`);
  } catch (error) {
    connection.close('of another site');
    throw error;
  }
}

/** Waits until fewer fetches are under way on the link than its server would take at once: a fetch that waits
 * there would look like a silent peer. */
async function turn(peer: Peer, key: string, signal: AbortSignal | undefined): Promise<void> {
  while (peer.underWay >= machineLimits.linkFetches) {
    let wake: () => void = () => undefined;
    const free = new Promise<void>((resolve) => {
      wake = resolve;
      peer.waiting.push(resolve);
    });
    try {
      await unlessAborted(free, key, signal);
    } catch (error) {
      const index = peer.waiting.indexOf(wake);
      // Woken already: the turn passes to the next.
      if (index < 0) peer.waiting.shift()?.();
      else peer.waiting.splice(index, 1);
      throw error;
    }
  }
  peer.underWay++;
}

function aborted(key: string, signal: AbortSignal | undefined): AsperitasError {
  const cause: unknown = signal?.reason;
  return new AsperitasError('aborted', `fetching ${key} was given up`, { key }, { cause });
}

function unlessAborted<T>(work: Promise<T>, key: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(key, signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
