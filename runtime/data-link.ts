/**
 * Owns the fetching half of a data connection: ask for a datum by key, get its header and raw frames put
 * together again, with credits so that no more is in flight than the receiver allowed. The serving half is
 * nodes/transfer.ts. Must not know: what a datum means, who makes it, or how it is decoded.
 */
import { AsperitasError } from './errors.ts';
import { type MessageOf, protocol } from './message.ts';
import { array, bytes, count, flag, maybe, object, text } from './schema.ts';
import type { Connection, WireMessage } from './transport/transport.ts';

/** From the side that fetches. */
export const DataRequest = protocol('data-request', {
  /** `credit` bytes of pieces may be sent at once. With `resume`, what came before its place over an earlier
   * connection need not come again, if the datum is still the one of that stamp. */
  fetch: {
    request: count,
    key: text,
    credit: count,
    resume: maybe(object({ stamp: text, frame: count, offset: count })),
  },
  /** Allows the server to send so many further bytes of this request. */
  credit: { request: count, bytes: count },
  'fetch-cancel': { request: count },
});
export type DataRequest = MessageOf<typeof DataRequest>;

/** From the side that serves. Pieces come frame by frame, each frame from its start to its end; an empty
 * frame has none. A request ends with `datum-end` or `datum-absent`. */
export const DataReply = protocol('data-reply', {
  /** The datum's header, and the size of each frame that follows. `stamp` names this very datum, where the
   * server can resume; `resumed` says that pieces go on from the place that was asked for. */
  'datum-start': {
    request: count,
    header: bytes,
    frameBytes: array(count),
    stamp: maybe(text),
    resumed: maybe(flag),
  },
  'datum-piece': { request: count, frame: count, offset: count, payload: bytes },
  'datum-end': { request: count },
  'datum-absent': { request: count, reason: text },
});
export type DataReply = MessageOf<typeof DataReply>;

/** A datum as it lies in a store and crosses the wire: the codec's header and its aligned raw frames. */
export interface DatumParts {
  readonly header: Uint8Array;
  readonly frames: readonly Uint8Array[];
}

export interface DataLinkOptions {
  /** Where frames are put: plain memory unless told; nodes give shared memory. Must be aligned to 8 bytes. */
  readonly allocate?: (sizeBytes: number) => Uint8Array;
  /** How many bytes of one request may be under way. */
  readonly windowBytes?: number;
  /** A request whose server is silent so long is given up. */
  readonly silenceMs?: number;
  /** A datum larger than this is refused before anything is allocated. */
  readonly maxDatumBytes?: number;
}

const defaults = {
  // Covers 1 GB/s over a line of 20 ms and more, and bounds what one slow reader leaves in socket buffers.
  windowBytes: 32 * 2 ** 20,
  silenceMs: 30_000,
  maxDatumBytes: 2 ** 37,
} as const;

/** A datum of which a part has come, kept by its fetcher so that another link can bring the rest. */
export interface PartialDatum {
  /** Of the server's datum; without one nothing can be resumed. */
  stamp: string | undefined;
  header: Uint8Array | undefined;
  frames: Uint8Array[];
  /** The frame and the offset in it where the next piece must start. */
  frame: number;
  offset: number;
}

export function emptyPartial(): PartialDatum {
  return { stamp: undefined, header: undefined, frames: [], frame: 0, offset: 0 };
}

/** How many bytes of frames have come. */
export function receivedBytes({ frames, frame, offset }: PartialDatum): number {
  return frames.slice(0, frame).reduce((sum, { byteLength }) => sum + byteLength, offset);
}

interface Pending {
  readonly key: string;
  readonly resolve: (parts: DatumParts) => void;
  readonly reject: (error: Error) => void;
  readonly stopListening: () => void;
  timer: NodeJS.Timeout;
  readonly partial: PartialDatum;
  started: boolean;
  /** Bytes received since credit was last given. */
  uncredited: number;
}

/** Fetches data over one connection, which it owns. Several fetches may be under way at once. */
export class DataLink {
  readonly #connection: Connection;
  readonly #options: Required<DataLinkOptions>;
  readonly #pending = new Map<number, Pending>();
  #lastRequest = 0;
  #lost: AsperitasError | undefined;
  /** Resolves when the connection has ended and every fetch on it has been rejected. Never rejects. */
  readonly closed: Promise<void>;

  constructor(connection: Connection, options: DataLinkOptions = {}) {
    this.#connection = connection;
    this.#options = { allocate: (sizeBytes) => new Uint8Array(sizeBytes), ...defaults, ...options };
    connection.onMessage((message) => this.#receive(message));
    this.closed = connection.closed.then((cause) => this.#fail(lostConnection(cause)));
  }

  /** The parts of a datum, in memory of their own. Rejects with `datum-absent` when the server does not hold
   * it, `connection-lost`, `timeout` (a silent server) or `aborted`.
   * @param partial what an earlier fetch of the datum left; filled, so that a later one can go on from it */
  fetch(key: string, signal?: AbortSignal, partial = emptyPartial()): Promise<DatumParts> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      if (signal?.aborted) return reject(aborted(key, signal));
      const request = ++this.#lastRequest;
      const onAbort = (): void => this.#cancel(request, aborted(key, signal));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(request, {
        key,
        resolve,
        reject,
        stopListening: () => signal?.removeEventListener('abort', onAbort),
        timer: this.#silenceTimer(request, key),
        partial,
        started: false,
        uncredited: 0,
      });
      const { stamp, frame, offset } = partial;
      const resume = stamp === undefined ? {} : { resume: { stamp, frame, offset } };
      this.#send({ type: 'fetch', request, key, credit: this.#options.windowBytes, ...resume });
    });
  }

  /** Whether it keeps the process from ending. */
  hold(active: boolean): void {
    this.#connection.hold?.(active);
  }

  /** Rejects what is under way and closes the connection. */
  close(): void {
    this.#fail(lostConnection(undefined));
    this.#connection.close();
  }

  #send(message: DataRequest): void {
    this.#connection.send(message as unknown as WireMessage);
  }

  #silenceTimer(request: number, key: string): NodeJS.Timeout {
    const { silenceMs } = this.#options;
    const timer = setTimeout(() => {
      const message = `fetching ${key} was given up: no byte came for ${silenceMs} ms`;
      this.#cancel(request, new AsperitasError('timeout', message, { key, silenceMs }));
    }, silenceMs);
    return timer;
  }

  #receive(raw: WireMessage): void {
    try {
      const message = DataReply.parse(raw);
      const pending = this.#pending.get(message.request);
      // The server lives: requests of one line take turns, and on a slow one a turn may be long in coming.
      for (const { timer } of this.#pending.values()) timer.refresh();
      // The reply to a request that was cancelled meanwhile.
      if (pending === undefined) return;
      if (message.type === 'datum-start') this.#start(pending, message);
      else if (message.type === 'datum-piece') this.#take(message.request, pending, message);
      else if (message.type === 'datum-end') this.#finish(message.request, pending);
      else this.#settle(message.request)?.reject(absent(pending.key, message.reason));
    } catch (error) {
      // A peer that breaks the protocol can't be followed any further.
      this.#fail(error instanceof AsperitasError ? error : lostConnection(error));
      this.#connection.close('protocol error');
    }
  }

  #start(pending: Pending, message: Extract<DataReply, { type: 'datum-start' }>): void {
    const { partial, key } = pending;
    const total = message.frameBytes.reduce((sum, size) => sum + size, 0);
    check(!pending.started && total <= this.#options.maxDatumBytes, key, 'datum-start');
    pending.started = true;
    if (message.resumed === true) {
      const same = message.frameBytes.every((size, k) => size === partial.frames[k]?.byteLength);
      check(partial.stamp !== undefined && partial.stamp === message.stamp && same, key, 'datum-start');
      return;
    }
    partial.stamp = message.stamp;
    partial.header = message.header.slice();
    partial.frames = message.frameBytes.map((size) => this.#options.allocate(size));
    partial.frame = 0;
    partial.offset = 0;
    skipFull(partial);
  }

  #take(request: number, pending: Pending, piece: Extract<DataReply, { type: 'datum-piece' }>): void {
    const { partial, key, started } = pending;
    const frame = partial.frames[partial.frame];
    const fits =
      started &&
      frame !== undefined &&
      piece.frame === partial.frame &&
      piece.offset === partial.offset &&
      piece.payload.byteLength > 0 &&
      piece.offset + piece.payload.byteLength <= frame.byteLength;
    check(fits, key, 'datum-piece');
    frame!.set(piece.payload, piece.offset);
    partial.offset += piece.payload.byteLength;
    skipFull(partial);
    pending.uncredited += piece.payload.byteLength;
    // Credit goes back in halves of the window: one message for many pieces, and never a stall.
    if (pending.uncredited * 2 >= this.#options.windowBytes) {
      this.#send({ type: 'credit', request, bytes: pending.uncredited });
      pending.uncredited = 0;
    }
  }

  #finish(request: number, { partial, started, key }: Pending): void {
    check(
      started && partial.header !== undefined && partial.frame === partial.frames.length,
      key,
      'datum-end',
    );
    this.#settle(request)?.resolve({ header: partial.header!, frames: partial.frames });
  }

  #cancel(request: number, error: AsperitasError): void {
    const pending = this.#settle(request);
    if (pending === undefined) return;
    this.#send({ type: 'fetch-cancel', request });
    pending.reject(error);
  }

  #settle(request: number): Pending | undefined {
    const pending = this.#pending.get(request);
    if (pending === undefined) return undefined;
    this.#pending.delete(request);
    clearTimeout(pending.timer);
    pending.stopListening();
    return pending;
  }

  #fail(error: AsperitasError): void {
    this.#lost ??= error;
    for (const request of [...this.#pending.keys()]) this.#settle(request)?.reject(this.#lost);
  }
}

/** Moves on to the next frame that still lacks bytes. */
function skipFull(partial: PartialDatum): void {
  while (partial.frames[partial.frame]?.byteLength === partial.offset) {
    partial.frame++;
    partial.offset = 0;
  }
}

function check(fits: boolean, key: string, type: string): void {
  if (fits) return;
  throw new AsperitasError('invalid-message', `invalid message: ${type} out of place for ${key}`, {
    key,
    type,
  });
}

function absent(key: string, reason: string): AsperitasError {
  return new AsperitasError('datum-absent', `the node does not hold ${key}: ${reason}`, { key, reason });
}

function aborted(key: string, signal: AbortSignal | undefined): AsperitasError {
  return new AsperitasError('aborted', `fetching ${key} was aborted`, { key }, { cause: signal?.reason });
}

function lostConnection(cause: unknown): AsperitasError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new AsperitasError('connection-lost', `the data connection has ended${why}`, {}, { cause });
}
