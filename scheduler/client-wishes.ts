/**
 * Owns what a client has asked for in coordination and what has not been answered, or not been ended, yet. A
 * wish that is given up is withdrawn, and its wait ends with what the scheduler says: withdrawn, or met
 * before; so none is met without its asker knowing. Must not know: what wishes are about.
 */
import { AsperitasError, decodePacked, type TaskKey } from '../runtime/index.ts';
import type { Answer, CoordinationRequest, CoordinationValue, Wish } from './coordination-state.ts';
import type { ToClient } from './protocol.ts';
import { bindReferences } from './references.ts';

type Word = Extract<ToClient, { type: 'topic-said' }>;
type Unnumbered<W> = W extends unknown ? Omit<W, 'wish' | 'seen'> : never;
export type NewWish = Unnumbered<Wish>;

/** How a wish was met; or it was `refused`, since it did not want to wait. */
export interface Met {
  readonly wish: number;
  readonly outcome: 'granted' | 'refused';
  readonly value: unknown;
  readonly count: number;
}

/** Whoever has something that lasts until its wish is ended. */
export interface Holder {
  /** The scheduler is gone, and with it the lease or the topic. */
  readonly onLost: (error: Error) => void;
  readonly onWord?: (value: unknown, count: number) => void;
}

interface Pending {
  readonly wanted: NewWish;
  readonly met: (met: Met) => void;
  readonly failed: (error: Error) => void;
  readonly signal: AbortSignal;
  readonly holder: Holder | undefined;
}

export class Wishes {
  readonly #tell: (request: CoordinationRequest) => void;
  readonly #claim: (keys: readonly TaskKey[], wish: number) => readonly unknown[];
  readonly #pending = new Map<number, Pending>();
  readonly #holders = new Map<number, { readonly holder: Holder; readonly wanted: NewWish }>();
  #seen: number[] = [];
  #last = 0;

  constructor(parts: {
    readonly tell: (request: CoordinationRequest) => void;
    /** Makes futures of the results in the answer to a wish, and ends that once they are wanted. */
    readonly claim: (keys: readonly TaskKey[], wish: number) => readonly unknown[];
  }) {
    this.#tell = parts.tell;
    this.#claim = parts.claim;
  }

  /** Resolves when the wish is met. Rejects with the signal's reason when it was withdrawn, or with what the
   * scheduler has against it. `holder` is for wishes that last: it has them from the moment of the answer. */
  ask(wanted: NewWish, signal: AbortSignal, holder?: Holder): Promise<Met> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const wish = ++this.#last;
    return new Promise((resolve, reject) => {
      const withdraw = (): void => this.#tell({ type: 'withdraw-wish', wish });
      signal.addEventListener('abort', withdraw, { once: true });
      const done = (settle: () => void): void => {
        this.#pending.delete(wish);
        signal.removeEventListener('abort', withdraw);
        settle();
      };
      this.#pending.set(wish, {
        met: (met) => done(() => resolve(met)),
        failed: (error) => done(() => reject(error)),
        wanted,
        signal,
        holder,
      });
      this.#send(wish, wanted);
    });
  }

  /** Gives back what was granted. */
  end(wish: number): void {
    if (this.#holders.delete(wish)) this.#tell({ type: 'end-wish', wish });
  }

  answer({ wish, outcome, problem, value, count = 0 }: Answer): void {
    const pending = this.#pending.get(wish);
    if (pending === undefined) {
      if (outcome === 'lost') this.#lose(wish);
      return;
    }
    this.#seen.push(wish);
    if (problem !== undefined) pending.failed(new AsperitasError(problem.code, problem.message));
    else if (outcome === 'granted' || outcome === 'refused') {
      const { holder, wanted } = pending;
      if (outcome === 'granted' && holder !== undefined) this.#holders.set(wish, { holder, wanted });
      pending.met({ wish, outcome, value: value && this.#valueOf(value, wish), count });
    } else pending.failed(pending.signal.reason as Error);
  }

  hear({ wish, value, count }: Word): void {
    this.#holders.get(wish)?.holder.onWord?.(this.#valueOf(value, wish), count);
  }

  /** Ends everything, before a farewell. */
  endAll(): void {
    if (this.#last > 0) this.#tell({ type: 'resume-wishes', live: [] });
  }

  /** The scheduler is gone. */
  fail(error: Error): void {
    for (const { failed, signal } of [...this.#pending.values()]) {
      failed(signal.aborted ? (signal.reason as Error) : error);
    }
    const holders = [...this.#holders.values()];
    this.#holders.clear();
    for (const { holder } of holders) holder.onLost(error);
  }

  /** After a lost connection: tells the scheduler, or the next one, what is still wished for and what was
   * granted. Whatever it knows already it answers again. */
  resume(): void {
    // What is held comes first: afterwards it may be given to those who wait.
    for (const [wish, { wanted }] of this.#holders) {
      this.#send(wish, wanted.type === 'take-lease' ? { ...wanted, again: true } : wanted);
    }
    this.#tell({ type: 'resume-wishes', live: [...this.#pending.keys(), ...this.#holders.keys()] });
    for (const [wish, { wanted, signal }] of this.#pending) {
      this.#send(wish, wanted);
      if (signal.aborted) this.#tell({ type: 'withdraw-wish', wish });
    }
  }

  #send(wish: number, wanted: NewWish): void {
    this.#tell({ ...wanted, wish, seen: this.#seen.splice(0) } as Wish);
  }

  /** Another has what was held here. */
  #lose(wish: number): void {
    const held = this.#holders.get(wish);
    this.#holders.delete(wish);
    const message = `${held?.wanted.name} was given to another while this client was cut off`;
    held?.holder.onLost(new AsperitasError('lease-lost', message));
  }

  #valueOf({ keys, shape }: CoordinationValue, wish: number): unknown {
    // An event shows nothing.
    if (shape.byteLength === 0) return undefined;
    const futures = keys.length === 0 ? [] : this.#claim(keys, wish);
    return bindReferences(decodePacked(shape), futures);
  }
}
