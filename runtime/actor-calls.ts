/**
 * Owns the messages that one caller has for one actor, in order, from the asking to the answer: which have
 * been sent, which may be sent, and which must be sent again. Pure: the time is an argument. Must not know:
 * connections, promises of answers, where the actor lives.
 */

/** One message. `settle` is called once, with how it ended. */
export interface ActorCall {
  readonly name: string;
  readonly payload: unknown;
  readonly idempotent: boolean;
  readonly dueMs: number;
  settle: (error: Error | undefined, value: unknown) => void;
  /** Incarnations that died over it. */
  deaths: number;
  done: boolean;
}

export interface OutgoingParcel {
  readonly first: number;
  readonly calls: readonly ActorCall[];
}

export class ActorCalls {
  readonly #window: number;
  /** The oldest first; those that are done are cut off at the front. */
  #calls: ActorCall[] = [];
  #head = 0;
  /** The number, on the present line, of the call at `#head`. */
  #base = 0;
  /** How many from `#head` on have been sent. */
  #sent = 0;
  #open = 0;

  /** Sent on a line that was lost: never sent again, as nobody knows whether they were carried out. */
  #uncertain: ActorCall[] = [];

  /** @param window how many may be sent and not answered */
  constructor(window: number) {
    this.#window = window;
  }

  /** Calls without an end. */
  get size(): number {
    return this.#open;
  }

  /** Whether a new one would be sent at once. */
  get hasRoom(): boolean {
    return this.#calls.length - this.#head < this.#window;
  }

  push(call: ActorCall): void {
    this.#calls.push(call);
    this.#open++;
  }

  /** What may be sent now, at most so many, and is sent by that. Nothing when the window is full. */
  next(most: number): OutgoingParcel | undefined {
    const from = this.#head + this.#sent;
    this.#forgetEnded(from);
    const until = Math.min(this.#calls.length, this.#head + this.#window, from + most);
    if (until <= from) return undefined;
    const calls = this.#calls.slice(from, until);
    const first = this.#base + this.#sent;
    this.#sent += calls.length;
    return { first, calls };
  }

  /** The call of a number that was sent and has no end yet. */
  at(number: number): ActorCall | undefined {
    const index = number - this.#base;
    if (index < 0 || index >= this.#sent) return undefined;
    const call = this.#calls[this.#head + index];
    return call?.done === false ? call : undefined;
  }

  /** The number of a call on the present line, if it was sent. */
  numberOf(call: ActorCall): number | undefined {
    const index = this.#calls.indexOf(call, this.#head) - this.#head;
    return index >= 0 && index < this.#sent ? this.#base + index : undefined;
  }

  end(call: ActorCall, error: Error | undefined, value?: unknown): void {
    if (call.done) return;
    call.done = true;
    this.#open--;
    call.settle(error, value);
    this.#trim();
  }

  /** Those from this number on were not taken: they are to be sent again. */
  rewind(number: number): void {
    const index = number - this.#base;
    if (index >= 0 && index < this.#sent) this.#sent = index;
  }

  /** The line is gone: what was not sent, or came back, is numbered anew on the next one. What was sent and
   * has no end is sent again if it is idempotent; the rest is uncertain. */
  restart(): void {
    const from = this.#head + this.#sent;
    const sent = this.#calls.slice(this.#head, from).filter(({ done }) => !done);
    for (const call of sent) if (!call.idempotent) this.#uncertain.push(call);
    const kept = sent.filter(({ idempotent }) => idempotent);
    this.#calls = [...kept, ...this.#calls.slice(from).filter(({ done }) => !done)];
    this.#head = 0;
    this.#base = 0;
    this.#sent = 0;
  }

  /** Ends those whose outcome will never be known. */
  endUncertain(error: (call: ActorCall) => Error): void {
    for (const call of this.#uncertain.splice(0)) this.end(call, error(call));
  }

  /** Ends all that are due, and returns when the next one will be. */
  expire(nowMs: number, error: (call: ActorCall) => Error): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const call of [...this.#uncertain, ...this.#calls.slice(this.#head)]) {
      if (call.done) continue;
      if (call.dueMs > nowMs) nextMs = Math.min(nextMs, call.dueMs);
      else this.end(call, error(call));
    }
    return nextMs;
  }

  endAll(error: Error): void {
    this.endUncertain(() => error);
    for (const call of this.#calls.slice(this.#head)) this.end(call, error);
  }

  /** What ended before it was sent never gets a number. */
  #forgetEnded(from: number): void {
    const until = from + this.#window;
    for (let index = from; index < Math.min(until, this.#calls.length); index++) {
      if (this.#calls[index]!.done) {
        const unsent = this.#calls.slice(from).filter(({ done }) => !done);
        this.#calls = [...this.#calls.slice(0, from), ...unsent];
        return;
      }
    }
  }

  /** Calls that are done leave the window. */
  #trim(): void {
    while (this.#sent > 0 && this.#calls[this.#head]?.done === true) {
      this.#head++;
      this.#base++;
      this.#sent--;
    }
    if (this.#head < 1024 || this.#head * 2 < this.#calls.length) return;
    this.#calls = this.#calls.slice(this.#head);
    this.#head = 0;
  }
}
