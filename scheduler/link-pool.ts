/**
 * Owns the connections of a client to nodes for one purpose, one a node: dialled when first needed, kept
 * while they are used, and closed again when there are too many. Must not know: what travels on them, or why.
 */
import type { Connection, Transport } from '../runtime/index.ts';
import { clientLimits } from './limits.ts';

/** What a pool asks of the links that it keeps. */
export interface PooledLink {
  /** Resolves when the link has ended. Never rejects. */
  readonly closed: Promise<void>;
  hold(active: boolean): void;
  close(): void;
}

interface Entry<L> {
  readonly link: Promise<L>;
  busy: number;
}

export interface LinkPoolOptions<L> {
  readonly transport: Transport;
  readonly token: string;
  /** As whom nodes are dialled. */
  readonly role: 'data' | 'client';
  readonly open: (connection: Connection) => L;
}

/** A link on which nothing travels does not keep the process from ending. */
async function hold(entry: Entry<PooledLink>): Promise<void> {
  const link = await entry.link.catch(() => undefined);
  link?.hold(entry.busy > 0);
}

export class LinkPool<L extends PooledLink> {
  readonly #options: LinkPoolOptions<L>;
  /** By url, the one used longest ago first. */
  readonly #entries = new Map<string, Entry<L>>();
  readonly #closing = new AbortController();

  constructor(options: LinkPoolOptions<L>) {
    this.#options = options;
  }

  /** Does something with the link to the node at `url`. Rejects as dialling and `body` do. */
  async use<R>(url: string, body: (link: L) => Promise<R>): Promise<R> {
    const entry = this.#entryOf(url);
    if (entry.busy++ === 0) void hold(entry);
    try {
      return await body(await entry.link);
    } finally {
      if (--entry.busy === 0) void hold(entry);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const url of [...this.#entries.keys()]) this.#drop(url);
  }

  #entryOf(url: string): Entry<L> {
    const known = this.#entries.get(url);
    if (known !== undefined) {
      this.#entries.delete(url);
      this.#entries.set(url, known);
      return known;
    }
    const entry: Entry<L> = { link: this.#dial(url), busy: 0 };
    this.#entries.set(url, entry);
    const forget = (): void => {
      if (this.#entries.get(url) === entry) this.#entries.delete(url);
    };
    // A link that fails or ends is dialled anew by the next use.
    entry.link.then((link) => link.closed.then(forget), forget);
    for (const [other, { busy }] of this.#entries) {
      if (this.#entries.size <= clientLimits.links) break;
      if (busy === 0 && other !== url) this.#drop(other);
    }
    return entry;
  }

  async #dial(url: string): Promise<L> {
    const { transport, token, role, open } = this.#options;
    const connection: Connection = await transport.dial(url, {
      token,
      hello: { role },
      timeoutMs: clientLimits.dialMs,
      signal: this.#closing.signal,
    });
    return open(connection);
  }

  #drop(url: string): void {
    const entry = this.#entries.get(url);
    this.#entries.delete(url);
    entry?.link.then(
      (link) => link.close(),
      () => undefined,
    );
  }
}
