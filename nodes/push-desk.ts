/**
 * Owns the receiving half of connections on which clients bring data (the pushing half is
 * runtime/push-link.ts): how much may come at once, in which order, and that what breaks off midway leaves
 * nothing. Must not know: tasks, who counts on the data.
 */
import {
  AsperitasError,
  type Connection,
  type DatumParts,
  isAsperitasError,
  type PushReply,
  PushRequest,
  scatteredKey,
  sizeText,
  type TaskKey,
  type WireMessage,
} from '../runtime/index.ts';
import { machineLimits } from './machine-limits.ts';
import { allocateShared } from './shared-frames.ts';

export interface PushDeskOptions {
  readonly node: string;
  /** What the store may hold in memory. */
  readonly memoryBytes: number;
  /** Resolves when the store has room, or the signal fires. */
  readonly relieved: (signal: AbortSignal) => Promise<void>;
  /** Takes a whole datum over; false when the node is leaving. */
  readonly take: (key: TaskKey, parts: DatumParts) => boolean;
  /** A peer that may send and does not is cut off. */
  readonly stallMs?: number;
}

interface Incoming {
  readonly request: number;
  readonly key: TaskKey;
  readonly partBytes: readonly number[];
  readonly bytes: number;
  readonly stop: AbortController;
  /** The header and the frames; none before there is room for them. */
  parts: readonly Uint8Array[] | undefined;
  /** Where the next piece must start. */
  part: number;
  offset: number;
  received: number;
  credit: number;
  /** Bytes received since credit was last given. */
  uncredited: number;
}

/** What all connections of a node share: what is half received lies beside the store, so it is bounded. */
export class PushDesk {
  readonly options: PushDeskOptions;
  /** Bytes of data that are coming. */
  #underWay = 0;
  readonly #queue: { readonly bytes: number; readonly enter: () => void }[] = [];

  constructor(options: PushDeskOptions) {
    this.options = options;
  }

  get underWayBytes(): number {
    return this.#underWay;
  }

  /** Takes data over a connection, of which it becomes the receiver, until that closes. */
  serve(connection: Connection): void {
    new PushServer(connection, this);
  }

  /** Resolves when so many bytes may come, in the order of asking; false if the signal fired before. */
  async enter(bytes: number, signal: AbortSignal): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const place = { bytes, enter: resolve };
      this.#queue.push(place);
      signal.addEventListener('abort', () => this.#leaveQueue(place), { once: true });
      this.#admit();
    });
    if (signal.aborted) return false;
    await this.options.relieved(signal).catch(() => undefined);
    return !signal.aborted;
  }

  leave(bytes: number): void {
    this.#underWay -= bytes;
    this.#admit();
  }

  #leaveQueue(place: { readonly bytes: number; readonly enter: () => void }): void {
    const index = this.#queue.indexOf(place);
    // Admitted before: it leaves as one that is under way.
    if (index < 0) return;
    this.#queue.splice(index, 1);
    this.#underWay += place.bytes;
    place.enter();
  }

  #admit(): void {
    const most = this.options.memoryBytes * machineLimits.pushShare;
    for (let [first] = this.#queue; first !== undefined; [first] = this.#queue) {
      if (this.#underWay > 0 && this.#underWay + first.bytes > most) return;
      this.#queue.shift();
      this.#underWay += first.bytes;
      first.enter();
    }
  }
}

class PushServer {
  readonly #connection: Connection;
  readonly #desk: PushDesk;
  readonly #incoming = new Map<number, Incoming>();

  constructor(connection: Connection, desk: PushDesk) {
    this.#connection = connection;
    this.#desk = desk;
    connection.onMessage((message) => this.#receive(message));
    void connection.closed.then(() => this.#end());
  }

  #receive(raw: WireMessage): void {
    try {
      const message = PushRequest.parse(raw);
      if (message.type === 'push') this.#onPush(message);
      else if (message.type === 'push-piece') this.#onPiece(message);
      else this.#drop(message.request);
    } catch (error) {
      if (!isAsperitasError(error)) throw error;
      this.#connection.close('protocol error');
      this.#end();
    }
  }

  #onPush({ request, key, secret, partBytes }: Extract<PushRequest, { type: 'push' }>): void {
    const { memoryBytes, node } = this.#desk.options;
    check(!this.#incoming.has(request), 'a request was repeated');
    check(this.#incoming.size < machineLimits.pushes, 'too many data at once');
    check(partBytes.length > 0 && partBytes.length <= machineLimits.pushParts, 'a datum of too many parts');
    check(key === scatteredKey(secret), 'the key is that of another');
    const bytes = partBytes.reduce((sum, size) => sum + size, 0);
    if (bytes > memoryBytes) {
      const message =
        `the datum takes ${sizeText(bytes)}, and ${node} may hold ${sizeText(memoryBytes)} in all: ` +
        'give nodes more --memory, or scatter it in several pieces';
      this.#say({ type: 'push-refused', request, problem: { code: 'datum-too-large', message } });
      return;
    }
    const place = { part: 0, offset: 0, received: 0, credit: 0, uncredited: 0 };
    const stop = new AbortController();
    const own = { request, key: scatteredKey(secret), partBytes, bytes, stop, parts: undefined, ...place };
    this.#incoming.set(request, own);
    void this.#begin(own);
  }

  async #begin(incoming: Incoming): Promise<void> {
    const { bytes, stop, partBytes, request } = incoming;
    const admitted = await this.#desk.enter(bytes, stop.signal);
    const leave = (): void => this.#desk.leave(bytes);
    if (!admitted) return leave();
    stop.signal.addEventListener('abort', leave, { once: true });
    try {
      // Not one after the other as they come: what has begun must not fail for want of memory.
      incoming.parts = partBytes.map((size, index) =>
        index === 0 ? new Uint8Array(size) : allocateShared(size),
      );
    } catch (error) {
      const { node } = this.#desk.options;
      const message = `${node} got no memory for a datum of ${sizeText(bytes)}: ${String(error)}`;
      this.#refuse(incoming, 'not-enough-memory', message);
      return;
    }
    const watch = this.#watchForStall(incoming);
    stop.signal.addEventListener('abort', () => clearInterval(watch), { once: true });
    if (isComplete(incoming)) {
      this.#finish(incoming);
      return;
    }
    incoming.credit = machineLimits.pushWindowBytes;
    this.#say({ type: 'push-credit', request, bytes: incoming.credit });
  }

  #watchForStall(incoming: Incoming): NodeJS.Timeout {
    let before = -1;
    const watch = setInterval(() => {
      if (incoming.received === before) {
        this.#connection.close(`nothing of ${incoming.key} came for a while`);
        this.#end();
      }
      before = incoming.received;
    }, this.#desk.options.stallMs ?? machineLimits.stallMs);
    return watch.unref();
  }

  #onPiece({ request, part, offset, payload }: Extract<PushRequest, { type: 'push-piece' }>): void {
    const incoming = this.#incoming.get(request);
    // Refused meanwhile.
    if (incoming === undefined) return;
    const target = incoming.parts?.[part];
    const size = payload.byteLength;
    const follows = part === incoming.part && offset === incoming.offset;
    check(target !== undefined && follows && size > 0, 'a piece out of place');
    check(offset + size <= target!.byteLength && size <= incoming.credit, 'more came than was allowed');
    target!.set(payload, offset);
    incoming.offset += size;
    incoming.received += size;
    incoming.credit -= size;
    incoming.uncredited += size;
    if (isComplete(incoming)) {
      this.#finish(incoming);
      return;
    }
    // Credit goes back in halves of the window: one message for many pieces, and never a stall.
    if (incoming.uncredited * 2 < machineLimits.pushWindowBytes) return;
    this.#say({ type: 'push-credit', request, bytes: incoming.uncredited });
    incoming.credit += incoming.uncredited;
    incoming.uncredited = 0;
  }

  #finish(incoming: Incoming): void {
    const { key, request } = incoming;
    const [header, ...frames] = incoming.parts!;
    if (this.#desk.options.take(key, { header: header!, frames })) {
      this.#drop(request);
      this.#say({ type: 'push-held', request });
    } else {
      this.#refuse(incoming, 'unreachable', `${this.#desk.options.node} is leaving: it takes no more data`);
    }
  }

  #refuse({ request }: Incoming, code: string, message: string): void {
    this.#drop(request);
    this.#say({ type: 'push-refused', request, problem: { code, message } });
  }

  #drop(request: number): void {
    const incoming = this.#incoming.get(request);
    this.#incoming.delete(request);
    incoming?.stop.abort();
  }

  #say(message: PushReply): void {
    this.#connection.send(message as unknown as WireMessage);
  }

  #end(): void {
    for (const request of [...this.#incoming.keys()]) this.#drop(request);
  }
}

/** Moves on to the next part that still lacks bytes; true when there is none. */
function isComplete(incoming: Incoming): boolean {
  while (incoming.partBytes[incoming.part] === incoming.offset) {
    incoming.part++;
    incoming.offset = 0;
  }
  return incoming.part === incoming.partBytes.length;
}

function check(fits: boolean, why: string): void {
  if (!fits) throw new AsperitasError('invalid-message', `invalid message: ${why}`, { why });
}
