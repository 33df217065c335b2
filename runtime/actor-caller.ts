/**
 * Owns the asking of one actor by one caller: messages leave in order in parcels, no more of them than the
 * window allows, follow the actor where it goes, and end with their answers, their deadlines or the actor.
 * Must not know: who says where the actor lives, how connections are made.
 */

import type { ActorMessages } from './actor.ts';
import { type ActorCall, ActorCalls } from './actor-calls.ts';
import type { ActorLink } from './actor-link.ts';
import { went } from './actor-messages.ts';
import { decodeValue, encodedBytes, encodeValue } from './codec.ts';
import type { DatumParts } from './data-link.ts';
import { AsperitasError } from './errors.ts';
import { fromWireError } from './wire-error.ts';

/** Limits of one caller of one actor. */
export const callerLimits = {
  /** Messages sent and not answered: enough to keep an actor busy over a long line. */
  window: 1024,
  /** Messages of one parcel, which is handed over as a whole: few at first, as they may be large. */
  firstParcel: 8,
  parcel: 128,
  /** A parcel is made so large, or of one message. */
  parcelBytes: 256 * 1024,
  /** Messages that wait here; beyond that a caller is told that the mailbox is full. */
  queued: 100_000,
  /** An ask without a deadline of its own ends after so long. */
  askMs: 60_000,
  /** A message that is told is given up after so long: nobody waits for it. */
  longestMs: 86_400_000,
  /** How exactly deadlines are kept: one timer for all asks of a caller. */
  expiryMs: 10,
  /** Pauses between two tries to reach the node where the actor lives. */
  leastPauseMs: 50,
  mostPauseMs: 2_000,
} as const;

export interface AskOptions {
  /** A minute unless told. An ask whose deadline has passed is not begun. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Where an actor lives. */
export interface ActorPlace {
  readonly incarnation: number;
  readonly url: string;
}

export interface ActorCallerOptions {
  readonly actor: string;
  /** As it is named in errors. */
  readonly label: string;
  readonly messages: ActorMessages;
  /** The connection to a node, dialled when there is none. */
  readonly link: (url: string) => Promise<ActorLink>;
}

interface OpenLine {
  readonly link: ActorLink;
  readonly line: number;
}

const handedOver = Promise.resolve();

export class ActorCaller {
  readonly #options: ActorCallerOptions;
  readonly #calls = new ActorCalls(callerLimits.window);
  #place: ActorPlace | undefined;
  #line: OpenLine | undefined;
  #dialling: ActorPlace | undefined;
  /** Incarnations up to this one are over for this caller. */
  #over = 0;
  #gone: Error | undefined;
  /** The mailbox is full: nothing is sent until it has room. */
  #blocked = false;
  #flushing = false;
  /** A later place of which the scheduler told before the present line ended. */
  #next: ActorPlace | undefined;
  /** Messages of the next parcel: fewer where they are large. */
  #parcel: number = callerLimits.firstParcel;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  readonly #waitForRoom: (() => void)[] = [];
  #pauseMs: number = callerLimits.leastPauseMs;

  constructor(options: ActorCallerOptions) {
    this.#options = options;
  }

  /** Messages without an end. */
  get pending(): number {
    return this.#calls.size;
  }

  /** Rejects with the handler's error, `timeout`, `aborted`, `mailbox-full`, `answer-lost` (nobody knows
   * whether it was carried out), `actor-crashed`, `actor-lost`, `actor-stopped`, `poison-message` or
   * `not-serialisable`. */
  ask(name: string, payload: unknown, { timeoutMs, signal }: AskOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(this.#aborted(name, signal));
      let onAbort: (() => void) | undefined;
      const settle = (error: Error | undefined, value: unknown): void => {
        if (onAbort !== undefined) signal!.removeEventListener('abort', onAbort);
        if (error === undefined) resolve(value);
        else reject(error);
      };
      const call = this.#push({ name, payload, timeoutMs: timeoutMs ?? callerLimits.askMs, settle });
      if (signal === undefined || call === undefined) return;
      onAbort = () => this.#giveUp(call, this.#aborted(name, signal));
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Resolves when the message is on its way, which a full mailbox delays. */
  tell(name: string, payload: unknown): Promise<void> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const atOnce = this.#calls.hasRoom && !this.#blocked;
    let failed: Error | undefined;
    const settle = (error: Error | undefined): void => {
      failed = error;
    };
    this.#push({ name, payload, timeoutMs: callerLimits.longestMs, settle });
    if (failed !== undefined) return Promise.reject(failed);
    return atOnce ? handedOver : new Promise((resolve) => this.#waitForRoom.push(resolve));
  }

  /** It lives there now. */
  at(place: ActorPlace): void {
    if (place.incarnation <= this.#over || this.#gone !== undefined) return;
    if (this.#place?.incarnation === place.incarnation && this.#place.url === place.url) return;
    // The present line has its own say on what was sent there: it ends by itself.
    if (this.#line !== undefined) {
      this.#next = place;
      return;
    }
    this.#place = place;
    this.#pauseMs = callerLimits.leastPauseMs;
    this.#settleUncertain();
    void this.#reach(place);
  }

  /** It will not live again. */
  end(error: Error): void {
    if (this.#gone !== undefined) return;
    this.#gone = error;
    this.#over = Number.POSITIVE_INFINITY;
    this.#place = undefined;
    this.#line?.link.closeLine(this.#line.line);
    this.#line = undefined;
    this.#calls.endAll(error);
    for (const resolve of this.#waitForRoom.splice(0)) resolve();
    clearTimeout(this.#timer);
  }

  #push(about: {
    readonly name: string;
    readonly payload: unknown;
    readonly timeoutMs: number;
    readonly settle: ActorCall['settle'];
  }): ActorCall | undefined {
    const { name, payload, timeoutMs, settle } = about;
    const { messages, label, actor } = this.#options;
    const message = Object.hasOwn(messages, name) ? messages[name] : undefined;
    if (message === undefined) {
      const text = `${label} takes no message ${name}`;
      settle(new AsperitasError('invalid-message', text, { actor, name }), undefined);
    } else if (this.#gone !== undefined) {
      settle(this.#gone, undefined);
    } else if (this.#calls.size >= callerLimits.queued) {
      const text = `${this.#calls.size} messages wait for ${label}: it does not keep up`;
      settle(new AsperitasError('mailbox-full', text, { actor }), undefined);
    } else {
      const dueMs = performance.now() + timeoutMs;
      const { idempotent } = message;
      const call: ActorCall = { name, payload, idempotent, dueMs, settle, deaths: 0, done: false };
      this.#calls.push(call);
      this.#expireAt(dueMs);
      if (this.#calls.size === 1) this.#timer?.ref();
      this.#flushSoon();
      return call;
    }
    return undefined;
  }

  #aborted(name: string, signal: AbortSignal): AsperitasError {
    const { actor, label } = this.#options;
    return new AsperitasError(
      'aborted',
      `asking ${label} for ${name} was aborted`,
      { actor, name },
      {
        cause: signal.reason,
      },
    );
  }

  /** Ends a call here, and tells the actor that nobody waits for it. */
  #giveUp(call: ActorCall, error: Error): void {
    const number = this.#calls.numberOf(call);
    if (number !== undefined && this.#line !== undefined) this.#line.link.cancel(this.#line.line, [number]);
    this.#calls.end(call, error);
  }

  #expireAt(dueMs: number): void {
    if (dueMs >= this.#timerMs || this.#calls.size === 0) return;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    const waitMs = Math.min(2 ** 31 - 1, Math.max(callerLimits.expiryMs, dueMs - performance.now()));
    this.#timer = setTimeout(() => this.#expire(), waitMs);
  }

  #expire(): void {
    const numbers: number[] = [];
    const nextMs = this.#calls.expire(performance.now(), (call) => {
      const number = this.#calls.numberOf(call);
      if (number !== undefined) numbers.push(number);
      const { actor, label } = this.#options;
      const text = `${label} did not answer ${call.name} before its deadline`;
      return new AsperitasError('timeout', text, { actor, name: call.name });
    });
    if (numbers.length > 0) this.#line?.link.cancel(this.#line.line, numbers);
    this.#timerMs = Number.POSITIVE_INFINITY;
    this.#expireAt(Math.min(nextMs, performance.now() + callerLimits.longestMs));
    this.#flushSoon();
  }

  /** Everything asked in one turn leaves together. */
  #flushSoon(): void {
    if (this.#flushing || this.#line === undefined || this.#blocked) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#line !== undefined && !this.#blocked) {
      const { link, line } = this.#line;
      const drained = link.drained();
      if (drained !== undefined) {
        this.#blocked = true;
        void drained.then(() => this.#unblock(line));
        break;
      }
      const parcel = this.#calls.next(this.#parcel);
      if (parcel === undefined) break;
      const body = this.#pack(parcel.calls);
      const bytes = encodedBytes(body);
      if (bytes > callerLimits.parcelBytes) this.#parcel = Math.max(1, this.#parcel >> 1);
      else this.#parcel = Math.min(callerLimits.parcel, 2 * this.#parcel);
      link.send(line, { first: parcel.first, count: parcel.calls.length }, body);
    }
    while (this.#waitForRoom.length > 0 && this.#calls.hasRoom) this.#waitForRoom.shift()!();
    // What has been asked keeps the process; when all is answered, nothing does.
    if (this.#calls.size === 0) this.#timer?.unref();
  }

  #unblock(line: number): void {
    if (this.#line?.line !== line) return;
    this.#blocked = false;
    this.#flush();
  }

  #pack(calls: readonly ActorCall[]): DatumParts {
    const nowMs = performance.now();
    const flat: unknown[] = [];
    for (const { name, payload, dueMs, deaths } of calls) {
      flat.push(name, payload, Math.max(1, dueMs - nowMs), deaths);
    }
    try {
      return encodeValue(flat);
    } catch {
      // One of them can't be sent: it ends here, and the others go without it.
      calls.forEach((call, index) => {
        try {
          encodeValue(call.payload);
        } catch (error) {
          this.#calls.end(call, error as Error);
          flat[4 * index] = '';
          flat[4 * index + 1] = undefined;
        }
      });
      return encodeValue(flat);
    }
  }

  /** Opens a line to the place; tries again while the actor is said to live there. */
  async #reach(place: ActorPlace): Promise<void> {
    if (this.#dialling === place) return;
    this.#dialling = place;
    try {
      const link = await this.#options.link(place.url);
      if (this.#place !== place) return;
      this.#dialling = undefined;
      this.#settleUncertain();
      const ears = {
        answers: (parts: DatumParts) => this.#onAnswers(parts),
        refused: (from: number, why: 'full' | 'away') => this.#onRefused(from, why),
        room: () => this.#unblock(this.#line?.line ?? -1),
        lost: () => this.#onLost(place),
      };
      this.#line = { link, line: link.open(this.#options.actor, place.incarnation, ears) };
      this.#blocked = false;
      this.#flush();
    } catch {
      // The scheduler will say if it is gone, or elsewhere.
      if (this.#place === place) this.#tryAgain(place);
    }
  }

  #tryAgain(place: ActorPlace): void {
    setTimeout(() => {
      this.#dialling = undefined;
      if (this.#place === place) void this.#reach(place);
    }, this.#pauseMs).unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, callerLimits.mostPauseMs);
  }

  #onAnswers({ header, frames }: DatumParts): void {
    const flat = decodeValue(header, frames) as readonly unknown[];
    for (let index = 0; index + 2 < flat.length; index += 3) {
      const call = this.#calls.at(flat[index] as number);
      if (call !== undefined) this.#onAnswer(call, flat[index + 1], flat[index + 2]);
    }
    this.#pauseMs = callerLimits.leastPauseMs;
    this.#flush();
  }

  #onAnswer(call: ActorCall, how: unknown, value: unknown): void {
    if (how === went.answered) {
      const message = this.#options.messages[call.name]!;
      try {
        const answer = message.kind === 'cast' ? undefined : message.output.parse(value, call.name);
        this.#calls.end(call, undefined, answer);
      } catch (error) {
        this.#calls.end(call, error as Error);
      }
    } else if (how === went.interrupted && call.idempotent) {
      // It comes again on the next line.
      call.deaths = (value as { readonly deaths: number }).deaths;
    } else if (how === went.interrupted) {
      this.#calls.end(call, fromWireError((value as { readonly error: unknown }).error));
    } else {
      this.#calls.end(call, fromWireError(value));
    }
  }

  #onRefused(from: number, why: 'full' | 'away'): void {
    this.#calls.rewind(from);
    if (why === 'full') {
      this.#blocked = true;
      return;
    }
    // What lies before has been answered; the rest waits for the next incarnation.
    this.#over = Math.max(this.#over, this.#place?.incarnation ?? 0);
    this.#line?.link.closeLine(this.#line.line);
    this.#endLine();
    this.#place = undefined;
    this.#goOn();
  }

  /** Takes up the next place, if it is known already. */
  #goOn(): void {
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.at(next);
  }

  #endLine(): void {
    this.#line = undefined;
    this.#dialling = undefined;
    this.#calls.restart();
  }

  #onLost(place: ActorPlace): void {
    this.#endLine();
    if (this.#next !== undefined) {
      this.#over = Math.max(this.#over, place.incarnation);
      this.#place = undefined;
      this.#goOn();
    } else if (this.#place === place) this.#tryAgain(place);
  }

  /** Their actor has another life, or another connection: whether they were carried out stays unknown. */
  #settleUncertain(): void {
    const { actor, label } = this.#options;
    this.#calls.endUncertain(({ name }) => {
      const text = `the connection to ${label} was lost: nobody knows whether ${name} was carried out`;
      return new AsperitasError('answer-lost', text, { actor, name });
    });
  }
}
