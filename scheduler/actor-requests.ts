/**
 * Owns what the scheduler does about a client's messages about actors: spawning, finding, ending. Pure. Must
 * not know: how lives go (actor-core.ts).
 */
import { assertNever, type ClientId } from '../runtime/index.ts';
import { endGroup, feedGroup, tellPlace } from './actor-core.ts';
import type { ActorSpec } from './actor-messages.ts';
import { createGroup } from './actor-state.ts';
import type { WireError } from './error-schema.ts';
import { limits } from './limits.ts';
import type { ToScheduler } from './protocol.ts';
import { notify, type SchedulerState } from './scheduler-state.ts';

export type ActorRequestMessage = Extract<
  ToScheduler,
  { readonly type: 'spawn-actors' | 'end-actor' | 'find-actor' | 'ignore-actor' }
>;
type Spawn = Extract<ToScheduler, { readonly type: 'spawn-actors' }>;
type Find = Extract<ToScheduler, { readonly type: 'find-actor' }>;

const types = new Set<string>(['spawn-actors', 'end-actor', 'find-actor', 'ignore-actor']);
export function isActorRequest(message: ToScheduler): message is ActorRequestMessage {
  return types.has(message.type);
}

export function onActorRequest(state: SchedulerState, client: ClientId, message: ActorRequestMessage): void {
  switch (message.type) {
    case 'spawn-actors':
      onSpawn(state, client, message);
      return;
    case 'end-actor': {
      const actor = state.actors.actors.get(message.actor);
      if (actor === undefined) return;
      const { group } = actor;
      // Before it has a seat, the group is one thing.
      if (!group.admitted) endGroup(state, group);
      else feedGroup(state, group, { type: 'stop-asked', id: message.actor });
      return;
    }
    case 'find-actor':
      onFind(state, client, message);
      return;
    case 'ignore-actor':
      state.actors.actors.get(message.actor)?.watchers.delete(client);
      return;
    default:
      assertNever(message);
  }
}

function errorOf(code: string, message: string, fields: Readonly<Record<string, string>>): WireError {
  return { name: 'AsperitasError', code, message, fields };
}

function onSpawn(state: SchedulerState, client: ClientId, message: Spawn): void {
  const { actors } = state;
  const { group: id, detached } = message;
  // Said again after a connection was lost: it stands.
  if (actors.groups.has(id)) return;
  const flaw = flawOf(state, message);
  if (flaw !== undefined) {
    notify(state, client, { type: 'actors-refused', group: id, error: flaw });
    return;
  }
  const about = { id, owner: detached ? undefined : client, asker: client };
  const group = createGroup(about, message.actors, message.supervisors);
  actors.groups.set(id, group);
  for (const actor of group.actors) {
    actors.actors.set(actor.spec.actor, actor);
    if (actor.spec.name !== undefined) actors.names.set(actor.spec.name, actor);
    actor.watchers.add(client);
  }
  actors.waiting.push(group);
  actors.changed = true;
}

/** Why a group can never live as it is asked for. */
function flawOf(state: SchedulerState, { actors: specs, supervisors }: Spawn): WireError | undefined {
  const names = new Set<string>();
  for (const spec of specs) {
    const { name, actor } = spec;
    if (name !== undefined && (state.actors.names.has(name) || names.has(name))) {
      const message = `an actor named ${name} lives already: find it, or choose another name`;
      return errorOf('actor-name-taken', message, { name });
    }
    if (name !== undefined) names.add(name);
    const flaw = flawOfSpec(spec, supervisors.length);
    if (flaw !== undefined || state.actors.actors.has(actor)) {
      const text = `actor ${actor} can't be spawned: ${flaw ?? 'its id is taken'}`;
      return errorOf('invalid-actor', text, { actor });
    }
  }
  const tree = supervisors.every(({ parent }, k) => (k === 0 ? parent === undefined : (parent ?? k) < k));
  const few = specs.length > 0 && specs.length <= limits.groupActors;
  if (tree && few && supervisors.length > 0 && supervisors.length <= limits.groupActors) return undefined;
  const message = `a group needs 1 to ${limits.groupActors} actors, and supervisors in a tree`;
  return errorOf('invalid-actor', message, {});
}

function flawOfSpec(spec: ActorSpec, supervisors: number): string | undefined {
  const odd = Object.entries(spec.needs).find(([, amount]) => !(amount >= 0 && amount < Infinity));
  if (odd !== undefined) return `it needs ${odd[1]} of ${odd[0]}`;
  if (spec.supervisor >= supervisors) return 'it has no supervisor';
  return spec.mailbox > 0 ? undefined : 'its mailbox has no room';
}

function onFind(state: SchedulerState, client: ClientId, { request, name, actor: id }: Find): void {
  const { names, actors } = state.actors;
  const actor = name === undefined ? (id === undefined ? undefined : actors.get(id)) : names.get(name);
  if (actor === undefined) {
    const what = name ?? id ?? 'of no name';
    const error = errorOf('no-such-actor', `no actor ${what} lives: it was never spawned, or has ended`, {
      actor: what,
    });
    notify(state, client, { type: 'actor-found', request, error });
    return;
  }
  actor.watchers.add(client);
  const { spec } = actor;
  notify(state, client, {
    type: 'actor-found',
    request,
    actor: spec.actor,
    definition: spec.definition,
  });
  tellPlace(state, actor, client);
}

/** A client will not come back: what it owns ends. */
export function endActorsOf(state: SchedulerState, client: ClientId): void {
  for (const group of [...state.actors.groups.values()]) if (group.owner === client) endGroup(state, group);
  for (const { watchers } of state.actors.actors.values()) watchers.delete(client);
}
