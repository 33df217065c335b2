/**
 * Owns a caller's connection to a node where actors live: lines to several actors over one socket, and what
 * comes back on each. Must not know: what is asked, where actors go.
 */
import { ActorReply, type ActorRequest } from './actor-messages.ts';
import type { DatumParts } from './data-link.ts';
import type { MessageOf } from './message.ts';
import type { Connection } from './transport/transport.ts';

type Reply = MessageOf<typeof ActorReply>;

/** What one line brings. `lost` is the last of it. */
export interface LineEars {
  readonly answers: (parts: DatumParts) => void;
  readonly refused: (from: number, why: 'full' | 'away') => void;
  readonly room: () => void;
  readonly lost: () => void;
}

/** More than the transport lets anybody wait for. */
const congestedBytes = 32 * 2 ** 20;

export class ActorLink {
  readonly #connection: Connection;
  readonly #lines = new Map<number, LineEars>();
  #lastLine = 0;
  #closed = false;
  /** Resolves when the connection has ended and every line has been told. Never rejects. */
  readonly closed: Promise<void>;

  constructor(connection: Connection) {
    this.#connection = connection;
    // Asks keep the process by their deadlines; a line on which nothing is asked need not.
    connection.hold?.(false);
    connection.onMessage((raw) => this.#receive(raw));
    this.closed = connection.closed.then(() => this.#end());
  }

  /** Waits while much of what was sent has not left yet; no promise when there is no need to. */
  drained(): Promise<void> | undefined {
    return this.#connection.bufferedBytes > congestedBytes ? this.#connection.drained() : undefined;
  }

  /** Lines in use. */
  get lines(): number {
    return this.#lines.size;
  }

  /** Opens a line to one incarnation of an actor, and returns its number. */
  open(actor: string, incarnation: number, ears: LineEars): number {
    const line = ++this.#lastLine;
    this.#lines.set(line, ears);
    this.#send({ type: 'open', line, actor, incarnation });
    if (this.#closed) queueMicrotask(() => this.#end());
    return line;
  }

  send(line: number, about: { readonly first: number; readonly count: number }, body: DatumParts): void {
    this.#send({ type: 'parcel', line, ...about, ...body });
  }

  cancel(line: number, numbers: readonly number[]): void {
    this.#send({ type: 'cancel', line, numbers });
  }

  /** Nothing that comes on the line is delivered any more. */
  closeLine(line: number): void {
    if (this.#lines.delete(line)) this.#send({ type: 'close', line });
  }

  close(): void {
    this.#connection.close('no actor is asked any more');
    this.#end();
  }

  #send(message: ActorRequest): void {
    this.#connection.send(message as unknown as Readonly<Record<string, unknown>>);
  }

  #receive(raw: unknown): void {
    let reply: Reply;
    try {
      reply = ActorReply.parse(raw);
    } catch {
      // A peer that breaks the protocol can't be followed any further.
      this.#connection.close('protocol error');
      this.#end();
      return;
    }
    const ears = this.#lines.get(reply.line);
    if (ears === undefined) return;
    if (reply.type === 'answers') ears.answers(reply);
    else if (reply.type === 'refused') ears.refused(reply.from, reply.why);
    else ears.room();
  }

  #end(): void {
    this.#closed = true;
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    for (const ears of lines) ears.lost();
  }
}
