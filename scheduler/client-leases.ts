/**
 * Owns the locks and semaphores of a client: the leases that each object holds. Must not know: how they are
 * granted.
 */
import { AsperitasError } from '../runtime/index.ts';
import type { CoordinationAsker } from './client-coordination.ts';
import type { WaitOptions } from './cluster.ts';
import type { Semaphore } from './coordination.ts';

interface Lease {
  readonly wish: number;
  readonly lost: AbortController;
}

export class LeasePool implements Semaphore {
  readonly name: string;
  readonly #asker: CoordinationAsker;
  readonly #pool: { readonly kind: 'lock' | 'semaphore'; readonly leases: number };
  readonly #held: Lease[] = [];

  constructor(
    asker: CoordinationAsker,
    name: string,
    pool: { readonly kind: 'lock' | 'semaphore'; readonly leases: number },
  ) {
    this.#asker = asker;
    this.name = name;
    this.#pool = pool;
  }

  get held(): number {
    return this.#held.length;
  }

  async acquire(options: WaitOptions = {}): Promise<void> {
    this.#held.push((await this.#take(true, options))!);
  }

  async tryAcquire(options: WaitOptions = {}): Promise<boolean> {
    const lease = await this.#take(false, options);
    if (lease !== undefined) this.#held.push(lease);
    return lease !== undefined;
  }

  release(): void {
    const lease = this.#held.shift();
    if (lease === undefined) {
      const message = `${this.#pool.kind} ${this.name} is not held: release it as often as it is acquired`;
      throw new AsperitasError('not-held', message, { name: this.name });
    }
    this.#asker.wishes.end(lease.wish);
  }

  async run<R>(body: (signal: AbortSignal) => R | Promise<R>, options: WaitOptions = {}): Promise<R> {
    // Not among those that `release` gives back.
    const lease = (await this.#take(true, options))!;
    try {
      return await body(lease.lost.signal);
    } finally {
      this.#asker.wishes.end(lease.wish);
    }
  }

  async #take(wait: boolean, options: WaitOptions): Promise<Lease | undefined> {
    const lost = new AbortController();
    const holder = { onLost: (error: Error) => this.#lose(lost, error) };
    const wanted = { type: 'take-lease', name: this.name, wait, ...this.#pool } as const;
    const { wish, outcome } = await this.#asker.ask(this.#pool.kind, wanted, options, holder);
    return outcome === 'granted' ? { wish, lost } : undefined;
  }

  #lose(lost: AbortController, error: Error): void {
    lost.abort(error);
    const at = this.#held.findIndex((lease) => lease.lost === lost);
    if (at >= 0) this.#held.splice(at, 1);
  }
}
