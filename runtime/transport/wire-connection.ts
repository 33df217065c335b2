/**
 * Owns the framing of an authenticated connection: the messages of one turn of the event loop travel as one
 * batch, a msgpack header followed by the raw frames it announces, each cut where it is too large for one
 * WebSocket message. Must not know: ws, what messages mean.
 */
import { decodeBatch, encodeBatch } from '../codec.ts';
import { AsperitasError } from '../errors.ts';
import { limits } from './limits.ts';
import type { Connection, Peer, WireMessage } from './transport.ts';

/** What the framing needs of a socket. */
export interface FrameSocket {
  readonly peer?: Peer;
  send(data: Uint8Array, done: () => void): void;
  ping(): void;
  /** Whether it keeps the process from ending. */
  hold(active: boolean): void;
  close(reason: string): void;
  terminate(): void;
  onFrame(receive: (data: Uint8Array) => void): void;
  onPong(receive: () => void): void;
  /** `why` is undefined for an orderly close. */
  onClose(receive: (why: string | undefined) => void): void;
}

/** How often a peer is pinged, how long it may give no sign of life, and how much it may send. */
export interface Patience {
  readonly pingMs: number;
  readonly silenceMs: number;
  /** What it may send at once. */
  readonly batchBytes?: number;
}

/** A batch of which parts are still to come: blob 0 is the header, the others its frames. */
interface PartialBatch {
  readonly sizes: readonly number[];
  readonly blobs: Uint8Array[];
  /** The part of the next blob that has come, when it comes in several. */
  filling: Uint8Array | undefined;
  filled: number;
}

/** A frame's bytes where typed arrays may lie on them: a received message may begin anywhere in its
 * buffer. */
function aligned(data: Uint8Array): Uint8Array {
  return data.byteOffset % 8 === 0 ? data : new Uint8Array(data);
}

/** What a batch begins with: how many blobs it has and the size of each, then the start of its header. */
function withSizes(blobs: readonly Uint8Array[], start: Uint8Array): Uint8Array {
  const prefixBytes = 4 + 8 * blobs.length;
  const data = new Uint8Array(prefixBytes + start.byteLength);
  const view = new DataView(data.buffer);
  view.setUint32(0, blobs.length, true);
  blobs.forEach((blob, index) => {
    view.setFloat64(4 + 8 * index, blob.byteLength, true);
  });
  data.set(start, prefixBytes);
  return data;
}

/** Reads the sizes that a batch begins with, and checks them before anything is allocated. */
function sizesOf(data: Uint8Array, mostBytes: number): number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = data.byteLength < 4 ? 0 : view.getUint32(0, true);
  const fits = count > 0 && count <= limits.batchFrames && data.byteLength >= 4 + 8 * count;
  const sizes = fits ? Array.from({ length: count }, (_, index) => view.getFloat64(4 + 8 * index, true)) : [];
  const total = sizes.reduce((sum, size) => sum + (Number.isSafeInteger(size) && size >= 0 ? size : NaN), 0);
  if (!fits || !(total <= mostBytes)) {
    throw new AsperitasError('invalid-message', 'invalid message: a batch announces impossible sizes');
  }
  return sizes;
}

export class WireConnection implements Connection {
  readonly hello: WireMessage;
  readonly peer?: Peer;
  readonly closed: Promise<AsperitasError | undefined>;
  readonly #socket: FrameSocket;
  #queue: WireMessage[] = [];
  /** Whether the queue leaves at the end of this turn, and whether a timer will look at it. */
  #flushing = false;
  #timed = false;
  #bufferedBytes = 0;
  #waiters: (() => void)[] = [];
  #receive: ((message: WireMessage) => void) | undefined;
  #early: WireMessage[] = [];
  #partial: PartialBatch | undefined;
  #ended = false;
  #heardMs = performance.now();
  #error: AsperitasError | undefined;
  readonly #silenceMs: number;
  readonly #pinger: NodeJS.Timeout;
  readonly #mostBytes: number;

  constructor(socket: FrameSocket, hello: WireMessage, { pingMs, silenceMs, batchBytes }: Patience = limits) {
    this.#socket = socket;
    this.hello = hello;
    if (socket.peer !== undefined) this.peer = socket.peer;
    this.#silenceMs = silenceMs;
    this.#mostBytes = batchBytes ?? limits.batchBytes;
    const pinger = setInterval(() => this.#checkSilence(), pingMs);
    this.#pinger = pinger;
    socket.onFrame((data) => this.#onFrame(data));
    socket.onPong(() => {
      this.#heardMs = performance.now();
    });
    this.closed = new Promise((resolve) => {
      socket.onClose((why) => {
        clearInterval(pinger);
        this.#ended = true;
        this.#wake();
        resolve(this.#error ?? (why === undefined ? undefined : lost(why)));
      });
    });
  }

  hold(active: boolean): void {
    this.#socket.hold(active);
    if (active) this.#pinger.ref();
    else this.#pinger.unref();
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  send(message: WireMessage): void {
    if (this.#ended) return;
    this.#queue.push(message);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.flush());
  }

  sendLater(message: WireMessage): void {
    if (this.#ended) return;
    this.#queue.push(message);
    if (this.#flushing || this.#timed) return;
    this.#timed = true;
    setTimeout(() => {
      this.#timed = false;
      this.#flush();
    }, limits.laterMs);
  }

  flush(): void {
    if (this.#flushing) this.#flush();
  }

  onMessage(receive: (message: WireMessage) => void): void {
    this.#receive = receive;
    const early = this.#early;
    this.#early = [];
    for (const message of early) receive(message);
  }

  async drained(signal?: AbortSignal): Promise<void> {
    while (!this.#ended && this.#bufferedBytes > limits.bufferedBytes) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const aborted = (): void => reject(signal?.reason);
        signal?.addEventListener('abort', aborted, { once: true });
        this.#waiters.push(() => {
          signal?.removeEventListener('abort', aborted);
          resolve();
        });
      });
    }
  }

  close(reason = ''): void {
    if (this.#ended) return;
    this.#flush();
    this.#ended = true;
    this.#socket.close(reason);
    setTimeout(() => this.#socket.terminate(), limits.closeMs).unref();
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#ended || this.#queue.length === 0) return;
    const queue = this.#queue;
    this.#queue = [];
    for (let start = 0; start < queue.length; start += limits.batchMessages) {
      const { header, frames } = encodeBatch(queue.slice(start, start + limits.batchMessages));
      const blobs = [header, ...frames];
      this.#write(withSizes(blobs, header.subarray(0, limits.frameBytes)));
      blobs.forEach((blob, index) => {
        for (
          let from = index === 0 ? limits.frameBytes : 0;
          from < blob.byteLength;
          from += limits.frameBytes
        ) {
          this.#write(blob.subarray(from, from + limits.frameBytes));
        }
      });
    }
  }

  #write(data: Uint8Array): void {
    this.#bufferedBytes += data.byteLength;
    this.#socket.send(data, () => {
      this.#bufferedBytes -= data.byteLength;
      // The system takes more only as the peer does: on a slow line the answer to a ping waits behind bulk.
      this.#heardMs = performance.now();
      if (this.#bufferedBytes <= limits.bufferedBytes) this.#wake();
    });
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  #onFrame(data: Uint8Array): void {
    this.#heardMs = performance.now();
    try {
      if (this.#partial === undefined) this.#begin(data);
      else this.#extend(this.#partial, data);
      this.#complete();
    } catch (error) {
      this.#fail(error instanceof AsperitasError ? error : lost(String(error)));
    }
  }

  #begin(data: Uint8Array): void {
    const sizes = sizesOf(data, this.#mostBytes);
    this.#partial = { sizes, blobs: [], filling: undefined, filled: 0 };
    this.#extend(this.#partial, data.subarray(4 + 8 * sizes.length));
  }

  /** Takes the next part of the blob that is being received: all of it, where it was not cut. */
  #extend(partial: PartialBatch, part: Uint8Array): void {
    const size = partial.sizes[partial.blobs.length]!;
    if (partial.filled + part.byteLength > size || (part.byteLength === 0 && size > 0)) {
      throw new AsperitasError('invalid-message', 'invalid message: a part of a batch has a wrong size');
    }
    if (part.byteLength === size) {
      // No array lies on the header.
      partial.blobs.push(partial.blobs.length === 0 ? part : aligned(part));
      return;
    }
    partial.filling ??= new Uint8Array(size);
    partial.filling.set(part, partial.filled);
    partial.filled += part.byteLength;
    if (partial.filled < size) return;
    partial.blobs.push(partial.filling);
    partial.filling = undefined;
    partial.filled = 0;
  }

  /** Delivers the batch when its last part has come. */
  #complete(): void {
    const partial = this.#partial!;
    while (partial.sizes[partial.blobs.length] === 0) partial.blobs.push(new Uint8Array(0));
    if (partial.blobs.length < partial.sizes.length) return;
    this.#partial = undefined;
    this.#deliver(decodeBatch(partial.blobs[0]!, partial.blobs.slice(1)));
  }

  #deliver(batch: readonly unknown[]): void {
    for (const message of batch) {
      if (typeof message !== 'object' || message === null || Array.isArray(message)) {
        throw new AsperitasError('invalid-message', 'invalid message: a message is no record');
      }
      if (this.#receive !== undefined) this.#receive(message as WireMessage);
      else if (this.#early.length < limits.earlyMessages) this.#early.push(message as WireMessage);
      else throw lost('messages came before anybody received them');
    }
  }

  #checkSilence(): void {
    if (performance.now() - this.#heardMs > this.#silenceMs) {
      this.#fail(lost(`the peer was silent for ${this.#silenceMs} ms`));
    } else {
      this.#socket.ping();
    }
  }

  #fail(error: AsperitasError): void {
    this.#error ??= error;
    this.#ended = true;
    this.#wake();
    this.#socket.terminate();
  }
}

function lost(why: string): AsperitasError {
  return new AsperitasError('connection-lost', `the connection was lost: ${why}`, { why });
}
