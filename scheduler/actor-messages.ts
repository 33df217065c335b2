/**
 * Owns the messages about actors between clients, scheduler and nodes: who is to live, where each one lives,
 * and how its life goes. What callers say to an actor does not pass here (runtime/actor-messages.ts). Must
 * not know: how messages travel or are handled.
 */
import {
  type ActorId,
  array,
  as,
  bytes,
  count,
  dictionary,
  flag,
  type Infer,
  maybe,
  type NodeId,
  object,
  oneOf,
  real,
  type SiteName,
  text,
} from '../runtime/index.ts';
import { wireError } from './error-schema.ts';

export const actorId = as<ActorId>(text);

/** An actor as it was asked for. It travels to the node where it lives, and back when that node finds a new
 * scheduler. */
export const actorSpec = object({
  actor: actorId,
  definition: text,
  /** The codec's encoding of what `init` is given. */
  options: bytes,
  name: maybe(text),
  restart: oneOf('permanent', 'transient', 'temporary'),
  /** How long it may take to stop before it is killed. */
  shutdownMs: count,
  /** The only site where it may live, and a site or node where it is best. */
  site: maybe(as<SiteName>(text)),
  near: maybe(text),
  needs: dictionary(real),
  /** How many messages may wait for it. */
  mailbox: count,
  isolate: oneOf('thread', 'process'),
  /** Its state can be saved, and brought to life elsewhere. */
  movable: flag,
  /** It is saved after so many messages. Without it, only when it moves. */
  saveEvery: maybe(count),
  /** Incarnations that one message may end before it is parked. */
  poisonAfter: count,
  /** Which of the supervisors of its group it is under. */
  supervisor: count,
});
export type ActorSpec = Infer<typeof actorSpec>;

/** A supervisor of a group; the first one is the root. */
export const supervisorSpec = object({
  strategy: oneOf('one-for-one', 'one-for-all', 'rest-for-one'),
  limit: count,
  withinMs: real,
  leastPauseMs: real,
  mostPauseMs: real,
  jitter: real,
  restart: oneOf('permanent', 'transient', 'temporary'),
  /** The place of its own supervisor in the list, which is before its own. */
  parent: maybe(count),
});
export type SupervisorSpec = Infer<typeof supervisorSpec>;

/** From clients. */
export const actorRequests = {
  /** All of them come to live, or none. Answered by `actors-up` or `actors-refused`. */
  'spawn-actors': {
    group: text,
    actors: array(actorSpec),
    supervisors: array(supervisorSpec),
    /** They go on without their client. */
    detached: flag,
  },
  'end-actor': { actor: actorId },
  /** By name or by id; answered by `actor-found`. The client hears of it from then on. */
  'find-actor': { request: count, name: maybe(text), actor: maybe(actorId) },
  'ignore-actor': { actor: actorId },
} as const;

/** To clients. */
export const actorNews = {
  'actors-up': { group: text },
  'actors-refused': { group: text, error: wireError },
  'actor-found': { request: count, actor: maybe(actorId), definition: maybe(text), error: maybe(wireError) },
  /** Where it can be asked now. */
  'actor-at': { actor: actorId, incarnation: count, node: as<NodeId>(text), url: text },
  /** It is between two incarnations. */
  'actor-away': { actor: actorId, why: text },
  /** It will not live again. */
  'actor-gone': { actor: actorId, error: wireError },
  /** A message that has ended several incarnations was taken out. */
  'actor-spared': { actor: actorId, message: text, error: wireError },
} as const;

/** To nodes. An order about an incarnation that is no longer there changes nothing. */
export const actorOrders = {
  'start-actor': {
    spec: actorSpec,
    incarnation: count,
    /** The life of the scheduler that gives the order. */
    epoch: count,
    owner: maybe(text),
    snapshot: maybe(bytes),
  },
  /** End what is begun, then stop; answered by `actor-ended`. */
  'stop-actor': { actor: actorId, incarnation: count },
  'kill-actor': { actor: actorId, incarnation: count },
  /** End what is begun, send back the rest, save the state; answered by `actor-moved`. */
  'move-actor': { actor: actorId, incarnation: count },
} as const;

/** From nodes. */
export const actorReports = {
  'actor-started': { actor: actorId, incarnation: count },
  'actor-ended': { actor: actorId, incarnation: count, normal: flag, error: maybe(wireError) },
  'actor-moved': { actor: actorId, incarnation: count, snapshot: maybe(bytes) },
  'actor-saved': { actor: actorId, incarnation: count, snapshot: bytes },
  'message-parked': { actor: actorId, incarnation: count, message: text, error: wireError },
  /** A node that joins with actors announces them. */
  'actor-living': { spec: actorSpec, incarnation: count, epoch: count, owner: maybe(text) },
} as const;
