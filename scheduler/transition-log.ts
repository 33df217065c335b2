/**
 * Owns the last changes of phase of all tasks, for `story`. In columns: a record of each change would be most
 * of what the scheduler leaves to the garbage collector. Must not know: what the phases mean.
 */
import type { Millis, TaskKey } from '../runtime/index.ts';
import { limits } from './limits.ts';
import type { PhaseName, TaskPhase } from './scheduler-state.ts';

/** One change of phase. */
export interface Transition {
  readonly seq: number;
  readonly now: Millis;
  readonly key: TaskKey;
  readonly from: PhaseName;
  readonly to: PhaseName;
  readonly detail: string;
}

export class TransitionLog {
  #seqs: number[] = [];
  #times: Millis[] = [];
  #keys: TaskKey[] = [];
  #froms: PhaseName[] = [];
  #tos: PhaseName[] = [];
  #details: string[] = [];
  /** What the new phase says by itself: a node, and a run or a size. */
  #places: string[] = [];
  #amounts: number[] = [];

  /** `detail` says why, where the new phase does not tell it itself. */
  record(at: { readonly seq: number; readonly now: Millis }, key: TaskKey, change: Change): void {
    const { from, phase, detail } = change;
    this.#seqs.push(at.seq);
    this.#times.push(at.now);
    this.#keys.push(key);
    this.#froms.push(from);
    this.#tos.push(phase.name);
    this.#details.push(detail);
    this.#places.push(placeOf(phase));
    this.#amounts.push(phase.name === 'assigned' ? phase.run : phase.name === 'held' ? phase.bytes : 0);
    if (this.#keys.length > 2 * limits.transitions) this.#forget();
  }

  /** Oldest first. */
  of(key: TaskKey): Transition[] {
    const found: Transition[] = [];
    for (let index = 0; index < this.#keys.length; index++) {
      if (this.#keys[index] === key) found.push(this.#at(index));
    }
    return found;
  }

  #at(index: number): Transition {
    const to = this.#tos[index]!;
    const [place, amount] = [this.#places[index]!, this.#amounts[index]!];
    let detail = this.#details[index]!;
    if (to === 'assigned') detail = `run ${amount} on ${place}`;
    else if (to === 'held') detail = `${amount} bytes on ${place}`;
    const [seq, now, key, from] = [
      this.#seqs[index]!,
      this.#times[index]!,
      this.#keys[index]!,
      this.#froms[index]!,
    ];
    return { seq, now, key, from, to, detail };
  }

  #forget(): void {
    this.#seqs = this.#seqs.slice(-limits.transitions);
    this.#times = this.#times.slice(-limits.transitions);
    this.#keys = this.#keys.slice(-limits.transitions);
    this.#froms = this.#froms.slice(-limits.transitions);
    this.#tos = this.#tos.slice(-limits.transitions);
    this.#details = this.#details.slice(-limits.transitions);
    this.#places = this.#places.slice(-limits.transitions);
    this.#amounts = this.#amounts.slice(-limits.transitions);
  }
}

interface Change {
  readonly from: PhaseName;
  readonly phase: TaskPhase;
  readonly detail: string;
}

function placeOf(phase: TaskPhase): string {
  if (phase.name === 'assigned') return phase.node;
  if (phase.name !== 'held') return '';
  for (const node of phase.replicas) return node;
  return '';
}
