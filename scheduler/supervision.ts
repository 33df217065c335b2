/**
 * Owns supervision as users write it: how an actor is spawned, and trees of actors with their strategies.
 * Must not know: how it is carried out (runtime/supervision-core.ts).
 */
import type { ActorDefinition, ActorMessages, Restart, Strategy } from '../runtime/index.ts';
import type { SupervisorSpec } from './actor-messages.ts';
import type { WaitOptions } from './cluster.ts';
import { clientLimits } from './limits.ts';

/** How often an actor may be restarted before it is given up: `limit` times within `withinMs`. The first
 * restart is made at once; further ones wait, twice as long each time, by chance shorter or longer by the
 * fraction `jitter`. */
export interface Restarts {
  readonly limit?: number;
  readonly withinMs?: number;
  readonly leastPauseMs?: number;
  readonly mostPauseMs?: number;
  readonly jitter?: number;
}

export interface Supervision extends Restarts {
  /** Who is restarted with a child that ended; `one-for-one` unless told. */
  readonly strategy?: Strategy;
  /** Of a supervisor under another: what follows when it gives up. */
  readonly restart?: Restart;
}

export interface PlaceOptions {
  /** By which others find it; one living actor has it at a time. */
  readonly name?: string;
  /** The only site where it may live. */
  readonly site?: string;
  /** A site or node where it lives if it can. */
  readonly near?: string;
  /** Beside those of its definition. */
  readonly needs?: Readonly<Record<string, number>>;
  /** How many messages may wait for it. */
  readonly mailbox?: number;
  /** Its state is saved after so many messages, for its next life. */
  readonly saveEvery?: number;
  /** Incarnations that one idempotent message may end before it is parked. */
  readonly poisonAfter?: number;
  /** How long it may take to stop before it is killed. */
  readonly shutdownMs?: number;
}

export interface SpawnOptions extends PlaceOptions, WaitOptions {
  /** `permanent` unless told; with limits, permanent within them. */
  readonly restart?: Restart | Restarts;
  /** It goes on without the client that spawned it. */
  readonly detached?: boolean;
}

/** An actor of a group. */
export interface ActorChild extends PlaceOptions {
  // Options are checked where the child is made: by `child`.
  readonly definition: ActorDefinition<never, ActorMessages>;
  readonly options: unknown;
  readonly restart?: Restart | Restarts;
}
/** Actors under a supervisor of their own. */
export interface SupervisedGroup {
  readonly children: readonly GroupChild[];
  readonly supervision?: Supervision;
}
export type GroupChild = ActorChild | SupervisedGroup;

/** An actor of a group, with the options that its definition wants. */
export function child<O, M extends ActorMessages>(
  definition: ActorDefinition<O, M>,
  options: O,
  more: PlaceOptions & { readonly restart?: Restart } = {},
): ActorChild {
  return { definition, options, ...more } as ActorChild;
}

export function supervisorOf(
  { strategy = 'one-for-one', restart = 'permanent', ...restarts }: Supervision,
  parent: number | undefined,
): SupervisorSpec {
  return {
    ...clientLimits.restarts,
    ...restarts,
    strategy,
    restart,
    ...(parent === undefined ? {} : { parent }),
  };
}
