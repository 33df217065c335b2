/**
 * Owns the transfers of the makespan simulator: each passes through capacities (interfaces of nodes, ways in
 * and out of sites, a hub), which all transfers in progress share fairly: none can have more without another,
 * slower one having less (max-min fairness). Must not know: tasks, policies.
 */
export interface Capacity {
  /** Bytes a second; may change, with `changed` told. */
  rate: number;
  /** Work space of the sharing. */
  left: number;
  open: number;
}

export interface Transfer {
  readonly path: readonly Capacity[];
  readonly done: () => void;
  remaining: number;
  rate: number;
}

export function capacity(rate: number): Capacity {
  return { rate, left: 0, open: 0 };
}

export class Network {
  readonly #transfers = new Set<Transfer>();
  #now = 0;
  #stale = false;
  /** Bytes that have arrived. */
  moved = 0;

  /** Begins a transfer at the time of the last `advance`. */
  begin(path: readonly Capacity[], bytes: number, done: () => void): void {
    // A capacity without limit holds nothing up.
    const limited = path.filter(({ rate }) => rate < Number.POSITIVE_INFINITY);
    this.#transfers.add({ path: limited, done, remaining: bytes, rate: 0 });
    this.#stale = true;
  }

  changed(): void {
    this.#stale = true;
  }

  /** When the next transfer ends if nothing changes. */
  get nextEnd(): number {
    if (this.#stale) this.#share();
    let soonest = Number.POSITIVE_INFINITY;
    for (const { remaining, rate } of this.#transfers) {
      if (rate > 0) soonest = Math.min(soonest, this.#now + remaining / rate);
    }
    return soonest;
  }

  /** Moves time on, to no later than `nextEnd`, and ends what has arrived. */
  advance(now: number): void {
    if (this.#stale) this.#share();
    const passed = now - this.#now;
    this.#now = now;
    const arrived: Transfer[] = [];
    for (const transfer of this.#transfers) {
      const bytes = transfer.rate === Number.POSITIVE_INFINITY ? transfer.remaining : transfer.rate * passed;
      transfer.remaining -= bytes;
      this.moved += bytes;
      // Less than a byte, or than a nanosecond: rounding.
      if (transfer.remaining <= Math.max(0.5, transfer.rate * 1e-9)) arrived.push(transfer);
    }
    for (const transfer of arrived) this.#transfers.delete(transfer);
    if (arrived.length > 0) this.#stale = true;
    for (const transfer of arrived) transfer.done();
  }

  /** Fills all transfers alike until a capacity is full; those through it stay at that; and so on. */
  #share(): void {
    this.#stale = false;
    const open = new Set<Capacity>();
    for (const transfer of this.#transfers) {
      transfer.rate = -1;
      for (const part of transfer.path) {
        if (!open.has(part)) {
          open.add(part);
          part.left = part.rate;
          part.open = 0;
        }
        part.open++;
      }
    }
    let waiting = [...this.#transfers];
    while (waiting.length > 0) {
      let least = Number.POSITIVE_INFINITY;
      for (const part of open) {
        if (part.open === 0) open.delete(part);
        else least = Math.min(least, part.left / part.open);
      }
      const next: Transfer[] = [];
      const full = new Set<Capacity>();
      for (const part of open) if (part.left / part.open <= least * (1 + 1e-9)) full.add(part);
      for (const transfer of waiting) {
        if (least < Number.POSITIVE_INFINITY && !transfer.path.some((part) => full.has(part))) {
          next.push(transfer);
          continue;
        }
        transfer.rate = least;
        for (const part of transfer.path) {
          part.left = Math.max(0, part.left - least);
          part.open--;
        }
      }
      waiting = next;
    }
  }
}
