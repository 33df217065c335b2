/**
 * Owns the framing of an authenticated connection: the messages of one turn of the event loop travel as one
 * batch, a msgpack header followed by the raw frames it announces. Must not know: ws, what messages mean.
 */
import { decodeValue, encodeValue } from '../codec.ts';
import { AsperitasError } from '../errors.ts';
import { limits } from './limits.ts';
import type { Connection, WireMessage } from './transport.ts';

/** What the framing needs of a socket. */
export interface FrameSocket {
  send(data: Uint8Array, done: () => void): void;
  ping(): void;
  close(reason: string): void;
  terminate(): void;
  onFrame(receive: (data: Uint8Array) => void): void;
  onPong(receive: () => void): void;
  /** `why` is undefined for an orderly close. */
  onClose(receive: (why: string | undefined) => void): void;
}

/** A batch whose header has come and whose frames are still coming. */
interface PartialBatch {
  readonly header: Uint8Array;
  readonly frameCount: number;
  readonly frames: Uint8Array[];
}

/** A frame's bytes where typed arrays may lie on them: a received message may begin anywhere in its
 * buffer. */
function aligned(data: Uint8Array): Uint8Array {
  return data.byteOffset % 8 === 0 ? data : Uint8Array.from(data);
}

/** The first four bytes of a batch say how many frames follow its header. */
function withCount(header: Uint8Array, frameCount: number): Uint8Array {
  const data = new Uint8Array(4 + header.byteLength);
  new DataView(data.buffer).setUint32(0, frameCount, true);
  data.set(header, 4);
  return data;
}

export class WireConnection implements Connection {
  readonly hello: WireMessage;
  readonly closed: Promise<AsperitasError | undefined>;
  readonly #socket: FrameSocket;
  #queue: WireMessage[] = [];
  #flushing = false;
  #bufferedBytes = 0;
  #waiters: (() => void)[] = [];
  #receive: ((message: WireMessage) => void) | undefined;
  #early: WireMessage[] = [];
  #partial: PartialBatch | undefined;
  #ended = false;
  #heardMs = performance.now();
  #error: AsperitasError | undefined;

  constructor(socket: FrameSocket, hello: WireMessage) {
    this.#socket = socket;
    this.hello = hello;
    const pinger = setInterval(() => this.#checkSilence(), limits.pingMs);
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

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  send(message: WireMessage): void {
    if (this.#ended) return;
    this.#queue.push(message);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
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
    const batch = this.#queue;
    this.#queue = [];
    const { header, frames } = encodeValue(batch);
    this.#write(withCount(header, frames.length));
    for (const frame of frames) this.#write(frame);
  }

  #write(data: Uint8Array): void {
    this.#bufferedBytes += data.byteLength;
    this.#socket.send(data, () => {
      this.#bufferedBytes -= data.byteLength;
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
      const partial = this.#partial ?? this.#begin(data);
      if (this.#partial !== undefined) partial.frames.push(aligned(data));
      this.#partial = partial;
      if (partial.frames.length < partial.frameCount) return;
      this.#partial = undefined;
      this.#deliver(decodeValue(partial.header, partial.frames));
    } catch (error) {
      this.#fail(error instanceof AsperitasError ? error : lost(String(error)));
    }
  }

  #begin(data: Uint8Array): PartialBatch {
    const frameCount =
      data.byteLength < 4
        ? Number.POSITIVE_INFINITY
        : new DataView(data.buffer, data.byteOffset).getUint32(0, true);
    if (frameCount > limits.batchFrames) {
      throw new AsperitasError('invalid-message', 'invalid message: a batch announces too many frames');
    }
    return { header: data.subarray(4), frameCount, frames: [] };
  }

  #deliver(batch: unknown): void {
    if (!Array.isArray(batch))
      throw new AsperitasError('invalid-message', 'invalid message: a batch is no list');
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
    if (performance.now() - this.#heardMs > limits.silenceMs) {
      this.#fail(lost(`the peer was silent for ${limits.silenceMs} ms`));
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
