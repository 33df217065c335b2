/**
 * Owns what a node's main thread and the place where an actor lives (a thread, or a process) say to one
 * another: calls about the actor's life, and parcels of messages with their answers, which travel apart from
 * the calls. Must not know: how either side is run.
 */
import type { DatumParts, PlainError } from '../runtime/index.ts';
import type { ThreadOptions } from './run-request.ts';

/** What an actor is begun with. */
export interface ActorSetup extends ThreadOptions {
  readonly actor: string;
  readonly name: string | undefined;
  readonly definition: string;
  readonly incarnation: number;
  readonly device: string | undefined;
  readonly options: Uint8Array;
  readonly snapshot: Uint8Array | undefined;
  readonly saveEvery: number | undefined;
  /** Which message is at hand, for whoever finds the place dead: parcel, place in it, how many; threads
   * only. */
  readonly marks: Int32Array | undefined;
}

/** Places in `marks`. With a count of 0 nothing is at hand, and what lies before has ended. */
export const mark = { parcel: 0, index: 1, count: 2, length: 3 } as const;

/** What a call brings: errors travel as data, or they would lose their codes. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PlainError };

/** What is called from the main thread; every call has a limit of time. */
export type ActorMethods = {
  /** Makes the actor's state: fails with what `init` or `restore` throws. */
  readonly begin: (setup: ActorSetup) => Promise<Reply<void>>;
  /** Begins no further message; resolves when the one at hand has ended. `paused` is posted behind the
   * last answer, as calls and posts may overtake one another. */
  readonly pause: (_: undefined) => Promise<Reply<void>>;
  /** The state as the author's `snapshot` gives it, encoded; nothing without one. */
  readonly save: (_: undefined) => Promise<Reply<Uint8Array | undefined>>;
  /** The author's `stop`. */
  readonly stop: (_: undefined) => Promise<Reply<void>>;
};

/** To the place. */
export type ToPlace =
  | {
      readonly type: 'parcel';
      readonly parcel: number;
      readonly line: number;
      readonly first: number;
      readonly count: number;
      readonly arrivedMs: number;
      readonly body: DatumParts;
      /** Places of those that were given up before. */
      readonly cancelled: readonly number[];
    }
  | { readonly type: 'cancel'; readonly parcel: number; readonly index: number };

/** From the place. */
export type FromPlace =
  /** Answers for one line; `ended` counts, for each parcel, its messages that have an end by now. */
  | {
      readonly type: 'answers';
      readonly line: number;
      readonly ended: readonly (readonly [parcel: number, count: number])[];
      readonly body: DatumParts;
    }
  /** Processes only: the message at hand, as in `marks`. */
  | { readonly type: 'begun'; readonly parcel: number; readonly index: number; readonly count: number }
  | { readonly type: 'saved'; readonly snapshot: Uint8Array }
  /** Behind the last answer. */
  | { readonly type: 'paused' };
