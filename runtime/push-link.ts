/**
 * Owns the pushing half of a connection on which a client brings data to a node: piece by piece, within the
 * credit that the node gives, several data taking turns. The receiving half is nodes/push-desk.ts. Must not
 * know: what a datum means, which node it should lie on.
 */
import { createHash } from 'node:crypto';
import type { DatumParts } from './data-link.ts';
import { AsperitasError } from './errors.ts';
import { type TaskKey, taskKey } from './ids.ts';
import { type MessageOf, protocol } from './message.ts';
import { array, bytes, count, object, text } from './schema.ts';
import type { Connection, WireMessage } from './transport/transport.ts';

/** From the side that pushes. */
export const PushRequest = protocol('push-request', {
  /** A datum is to come: its header is the first part, its frames are the others. Nothing is sent before the
   * node gives credit. The key follows from `secret`, so that nobody else can put data under it. */
  push: { request: count, key: text, secret: text, partBytes: array(count) },
  /** Parts come one after the other, each from its start to its end; an empty one has no pieces. */
  'push-piece': { request: count, part: count, offset: count, payload: bytes },
  'push-cancel': { request: count },
});
export type PushRequest = MessageOf<typeof PushRequest>;

/** From the node. A push ends with `push-held` or `push-refused`. */
export const PushReply = protocol('push-reply', {
  'push-credit': { request: count, bytes: count },
  'push-held': { request: count },
  /** Why not: a code of docs/errors.md, and its message. */
  'push-refused': { request: count, problem: object({ code: text, message: text }) },
});
export type PushReply = MessageOf<typeof PushReply>;

/** Of the digest in a key: 132 bits, as in the keys of tasks. */
const digestCharacters = 22;

/** The key of what is brought by who knows `secret`. */
export function scatteredKey(secret: string): TaskKey {
  const digest = createHash('sha256').update(secret).digest('base64url');
  return taskKey(`scattered-${digest.slice(0, digestCharacters)}`);
}

/** A message's payload: as large as nodes send them (nodes/machine-limits.ts). */
const pieceBytes = 4 * 2 ** 20;

interface Sending {
  readonly request: number;
  readonly parts: readonly Uint8Array[];
  part: number;
  offset: number;
  credit: number;
  readonly settle: (error?: Error) => void;
}

/** Pushes data over one connection, which it owns. */
export class PushLink {
  readonly #connection: Connection;
  readonly #sending = new Map<number, Sending>();
  #lastRequest = 0;
  #pumping = false;
  #lost: AsperitasError | undefined;
  /** Resolves when the connection has ended and every push on it has been rejected. Never rejects. */
  readonly closed: Promise<void>;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.onMessage((message) => this.#receive(message));
    this.closed = connection.closed.then((cause) => this.#fail(lostConnection(cause)));
  }

  /** Resolves when the node holds the datum under the key of `secret`. The parts must not change before that.
   * Rejects with what the node has against it (`datum-too-large`, `unreachable` where it is leaving),
   * `connection-lost` or the signal's reason; the node keeps nothing then. */
  push(secret: string, { header, frames }: DatumParts, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      if (signal.aborted) return reject(signal.reason);
      const request = ++this.#lastRequest;
      const settle = (error?: Error): void => {
        signal.removeEventListener('abort', onAbort);
        this.#sending.delete(request);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = (): void => {
        this.#send({ type: 'push-cancel', request });
        settle(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const parts = [header, ...frames];
      this.#sending.set(request, { request, parts, part: 0, offset: 0, credit: 0, settle });
      const partBytes = parts.map(({ byteLength }) => byteLength);
      this.#send({ type: 'push', request, key: scatteredKey(secret), secret, partBytes });
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

  #send(message: PushRequest): void {
    this.#connection.send(message as unknown as WireMessage);
  }

  #receive(raw: WireMessage): void {
    try {
      const message = PushReply.parse(raw);
      const sending = this.#sending.get(message.request);
      // The reply to a push that was given up meanwhile.
      if (sending === undefined) return;
      if (message.type === 'push-held') sending.settle();
      else if (message.type === 'push-refused') sending.settle(refused(message.problem));
      else {
        sending.credit += message.bytes;
        void this.#pump();
      }
    } catch (error) {
      // A peer that breaks the protocol can't be followed any further.
      this.#fail(error instanceof AsperitasError ? error : lostConnection(error));
      this.#connection.close('protocol error');
    }
  }

  /** One piece a turn, so that what is queued is counted before the next, and everyone's turn comes. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#sendPiece(next);
      await new Promise((resolve) => setImmediate(resolve));
      await this.#connection.drained();
    }
    this.#pumping = false;
  }

  /** The next that may send something, moved to the end of the line. */
  #next(): Sending | undefined {
    for (const sending of this.#sending.values()) {
      if (sending.credit === 0 || isSent(sending)) continue;
      this.#sending.delete(sending.request);
      this.#sending.set(sending.request, sending);
      return sending;
    }
    return undefined;
  }

  #sendPiece(sending: Sending): void {
    const { request, parts, part, offset, credit } = sending;
    const payload = parts[part]!.subarray(offset, offset + Math.min(pieceBytes, credit));
    this.#send({ type: 'push-piece', request, part, offset, payload });
    sending.offset += payload.byteLength;
    sending.credit -= payload.byteLength;
  }

  #fail(error: AsperitasError): void {
    this.#lost ??= error;
    for (const { settle } of [...this.#sending.values()]) settle(this.#lost);
  }
}

/** Moves on to the next part with bytes left; true when there is none. */
function isSent(sending: Sending): boolean {
  while (sending.parts[sending.part]?.byteLength === sending.offset) {
    sending.part++;
    sending.offset = 0;
  }
  return sending.part === sending.parts.length;
}

function refused({ code, message }: { readonly code: string; readonly message: string }): AsperitasError {
  return new AsperitasError(code, message);
}

function lostConnection(cause: unknown): AsperitasError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new AsperitasError('connection-lost', `the connection to a node has ended${why}`, {}, { cause });
}
