/**
 * Owns the mailbox of an actor: parcels of messages, first in first out, bounded by their number, taken from
 * every caller in the order of sending and none of them twice. What does not fit is refused, and everything
 * behind it, until the caller sends again from there: so order survives a full mailbox. Pure. Must not know:
 * what messages say, how they travel.
 */

/** Messages of one caller that travel together, numbered from `first`. */
export interface MailboxParcel<C> {
  readonly caller: C;
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
}

/** `full`: send again from there once there is room. `ignored`: a repetition, or behind a refused one. */
export type Offer = 'taken' | 'full' | 'ignored';

export class Mailbox<C, P extends MailboxParcel<C>> {
  readonly #limit: number;
  readonly #limitBytes: number;
  #parcels: P[] = [];
  #head = 0;
  #size = 0;
  #bytes = 0;
  /** The number of the next message of each caller. */
  readonly #expected = new Map<C, number>();
  readonly #refused = new Set<C>();

  /** @param limit how many messages may wait
   * @param limitBytes how large they may be together */
  constructor(limit: number, limitBytes = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#size;
  }

  offer(parcel: P): Offer {
    const { caller, first, count, bytes } = parcel;
    if (first !== (this.#expected.get(caller) ?? 0)) return 'ignored';
    // A parcel larger than the whole mailbox is taken by an empty one.
    const tooMuch = this.#size + count > this.#limit || this.#bytes + bytes > this.#limitBytes;
    if (this.#size > 0 && tooMuch) {
      this.#refused.add(caller);
      return 'full';
    }
    this.#expected.set(caller, first + count);
    this.#refused.delete(caller);
    this.#parcels.push(parcel);
    this.#size += count;
    this.#bytes += bytes;
    return 'taken';
  }

  /** The oldest parcel. */
  take(): P | undefined {
    const parcel = this.#parcels[this.#head];
    if (parcel === undefined) return undefined;
    this.#head++;
    this.#size -= parcel.count;
    this.#bytes -= parcel.bytes;
    if (this.#head * 2 > this.#parcels.length) {
      this.#parcels = this.#parcels.slice(this.#head);
      this.#head = 0;
    }
    return parcel;
  }

  /** The parcel that waits with a message of a caller. */
  find(caller: C, number: number): P | undefined {
    for (let index = this.#head; index < this.#parcels.length; index++) {
      const parcel = this.#parcels[index]!;
      const { first, count } = parcel;
      if (parcel.caller === caller && number >= first && number < first + count) return parcel;
    }
    return undefined;
  }

  /** Callers that were refused, once half of the mailbox is empty: they may send again. */
  relieved(): C[] {
    if (this.#refused.size === 0) return [];
    if (this.#size * 2 > this.#limit || this.#bytes * 2 > this.#limitBytes) return [];
    const callers = [...this.#refused];
    this.#refused.clear();
    return callers;
  }

  /** A caller is gone; what it sent before is still carried out. */
  forget(caller: C): void {
    this.#expected.delete(caller);
    this.#refused.delete(caller);
  }

  /** Takes everything out, the oldest first. */
  empty(): P[] {
    const left = this.#parcels.slice(this.#head);
    this.#parcels = [];
    this.#head = 0;
    this.#size = 0;
    this.#bytes = 0;
    return left;
  }
}
