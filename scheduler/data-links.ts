/**
 * Owns the data connections of a client, one a node: dialled when first needed, kept while they are used, and
 * closed again when there are too many. Must not know: what is fetched, or why from there.
 */
import { type Connection, DataLink, type DatumParts, type Transport } from '../runtime/index.ts';
import { clientLimits } from './limits.ts';

interface Entry {
  readonly link: Promise<DataLink>;
  busy: number;
}

export interface DataLinksOptions {
  readonly transport: Transport;
  readonly token: string;
}

/** A link on which nothing is fetched does not keep the process from ending. */
async function hold(entry: Entry): Promise<void> {
  const link = await entry.link.catch(() => undefined);
  link?.hold(entry.busy > 0);
}

export class DataLinks {
  readonly #options: DataLinksOptions;
  /** By url, the one used longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();

  constructor(options: DataLinksOptions) {
    this.#options = options;
  }

  /** Fetches a datum from the node at `url`. Rejects as dialling and `DataLink.fetch` do. */
  async fetch(url: string, key: string, signal: AbortSignal): Promise<DatumParts> {
    const entry = this.#entryOf(url);
    if (entry.busy++ === 0) void hold(entry);
    try {
      return await (await entry.link).fetch(key, signal);
    } finally {
      if (--entry.busy === 0) void hold(entry);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const url of [...this.#entries.keys()]) this.#drop(url);
  }

  #entryOf(url: string): Entry {
    const known = this.#entries.get(url);
    if (known !== undefined) {
      this.#entries.delete(url);
      this.#entries.set(url, known);
      return known;
    }
    const entry: Entry = { link: this.#dial(url), busy: 0 };
    this.#entries.set(url, entry);
    const forget = (): void => {
      if (this.#entries.get(url) === entry) this.#entries.delete(url);
    };
    // A link that fails or ends is dialled anew by the next fetch.
    entry.link.then((link) => link.closed.then(forget), forget);
    for (const [other, { busy }] of this.#entries) {
      if (this.#entries.size <= clientLimits.links) break;
      if (busy === 0 && other !== url) this.#drop(other);
    }
    return entry;
  }

  async #dial(url: string): Promise<DataLink> {
    const { transport, token } = this.#options;
    const connection: Connection = await transport.dial(url, {
      token,
      hello: { role: 'data' },
      timeoutMs: clientLimits.dialMs,
      signal: this.#closing.signal,
    });
    return new DataLink(connection);
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
