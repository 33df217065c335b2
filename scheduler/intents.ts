/**
 * Owns which words of a client are intents: they change what it has asked for, so each counts exactly once,
 * in order, whatever happens to connections and schedulers. And what a client remembers of those that may
 * still be lost. Pure. Must not know: connections, what any message means.
 */
import type { ToScheduler } from './protocol.ts';

const types: ReadonlySet<ToScheduler['type']> = new Set([
  'submit',
  'release',
  'cancel',
  'retry',
  'forget',
  'publish',
  'unpublish',
  'get-dataset',
] as const);

export function isIntent({ type }: ToScheduler): boolean {
  return types.has(type);
}

/** A client's intents that no journal holds yet. Both sides count them: the first is number 1. */
export class Intents {
  #accepted = 0;
  #unaccepted: ToScheduler[] = [];

  get size(): number {
    return this.#unaccepted.length;
  }

  add(message: ToScheduler): void {
    this.#unaccepted.push(message);
  }

  /** All up to number `through` outlive the scheduler. */
  accept(through: number): void {
    if (through <= this.#accepted) return;
    this.#unaccepted.splice(0, through - this.#accepted);
    this.#accepted = through;
  }

  /** What is to be said again to a scheduler that has heard `heard` of them; undefined if it lacks some that
   * were accepted, so that its memory is not of this client. */
  after(heard: number): readonly ToScheduler[] | undefined {
    if (heard < this.#accepted || heard > this.#accepted + this.#unaccepted.length) return undefined;
    return this.#unaccepted.slice(heard - this.#accepted);
  }

  /** The scheduler does not know what was accepted: the count goes on from its own. */
  forget(heard: number): void {
    this.#accepted = heard;
    this.#unaccepted = [];
  }
}
