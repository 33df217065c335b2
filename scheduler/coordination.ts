/**
 * Owns what coordination promises its users: locks, semaphores, events, queues, variables and topics that all
 * clients of a cluster, and tasks that use it, share by their names. Must not know: how it is kept.
 *
 * Whoever waits is served in the order of asking. A wait that is aborted, or late, has had no effect when it
 * rejects; if it was met before that could be told, it resolves instead. What a client holds is given back
 * when it closes, or some seconds after it was lost; what no client uses any longer is forgotten, with its
 * contents. Values are whatever a structured clone can hold, up to 256 KiB; larger ones are passed as
 * futures, whose results are kept as long as they wait here.
 */
import type { WaitOptions } from './cluster.ts';

/** Up to so many holders at a time; a lock has one. An object of this kind may hold several leases: `release`
 * gives back the one that it took first. */
export interface Semaphore {
  readonly name: string;
  /** Leases that this object holds. */
  readonly held: number;
  acquire(options?: WaitOptions): Promise<void>;
  /** Takes a lease if one is free now. */
  tryAcquire(options?: WaitOptions): Promise<boolean>;
  /** Throws `not-held` if there is nothing to give back. */
  release(): void;
  /** Runs `body` with a lease. Its signal fires when the lease is lost with the scheduler: another may have
   * it then. */
  run<R>(body: (signal: AbortSignal) => R | Promise<R>, options?: WaitOptions): Promise<R>;
}
export type Lock = Semaphore;

/** Something that has happened, or not yet. */
export interface SharedEvent {
  readonly name: string;
  set(options?: WaitOptions): Promise<void>;
  clear(options?: WaitOptions): Promise<void>;
  isSet(options?: WaitOptions): Promise<boolean>;
  /** Resolves when it is set. */
  wait(options?: WaitOptions): Promise<void>;
}

/** First in, first out. */
export interface SharedQueue<T> {
  readonly name: string;
  /** Waits for room; futures and lazies in `value` are passed as futures. */
  put(value: T, options?: WaitOptions): Promise<void>;
  /** False where there is no room now. */
  tryPut(value: T, options?: WaitOptions): Promise<boolean>;
  /** Waits for an item. */
  get(options?: WaitOptions): Promise<T>;
  /** Undefined where there is no item now. */
  tryGet(options?: WaitOptions): Promise<{ readonly value: T } | undefined>;
  size(options?: WaitOptions): Promise<number>;
}

/** One value that anybody may change. */
export interface Variable<T> {
  readonly name: string;
  set(value: T, options?: WaitOptions): Promise<void>;
  /** Waits until there is a value. */
  get(options?: WaitOptions): Promise<T>;
  tryGet(options?: WaitOptions): Promise<{ readonly value: T } | undefined>;
  delete(options?: WaitOptions): Promise<void>;
}

export interface SubscribeOptions extends WaitOptions {
  /** Words kept for a subscriber that is slower than they come; then the oldest are dropped. 1,000 unless
   * told. */
  readonly buffer?: number;
}

/** What is said on a topic, from when it was subscribed to. The loop ends with `close`; leaving the loop
 * closes. */
export interface Subscription<T> extends AsyncIterable<T> {
  /** Words that never reached the loop: dropped because it was slow, or lost with a connection. */
  readonly dropped: number;
  close(): void;
}

/** What is said goes to all who listen at the time. */
export interface Topic<T> {
  readonly name: string;
  /** Resolves with how many subscribers there are. No futures. */
  publish(value: T, options?: WaitOptions): Promise<number>;
  /** Resolves when nothing more will be missed. */
  subscribe(options?: SubscribeOptions): Promise<Subscription<T>>;
}
