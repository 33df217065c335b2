/**
 * Owns the memory that a node's shell shares with its threads: of every lane, which runs of the present call
 * are begun, and which run is cancelled. Each run is claimed once, by the thread that begins it or by the
 * shell that takes it back. Must not know: what a run is, how calls reach threads.
 */
import { machineLimits } from './machine-limits.ts';

/** As it is handed to threads. */
export interface LaneMemory {
  /** The ticket of the cancelled run of each lane. */
  readonly cancelled: Int32Array;
  /** What has become of each run of each lane's call. */
  readonly claims: Int32Array;
}

const offered = 0;
const begun = 1;
const withdrawn = 2;
const over = 3;

export function allocateLaneMemory(lanes: number): LaneMemory {
  const share = (count: number) =>
    new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
  return { cancelled: share(lanes), claims: share(lanes * machineLimits.batchRuns) };
}

/** The part of the memory that is about one lane. */
export class Lane {
  readonly number: number;
  readonly #memory: LaneMemory;
  readonly #first: number;

  constructor(memory: LaneMemory, number: number) {
    this.number = number;
    this.#memory = memory;
    this.#first = number * machineLimits.batchRuns;
  }

  /** For the shell, before a call: its runs may be begun. */
  offer(runs: number): void {
    for (let index = 0; index < runs; index++)
      Atomics.store(this.#memory.claims, this.#first + index, offered);
  }

  /** For the shell: takes a run back; false if it is begun. */
  withdraw(index: number): boolean {
    return this.#claim(index, withdrawn);
  }

  /** For the thread: false if the run was taken back. */
  begin(index: number): boolean {
    return this.#claim(index, begun);
  }

  /** For the thread, when it has begun a run and come to its end. */
  end(index: number): void {
    Atomics.store(this.#memory.claims, this.#first + index, over);
  }

  isRunning(index: number): boolean {
    return Atomics.load(this.#memory.claims, this.#first + index) === begun;
  }

  hasEnded(index: number): boolean {
    return Atomics.load(this.#memory.claims, this.#first + index) === over;
  }

  /** A body that never yields sees this too. */
  cancel(ticket: number): void {
    Atomics.store(this.#memory.cancelled, this.number, ticket);
  }

  isCancelled(ticket: number): boolean {
    return Atomics.load(this.#memory.cancelled, this.number) === ticket;
  }

  #claim(index: number, by: number): boolean {
    return Atomics.compareExchange(this.#memory.claims, this.#first + index, offered, by) === offered;
  }
}
