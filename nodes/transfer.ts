/**
 * Owns the serving half of a data connection (the fetching half is runtime/data-link.ts): sends data piece by
 * piece within the credit of each request, its requests taking turns, never more than the socket takes. Must
 * not know: where data come from, who fetches and why.
 */
import {
  AsperitasError,
  type Connection,
  type DataReply,
  DataRequest,
  type DatumParts,
  isAsperitasError,
  type WireMessage,
} from '../runtime/index.ts';
import { machineLimits } from './machine-limits.ts';

/** What is served: a `Store`. */
export interface DataSource {
  get(key: string, signal?: AbortSignal): Promise<DatumParts>;
  /** Names the very datum that lies under a key now, so that a fetch that was cut off can go on. */
  stampOf?(key: string): string | undefined;
  pin(key: string): void;
  unpin(key: string): void;
}

export interface ServeOptions {
  /** A datum was sent as a whole, or as much of it as `bytes` says. */
  readonly onServed?: (key: string, bytes: number) => void;
  /** A peer that takes all that it allowed, and allows no more for so long, is cut off. */
  readonly stallMs?: number;
}

interface Request {
  readonly request: number;
  readonly key: string;
  readonly stop: AbortController;
  credit: number;
  /** What the peer has already, of the datum of that stamp. */
  readonly resume: { readonly stamp: string; readonly frame: number; readonly offset: number } | undefined;
  parts: DatumParts | undefined;
  /** Where the next piece starts. */
  frame: number;
  offset: number;
  sentBytes: number;
}

class DataServer {
  readonly #connection: Connection;
  readonly #source: DataSource;
  readonly #options: ServeOptions;
  /** Those whose data are at hand; the first is served next. */
  #active: Request[] = [];
  readonly #requests = new Map<number, Request>();
  readonly #waiting: Request[] = [];
  readonly #served = new Set<Promise<void>>();
  #pumping = false;
  #ended = false;
  readonly closed: Promise<void>;

  constructor(connection: Connection, source: DataSource, options: ServeOptions) {
    this.#connection = connection;
    this.#source = source;
    this.#options = options;
    connection.onMessage((message) => this.#receive(message));
    this.closed = connection.closed.then(async () => {
      this.#end();
      await Promise.all(this.#served);
    });
  }

  #receive(raw: WireMessage): void {
    if (this.#ended) return;
    try {
      const message = DataRequest.parse(raw);
      if (message.type === 'fetch') this.#onFetch(message);
      else if (message.type === 'credit') this.#onCredit(message.request, message.bytes);
      else this.#onCancel(message.request);
    } catch (error) {
      if (!isAsperitasError(error)) throw error;
      this.#connection.close('protocol error');
      this.#end();
    }
  }

  #onFetch({ request, key, credit, resume }: Extract<DataRequest, { type: 'fetch' }>): void {
    const tooMany = this.#requests.size >= machineLimits.servedRequests + machineLimits.queuedRequests;
    if (tooMany || this.#requests.has(request)) {
      const why = tooMany ? 'too many requests' : 'a request was repeated';
      throw new AsperitasError('invalid-message', `invalid message: ${why}`, { why });
    }
    const stop = new AbortController();
    const parts = undefined;
    const place = { frame: 0, offset: 0, sentBytes: 0 };
    const entry: Request = { request, key, stop, credit, resume, parts, ...place };
    this.#requests.set(request, entry);
    this.#waiting.push(entry);
    this.#startNext();
  }

  #onCredit(request: number, bytes: number): void {
    const entry = this.#requests.get(request);
    if (entry === undefined) return;
    entry.credit += bytes;
    void this.#pump();
  }

  #onCancel(request: number): void {
    const entry = this.#requests.get(request);
    if (entry === undefined) return;
    entry.stop.abort();
    this.#requests.delete(request);
    const place = this.#waiting.indexOf(entry);
    if (place >= 0) this.#waiting.splice(place, 1);
  }

  #startNext(): void {
    while (this.#served.size < machineLimits.servedRequests && this.#waiting.length > 0) {
      const entry = this.#waiting.shift()!;
      if (entry.stop.signal.aborted) continue;
      const serving = this.#serve(entry).finally(() => {
        this.#served.delete(serving);
        this.#startNext();
      });
      this.#served.add(serving);
    }
  }

  /** Holds the datum in memory from the moment that it is asked for until its last piece is sent. */
  async #serve(entry: Request): Promise<void> {
    let pinned = false;
    const { signal } = entry.stop;
    try {
      this.#source.pin(entry.key);
      pinned = true;
      const parts = await this.#source.get(entry.key, signal);
      if (!signal.aborted) {
        entry.parts = parts;
        this.#sendStart(entry, parts);
        this.#active.push(entry);
        const sent = new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        void this.#pump();
        const watch = this.#watchForStall(entry);
        await sent;
        clearInterval(watch);
        this.#options.onServed?.(entry.key, entry.sentBytes);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!signal.aborted) this.#send({ type: 'datum-absent', request: entry.request, reason });
    } finally {
      if (pinned) this.#source.unpin(entry.key);
      this.#requests.delete(entry.request);
    }
  }

  #sendStart(entry: Request, { header, frames }: DatumParts): void {
    const { request, key, resume } = entry;
    const frameBytes = frames.map((frame) => frame.byteLength);
    const stamp = this.#source.stampOf?.(key);
    const resumed = resume !== undefined && resume.stamp === stamp && isPlace(resume, frameBytes);
    if (resumed) Object.assign(entry, { frame: resume.frame, offset: resume.offset });
    const more = { ...(stamp === undefined ? {} : { stamp }), ...(resumed ? { resumed } : {}) };
    this.#send({ type: 'datum-start', request, header: resumed ? nothing : header, frameBytes, ...more });
  }

  /** What is asked for stays in memory until it is sent: not for a peer that has stopped taking it. One that
   * is slow still has bytes on the way. */
  #watchForStall(entry: Request): NodeJS.Timeout {
    let before = -1;
    const watch = setInterval(() => {
      const moves = entry.sentBytes > before || entry.credit > 0 || this.#connection.bufferedBytes > 0;
      before = entry.sentBytes;
      if (moves) return;
      this.#connection.close(`nothing of ${entry.key} was taken for a while`);
      this.#end();
    }, this.#options.stallMs ?? machineLimits.stallMs);
    return watch.unref();
  }

  #send(message: DataReply): void {
    this.#connection.send(message as unknown as WireMessage);
  }

  /** One piece a turn, so that what is queued is counted before the next, and everyone's turn comes. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let entry = this.#next(); entry !== undefined && !this.#ended; entry = this.#next()) {
      this.#sendPiece(entry);
      await new Promise((resolve) => setImmediate(resolve));
      await this.#connection.drained();
    }
    this.#pumping = false;
  }

  /** The next request that may send something, moved to the end of the line. */
  #next(): Request | undefined {
    this.#active = this.#active.filter((entry) => !entry.stop.signal.aborted);
    const index = this.#active.findIndex((entry) => entry.credit > 0 || skipFull(entry));
    if (index < 0) return undefined;
    const entry = this.#active.splice(index, 1)[0]!;
    this.#active.push(entry);
    return entry;
  }

  #sendPiece(entry: Request): void {
    const { request, key } = entry;
    if (!skipFull(entry)) {
      const frame = entry.parts!.frames[entry.frame]!;
      const end = entry.offset + Math.min(machineLimits.pieceBytes, entry.credit);
      const payload = frame.subarray(entry.offset, end);
      this.#send({ type: 'datum-piece', request, frame: entry.frame, offset: entry.offset, payload });
      entry.offset += payload.byteLength;
      entry.credit -= payload.byteLength;
      entry.sentBytes += payload.byteLength;
    }
    if (skipFull(entry)) {
      this.#send({ type: 'datum-end', request });
      entry.stop.abort(`${key} is sent`);
    }
  }

  #end(): void {
    this.#ended = true;
    for (const entry of this.#requests.values()) entry.stop.abort();
  }
}

const nothing = new Uint8Array(0);

function isPlace(
  at: { readonly frame: number; readonly offset: number },
  frameBytes: readonly number[],
): boolean {
  if (at.frame === frameBytes.length) return at.offset === 0;
  return at.frame < frameBytes.length && at.offset < frameBytes[at.frame]!;
}

/** Moves on to the next frame with bytes left; true when there is none. */
function skipFull(entry: Request): boolean {
  const { frames } = entry.parts!;
  while (entry.frame < frames.length && frames[entry.frame]!.byteLength === entry.offset) {
    entry.frame++;
    entry.offset = 0;
  }
  return entry.frame === frames.length;
}

/** Serves data over a connection, of which it becomes the receiver, until that closes. The promise resolves
 * when the connection has ended and nothing is pinned for it any more; it never rejects. */
export function serveData(
  connection: Connection,
  source: DataSource,
  options: ServeOptions = {},
): { readonly closed: Promise<void> } {
  return new DataServer(connection, source, options);
}
