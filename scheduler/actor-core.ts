/**
 * Owns the lives of actors: when a group gets its seats, what its supervisors ask for, who is told where each
 * one lives. Every life has a number; a report about another life is dropped. Pure. Must not know: what
 * clients and nodes say (actor-requests.ts, actor-reports.ts), what an actor does.
 */
import {
  assertNever,
  type ClientId,
  type EndReason,
  type NodeId,
  type SupervisionEvent,
  type SupervisionInstruction,
  supervise,
} from '../runtime/index.ts';
import { cancelMove, couldFit, rise, seatAll, seatFor, sit } from './actor-seats.ts';
import { type ActorGroup, type ActorRecord, nextChance } from './actor-state.ts';
import type { WireError } from './error-schema.ts';
import { limits } from './limits.ts';
import type { ToClient } from './protocol.ts';
import { notify, type SchedulerState, send } from './scheduler-state.ts';

/** Gives seats to groups and single actors that wait for them, while there is room. */
export function placeActors(state: SchedulerState): void {
  const { actors } = state;
  if (!actors.changed) return;
  actors.changed = false;
  for (const actor of [...actors.seeking]) {
    const { node } = seatFor(state, actor.spec);
    if (node === undefined) continue;
    sit(state, actor, node);
    begin(state, actor);
  }
  const awaited = new Set<string>();
  for (const group of [...actors.waiting]) {
    // What an older group waits for is kept for it.
    const barred = group.actors.some(({ spec }) => Object.keys(spec.needs).some((name) => awaited.has(name)));
    const lacking = barred ? new Set<string>() : seatAll(state, group);
    if (lacking === undefined) {
      actors.waiting = actors.waiting.filter((other) => other !== group);
      group.admitted = true;
      feedGroup(state, group, { type: 'begun' });
    } else if (couldFit(state, group)) {
      for (const name of lacking) if (name !== 'threads') awaited.add(name);
    }
  }
  actors.awaited = awaited;
  actors.changed = false;
}

/** Has a group's supervisors take an event in, and does what they ask for. */
export function feedGroup(state: SchedulerState, group: ActorGroup, event: SupervisionEvent): void {
  const random = nextChance(state.actors);
  for (const instruction of supervise(group.supervision, event, { now: state.now, random })) {
    carryOut(state, group, instruction);
  }
}

function carryOut(state: SchedulerState, group: ActorGroup, instruction: SupervisionInstruction): void {
  switch (instruction.type) {
    case 'start':
      start(state, actorOf(state, instruction.id));
      return;
    case 'stop':
      stop(state, actorOf(state, instruction.id));
      return;
    case 'kill': {
      const actor = actorOf(state, instruction.id);
      if (actor?.seat !== undefined) {
        const { spec, incarnation } = actor;
        send(state, actor.seat, { type: 'kill-actor', actor: spec.actor, incarnation });
      }
      return;
    }
    case 'end':
      end(state, actorOf(state, instruction.id), instruction.why);
      return;
    case 'announce-up':
      if (group.asker !== undefined) notify(state, group.asker, { type: 'actors-up', group: group.id });
      return;
    case 'finish':
      state.actors.groups.delete(group.id);
      state.actors.waiting = state.actors.waiting.filter((other) => other !== group);
      return;
    default:
      assertNever(instruction);
  }
}

function actorOf(state: SchedulerState, id: string): ActorRecord | undefined {
  return state.actors.actors.get(id as ActorRecord['spec']['actor']);
}

function start(state: SchedulerState, actor: ActorRecord | undefined): void {
  if (actor === undefined) return;
  if (actor.incarnation > 0) actor.restarts++;
  // A seat on a node that is leaving is none.
  if (actor.seat !== undefined && state.nodes.get(actor.seat)?.retiring !== false) rise(state, actor);
  if (actor.seat === undefined) seek(state, actor);
  else begin(state, actor);
}

function seek(state: SchedulerState, actor: ActorRecord): void {
  actor.phase = { name: 'seeking', since: state.now };
  state.actors.seeking.add(actor);
  state.actors.changed = true;
}

/** A new life, on the node of the actor's seat. */
export function begin(state: SchedulerState, actor: ActorRecord): void {
  state.actors.seeking.delete(actor);
  actor.incarnation++;
  actor.phase = { name: 'starting' };
  const { spec, incarnation, snapshot, seat, group } = actor;
  send(state, seat!, {
    type: 'start-actor',
    spec,
    incarnation,
    epoch: state.epoch,
    ...(group.owner === undefined ? {} : { owner: group.owner }),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
}

function stop(state: SchedulerState, actor: ActorRecord | undefined): void {
  if (actor === undefined) return;
  const { spec, seat, phase, incarnation } = actor;
  if (phase.name === 'seeking' || seat === undefined) {
    state.actors.seeking.delete(actor);
    hasEnded(state, actor, { normal: true, error: undefined });
    return;
  }
  cancelMove(state, actor);
  actor.phase = { name: 'stopping' };
  send(state, seat, { type: 'stop-actor', actor: spec.actor, incarnation });
}

/** A life is over. The supervisors say what follows. */
export function hasEnded(
  state: SchedulerState,
  actor: ActorRecord,
  how: { readonly normal: boolean; readonly error: WireError | undefined },
): void {
  actor.phase = { name: 'down' };
  if (how.error !== undefined) actor.lastError = how.error;
  tell(state, actor, {
    type: 'actor-away',
    actor: actor.spec.actor,
    why: how.error?.message ?? 'it has ended',
  });
  feedGroup(state, actor.group, { type: 'child-ended', id: actor.spec.actor, normal: how.normal });
}

function end(state: SchedulerState, actor: ActorRecord | undefined, why: EndReason): void {
  if (actor === undefined) return;
  const { actors } = state;
  const { spec, group } = actor;
  rise(state, actor);
  actors.seeking.delete(actor);
  actors.actors.delete(spec.actor);
  if (spec.name !== undefined && actors.names.get(spec.name) === actor) actors.names.delete(spec.name);
  const error = goneError(actor, why);
  tell(state, actor, { type: 'actor-gone', actor: spec.actor, error });
  if (why !== 'not-started' || group.asker === undefined || group.refused) return;
  // The one that could not start is why the others are not there: its own error is the answer.
  group.refused = true;
  const culprit = group.actors.find(({ lastError }) => lastError !== undefined);
  const reason = culprit?.lastError ?? error;
  notify(state, group.asker, { type: 'actors-refused', group: group.id, error: reason });
}

/** Marks an actor that no node can take: it is not asked to stop, but lost. */
const noSeat = 'no-seat';

function goneError({ spec, lastError, restarts }: ActorRecord, why: EndReason): WireError {
  const who = `actor ${spec.name ?? spec.actor} (${spec.definition})`;
  const because = lastError === undefined ? '' : `: ${lastError.message}`;
  const cause = lastError === undefined ? {} : { cause: lastError };
  const about = (code: string, message: string): WireError => {
    const fields = { actor: spec.actor, definition: spec.definition };
    return { name: 'AsperitasError', code, message, fields, ...cause };
  };
  switch (why) {
    case 'stopped':
      if (lastError?.code === noSeat) return about('actor-lost', `${who} was lost${because}`);
      return about('actor-stopped', `${who} was stopped`);
    case 'not-started':
      return about('actor-lost', `${who} was not started${because}`);
    case 'gave-up':
      return about('actor-lost', `${who} was given up after ${restarts} restarts${because}`);
    case 'ended':
      return about('actor-lost', `${who} was lost, and its policy is not to restart it${because}`);
    default:
      return assertNever(why);
  }
}

/** Says something to all who want to hear of an actor. */
export function tell(state: SchedulerState, { watchers }: ActorRecord, news: ToClient): void {
  for (const client of watchers) notify(state, client, news);
}

/** Says where an actor lives, to one client or to all who watch it. */
export function tellPlace(state: SchedulerState, actor: ActorRecord, client?: ClientId): void {
  const { spec, phase, seat, incarnation } = actor;
  const node = seat === undefined ? undefined : state.nodes.get(seat);
  const news: ToClient =
    phase.name === 'living' && node !== undefined
      ? { type: 'actor-at', actor: spec.actor, incarnation, node: node.info.node, url: node.info.url }
      : { type: 'actor-away', actor: spec.actor, why: `it is ${phase.name}` };
  if (client === undefined) tell(state, actor, news);
  else notify(state, client, news);
}

/** Ends a group for which nobody is there any more. */
export function endGroup(state: SchedulerState, group: ActorGroup): void {
  feedGroup(state, group, { type: 'stop-asked' });
}

/** Actors that have sought a seat for too long are lost, groups move on, and owners that never came are given
 * up. */
export function tickActors(state: SchedulerState): void {
  const { now, actors } = state;
  for (const actor of [...actors.seeking]) {
    if (actor.phase.name !== 'seeking' || now - actor.phase.since < limits.actorHomelessMs) continue;
    const needs = JSON.stringify(actor.spec.needs);
    const message = `no node could take it within ${limits.actorHomelessMs / 1000} s (it needs ${needs})`;
    actor.lastError = { name: 'AsperitasError', code: noSeat, message };
    feedGroup(state, actor.group, { type: 'stop-asked', id: actor.spec.actor });
  }
  for (const group of [...actors.groups.values()]) {
    feedGroup(state, group, { type: 'ticked' });
    if (group.owner === undefined || state.clients.has(group.owner)) group.orphanSince = undefined;
    else if (now - (group.orphanSince ??= now) > limits.clientGraceMs) endGroup(state, group);
  }
}

/** A node is gone, with all that lived there. */
export function loseActors(state: SchedulerState, node: NodeId, why: string): void {
  for (const actor of [...state.actors.actors.values()]) {
    // What was held for it there went with the node; another one may come to bear the name.
    const { phase } = actor;
    if (phase.name === 'leaving' && phase.next === node) actor.phase = { name: 'leaving', next: undefined };
    if (actor.seat !== node) continue;
    cancelMove(state, actor);
    actor.seat = undefined;
    if (actor.phase.name === 'down') continue;
    hasEnded(state, actor, {
      normal: actor.phase.name === 'stopping',
      error: { name: 'AsperitasError', code: 'node-lost', message: why },
    });
  }
}
