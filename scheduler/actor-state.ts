/**
 * Owns what the scheduler knows of actors: the groups in which they were spawned, where each one has its
 * seat, who wants to hear of it. Pure data. Must not know: how events change it (actor-core.ts).
 */
import type {
  ActorId,
  ClientId,
  Millis,
  NodeId,
  SupervisionState,
  SupervisorChild,
} from '../runtime/index.ts';
import { createSupervision } from '../runtime/index.ts';
import type { ActorSpec, SupervisorSpec } from './actor-messages.ts';
import type { WireError } from './error-schema.ts';

/** `seeking`: it is to be started once a node has room for it. `leaving`: its node was told to send its state
 * on, and a seat is held for it at the next one while that lives. */
export type ActorPhase =
  | { readonly name: 'down' }
  | { readonly name: 'seeking'; readonly since: Millis }
  | { readonly name: 'starting' }
  | { readonly name: 'living' }
  | { readonly name: 'leaving'; readonly next: NodeId | undefined }
  | { readonly name: 'stopping' };

export interface ActorRecord {
  readonly spec: ActorSpec;
  readonly group: ActorGroup;
  phase: ActorPhase;
  /** Of its present or last life: reports of another one do not count. */
  incarnation: number;
  /** The node whose resources it holds; kept while it is restarted. */
  seat: NodeId | undefined;
  /** Its node came back and has not said yet that it lives. */
  unconfirmed: boolean;
  snapshot: Uint8Array | undefined;
  readonly watchers: Set<ClientId>;
  /** What ended its last life. */
  lastError: WireError | undefined;
  /** Messages that were parked. */
  parked: number;
  restarts: number;
}

export interface ActorGroup {
  readonly id: string;
  /** Whose end is theirs too; none for detached ones. */
  readonly owner: ClientId | undefined;
  readonly asker: ClientId | undefined;
  readonly supervision: SupervisionState;
  readonly actors: readonly ActorRecord[];
  /** Its asker was told that it does not live. */
  refused: boolean;
  /** All have seats, or had. */
  admitted: boolean;
  /** Since when its owner is unknown: an owner from before the scheduler's own life may still come. */
  orphanSince: Millis | undefined;
}

export interface ActorsState {
  readonly actors: Map<ActorId, ActorRecord>;
  readonly names: Map<string, ActorRecord>;
  readonly groups: Map<string, ActorGroup>;
  /** Groups that wait for seats, the oldest first, and names of resources that they wait for. */
  waiting: ActorGroup[];
  awaited: ReadonlySet<string>;
  /** Those that seek a seat on their own. */
  readonly seeking: Set<ActorRecord>;
  /** A node may have room that it had not. */
  changed: boolean;
  chance: number;
}

export function createActors(seed: number): ActorsState {
  return {
    actors: new Map(),
    names: new Map(),
    groups: new Map(),
    waiting: [],
    awaited: new Set(),
    seeking: new Set(),
    changed: false,
    chance: seed >>> 0,
  };
}

/** A group with its actors, none of which lives yet. */
export function createGroup(
  about: Pick<ActorGroup, 'id' | 'owner' | 'asker'>,
  specs: readonly ActorSpec[],
  supervisors: readonly SupervisorSpec[],
): ActorGroup {
  const actors: ActorRecord[] = [];
  const group: ActorGroup = {
    ...about,
    supervision: createSupervision(treeOf(specs, supervisors)),
    actors,
    refused: false,
    admitted: false,
    orphanSince: undefined,
  };
  for (const spec of specs) {
    actors.push({
      spec,
      group,
      phase: { name: 'down' },
      incarnation: 0,
      seat: undefined,
      unconfirmed: false,
      snapshot: undefined,
      watchers: new Set(),
      lastError: undefined,
      parked: 0,
      restarts: 0,
    });
  }
  return group;
}

/** The tree of a group. Children start in the order of the list of actors; a supervisor has the place of the
 * first actor under it. */
function treeOf(specs: readonly ActorSpec[], supervisors: readonly SupervisorSpec[]): SupervisorChild {
  const build = (index: number): { readonly tree: SupervisorChild; readonly place: number } => {
    const { strategy, limit, withinMs, leastPauseMs, mostPauseMs, jitter, restart } = supervisors[index]!;
    const own = specs.flatMap(({ actor, restart, shutdownMs, supervisor }, place) =>
      supervisor === index
        ? [{ place, tree: { kind: 'actor', id: actor, restart, shutdownMs } as const }]
        : [],
    );
    const below = supervisors.flatMap(({ parent }, k) => (parent === index ? [build(k)] : []));
    const children = [...own, ...below].sort((a, b) => a.place - b.place);
    const tree: SupervisorChild = {
      kind: 'supervisor',
      id: `supervisor ${index}`,
      strategy,
      limit,
      withinMs,
      backOff: { leastMs: leastPauseMs, mostMs: mostPauseMs, jitter },
      restart,
      children: children.map(({ tree: child }) => child),
    };
    return { tree, place: children[0]?.place ?? specs.length };
  };
  return build(0).tree;
}

/** An even number between 0 and 1, the same ones in every replay. */
export function nextChance(actors: ActorsState): number {
  actors.chance = (Math.imul(actors.chance, 1664525) + 1013904223) >>> 0;
  return actors.chance / 2 ** 32;
}
