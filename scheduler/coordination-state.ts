/**
 * Owns what the scheduler remembers of coordination: pools of leases, boards, queues, topics, and the wishes
 * of clients about them. Pure data. Must not know: how a wish is met (coordination-core.ts).
 */
import type { ClientId } from '../runtime/index.ts';
import type { ToClient, ToScheduler } from './protocol.ts';

/** All that concerns coordination has the number of a wish, but for the message that names several. */
export type CoordinationRequest = Extract<ToScheduler, { wish: number } | { type: 'resume-wishes' }>;
export type Wish = Extract<CoordinationRequest, { seen: readonly number[] }>;
export type WishOf<T extends Wish['type']> = Extract<Wish, { type: T }>;
export type Answer = Extract<ToClient, { type: 'wish-answered' }>;
export type CoordinationValue = WishOf<'put-in-queue'>['value'];

/** A wish that was not withdrawn, from when it is asked until its client says that it has the answer, or for
 * leases and topics until the client has ended it. */
export interface Asked {
  readonly client: ClientId;
  readonly wish: Wish;
  readonly thing: Thing;
  answer: Answer | undefined;
  /** What it was answered with, kept until its client wants the results in it. */
  kept: Kept | undefined;
}

/** A value that is kept here, with the keeper of the results that it names. */
export interface Kept {
  readonly value: CoordinationValue;
  readonly keeper: ClientId | undefined;
}

/** Wishes in the order of asking. */
export type Line = Set<Asked>;

interface Named {
  /** Its place among the things. */
  readonly place: string;
  readonly name: string;
  /** Clients that have asked for something here. When all are gone it is forgotten. */
  readonly users: Set<ClientId>;
}
export interface Pool extends Named {
  readonly type: 'pool';
  readonly leases: number;
  readonly held: Set<Asked>;
  readonly line: Line;
}
export interface Board extends Named {
  readonly type: 'board';
  shown: Kept | undefined;
  readonly line: Line;
}
export interface Queue extends Named {
  readonly type: 'queue';
  readonly limit: number;
  items: Kept[];
  bytes: number;
  readonly puts: Line;
  readonly takes: Line;
}
export interface Topic extends Named {
  readonly type: 'topic';
  said: number;
  readonly followers: Set<Asked>;
}
export type Thing = Pool | Board | Queue | Topic;

export interface CoordinationState {
  readonly things: Map<string, Thing>;
  readonly asked: Map<ClientId, Map<number, Asked>>;
  /** Clients of a former scheduler that have not said yet what they hold: until then no lease is free. */
  readonly expected: Set<ClientId>;
  /** Makes names of keepers. */
  nextKeeper: number;
}

export function createCoordination(): CoordinationState {
  return { things: new Map(), asked: new Map(), expected: new Set(), nextKeeper: 1 };
}
