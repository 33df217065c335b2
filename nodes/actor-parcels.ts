/**
 * Owns what is known of the parcels that an actor's thread has been given: which of their messages have
 * ended, and, when the thread is dead, what becomes of the others. Pure. Must not know: threads, sockets.
 */
import { AsperitasError, type DatumParts, decodeValue, toWireError, went } from '../runtime/index.ts';

/** A parcel at a node. `line` is the node's own number of the caller's line. */
export interface NodeParcel {
  readonly id: number;
  readonly caller: number;
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
  readonly arrivedMs: number;
  readonly body: DatumParts;
  /** Places of messages that were given up. */
  readonly cancelled: number[];
}

/** The messages that were at hand: from one on, in the order of the parcels; those before have ended. */
export interface AtHand {
  readonly parcel: number;
  readonly index: number;
  readonly count: number;
}

export interface Wreck {
  /** Answers by line, as in `answers` of the wire. */
  readonly answers: ReadonlyMap<number, unknown[]>;
  /** The first number of each line that was not begun. */
  readonly notBegun: ReadonlyMap<number, number>;
  /** Names of messages that are parked, and with what error. */
  readonly parked: readonly { readonly name: string; readonly error: AsperitasError }[];
}

export class ActorParcels {
  readonly #given = new Map<number, { readonly parcel: NodeParcel; ended: number }>();
  #open = 0;

  /** Messages that were given and have no end. */
  get open(): number {
    return this.#open;
  }

  give(parcel: NodeParcel): void {
    this.#given.set(parcel.id, { parcel, ended: 0 });
    this.#open += parcel.count;
  }

  /** So many messages of a parcel have ended. */
  note(id: number, count: number): void {
    const entry = this.#given.get(id);
    if (entry === undefined || count <= entry.ended) return;
    this.#open -= count - entry.ended;
    entry.ended = count;
    if (count >= entry.parcel.count) this.#given.delete(id);
  }

  /** The parcel that has a number of a line, if it was given and has not ended. */
  find(caller: number, number: number): { readonly id: number; readonly index: number } | undefined {
    for (const { parcel, ended } of this.#given.values()) {
      const index = number - parcel.first;
      if (parcel.caller === caller && index >= ended && index < parcel.count) return { id: parcel.id, index };
    }
    return undefined;
  }

  /** The actor is dead or paused. Messages at hand were interrupted; what came before them was carried out,
   * but its answers are lost; what comes after was not begun. */
  wreck(atHand: AtHand | undefined, about: { readonly why: Error; readonly poisonAfter: number }): Wreck {
    const answers = new Map<number, unknown[]>();
    const notBegun = new Map<number, number>();
    const parked: { name: string; error: AsperitasError }[] = [];
    let left = 0;
    let before = atHand !== undefined && this.#given.has(atHand.parcel);
    for (const { parcel, ended } of this.#given.values()) {
      const here = parcel.id === atHand?.parcel;
      // Behind its last message, if that is where the actor was.
      const behind = here && atHand.index >= parcel.count;
      for (let index = ended; index < parcel.count; index++) {
        if (here && index === atHand.index) {
          before = false;
          left = atHand.count;
        }
        if (!before && left === 0) {
          if (!notBegun.has(parcel.caller)) notBegun.set(parcel.caller, parcel.first + index);
          break;
        }
        const suspect = !before;
        if (suspect) left--;
        const { answer, poison } = interrupted(parcel, index, { ...about, suspect });
        const list = answers.get(parcel.caller) ?? [];
        answers.set(parcel.caller, list);
        list.push(parcel.first + index, ...answer);
        if (poison !== undefined) parked.push(poison);
      }
      if (behind) before = false;
    }
    this.#given.clear();
    this.#open = 0;
    return { answers, notBegun, parked };
  }
}

/** How a message went whose actor died: only now is its parcel opened here. */
function interrupted(
  { body }: NodeParcel,
  index: number,
  { why, poisonAfter, suspect }: { why: Error; poisonAfter: number; suspect: boolean },
): {
  readonly answer: readonly [how: number, value: unknown];
  readonly poison?: { readonly name: string; readonly error: AsperitasError };
} {
  const flat = decodeValue(body.header, body.frames) as readonly unknown[];
  const name = String(flat[4 * index]);
  const deaths = Number(flat[4 * index + 3]) + (suspect ? 1 : 0);
  if (suspect && deaths >= poisonAfter) {
    const text = `${deaths} incarnations of the actor died over ${name}: it is not sent again`;
    const error = new AsperitasError('poison-message', text, { name, deaths }, { cause: why });
    return { answer: [went.failed, toWireError(error)], poison: { name, error } };
  }
  const text = `the actor died over ${name} (${why.message}): nobody knows how much of it was done`;
  const error = new AsperitasError('actor-crashed', text, { name }, { cause: why });
  return { answer: [went.interrupted, { deaths, error: toWireError(error) }] };
}
