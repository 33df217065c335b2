/**
 * Owns what the scheduler does about a node's reports on actors, and about a node that leaves: its actors
 * move, with their state where they have one to save. Pure. Must not know: how lives go (actor-core.ts).
 */
import { assertNever, type NodeId } from '../runtime/index.ts';
import { begin, endGroup, feedGroup, hasEnded, tell, tellPlace } from './actor-core.ts';
import { cancelMove, reserve, rise, seatFor, sit } from './actor-seats.ts';
import { type ActorRecord, createGroup } from './actor-state.ts';
import { limits } from './limits.ts';
import type { FromNode } from './protocol.ts';
import { type NodeRecord, type SchedulerState, send } from './scheduler-state.ts';

export type ActorReport = Extract<
  FromNode,
  { readonly incarnation: number } | { readonly type: 'actor-living' }
>;

export function isActorReport(message: FromNode): message is ActorReport {
  return 'incarnation' in message;
}

export function onActorReport(state: SchedulerState, node: NodeRecord, report: ActorReport): void {
  if (report.type === 'actor-living') {
    onLiving(state, node, report);
    return;
  }
  const actor = state.actors.actors.get(report.actor);
  const current = actor?.incarnation === report.incarnation && actor.seat === node.info.node;
  if (actor === undefined || !current) return;
  switch (report.type) {
    case 'actor-started':
      // It was told to stop meanwhile, or another life has begun.
      if (actor.phase.name !== 'starting') return;
      actor.phase = { name: 'living' };
      tellPlace(state, actor);
      feedGroup(state, actor.group, { type: 'child-started', id: report.actor });
      return;
    case 'actor-ended': {
      if (actor.phase.name === 'down' || actor.phase.name === 'seeking') return;
      cancelMove(state, actor);
      hasEnded(state, actor, { normal: report.normal, error: report.error });
      return;
    }
    case 'actor-moved':
      onMoved(state, actor, report.snapshot);
      return;
    case 'actor-saved':
      if (report.snapshot.byteLength <= limits.snapshotBytes) actor.snapshot = report.snapshot;
      return;
    case 'message-parked': {
      actor.parked++;
      const { message, error } = report;
      tell(state, actor, { type: 'actor-spared', actor: actor.spec.actor, message, error });
      return;
    }
    default:
      assertNever(report);
  }
}

/** A node that was cut off is back: of each of its actors it will say whether it lives. */
export function doubtActors(state: SchedulerState, node: NodeId): void {
  for (const actor of state.actors.actors.values()) actor.unconfirmed = actor.seat === node;
}

/** It has said all: what it did not name has ended meanwhile, or was never begun there. */
export function settleActors(state: SchedulerState, node: NodeId): void {
  state.actors.changed = true;
  for (const actor of [...state.actors.actors.values()]) {
    if (!actor.unconfirmed || actor.seat !== node) continue;
    actor.unconfirmed = false;
    const { spec, incarnation, phase } = actor;
    if (phase.name === 'down' || phase.name === 'seeking') continue;
    // One that is being begun is not named: it is begun anew.
    send(state, node, { type: 'kill-actor', actor: spec.actor, incarnation });
    cancelMove(state, actor);
    const message = `node ${node} came back without it`;
    const error = { name: 'AsperitasError', code: 'node-lost', message };
    hasEnded(state, actor, { normal: phase.name === 'stopping', error });
  }
}

/** A node joins, or comes back, with an actor. The one that is expected there goes on; one that was given up
 * is fenced off; one of an earlier scheduler is taken over, unless it lives here already. */
function onLiving(
  state: SchedulerState,
  node: NodeRecord,
  { spec, incarnation, epoch, owner }: Extract<ActorReport, { type: 'actor-living' }>,
): void {
  const { actors } = state;
  const known = actors.actors.get(spec.actor);
  if (known?.seat === node.info.node && known.incarnation === incarnation) {
    if (onExpected(state, known)) return;
  }
  const taken = known !== undefined || (spec.name !== undefined && actors.names.has(spec.name));
  if (epoch === state.epoch || taken) {
    send(state, node.info.node, { type: 'kill-actor', actor: spec.actor, incarnation });
    return;
  }
  const id = `${spec.actor} again`;
  const about = { id, owner: owner as never, asker: undefined };
  const root = { ...limits.adoptedSupervisor, restart: 'permanent', strategy: 'one-for-one' } as const;
  const group = createGroup(about, [{ ...spec, supervisor: 0 }], [root]);
  const [actor] = group.actors;
  actors.groups.set(id, group);
  actors.actors.set(spec.actor, actor!);
  if (spec.name !== undefined) actors.names.set(spec.name, actor!);
  group.admitted = true;
  Object.assign(actor!, { seat: node.info.node, incarnation, restarts: 0 });
  reserve(state, node, { spec, sign: 1 });
  // Its supervision begins as if it had just started.
  for (const event of [{ type: 'begun' }, { type: 'child-started', id: spec.actor }] as const) {
    adopt(state, actor!, event);
  }
  actor!.phase = { name: 'living' };
}

/** Whether a life is the one that should be there; orders that may have been lost are given again. */
function onExpected(state: SchedulerState, actor: ActorRecord): boolean {
  const { phase, spec, incarnation, seat } = actor;
  switch (phase.name) {
    case 'starting':
      actor.phase = { name: 'living' };
      feedGroup(state, actor.group, { type: 'child-started', id: spec.actor });
      break;
    case 'leaving':
      send(state, seat!, { type: 'move-actor', actor: spec.actor, incarnation });
      break;
    case 'stopping':
      send(state, seat!, { type: 'stop-actor', actor: spec.actor, incarnation });
      break;
    case 'living':
      break;
    default:
      return false;
  }
  actor.unconfirmed = false;
  tellPlace(state, actor);
  return true;
}

/** Brings the supervision of an adopted actor to where it is, without starting it again. */
function adopt(
  state: SchedulerState,
  actor: ActorRecord,
  event: { readonly type: 'begun' } | { readonly type: 'child-started'; readonly id: string },
): void {
  const { out } = state;
  const { incarnation } = actor;
  state.out = [];
  feedGroup(state, actor.group, event);
  state.out = out;
  actor.incarnation = incarnation;
}

/** Whether an actor can leave its node, and with it what it would lose: nothing, or its state. */
function mayLeave({ spec }: ActorRecord): boolean {
  return spec.movable || spec.restart !== 'temporary';
}

/** The first actor that would be lost if its node were retired, if there is one. */
export function pinnedActor(state: SchedulerState, node: NodeId): ActorRecord | undefined {
  for (const actor of state.actors.actors.values()) {
    if (actor.seat !== node) continue;
    if (!mayLeave(actor) || seatFor(state, actor.spec, node).node === undefined) return actor;
  }
  return undefined;
}

/** A node begins to leave: its actors are sent on, or ended where that can't be. */
export function moveActors(state: SchedulerState, node: NodeId): void {
  for (const actor of [...state.actors.actors.values()]) {
    if (actor.seat !== node) continue;
    const { spec, phase, incarnation } = actor;
    if (phase.name === 'stopping' || phase.name === 'leaving') continue;
    if (state.stoppingSince !== undefined) {
      endGroup(state, actor.group);
      continue;
    }
    const next = mayLeave(actor) ? seatFor(state, spec, node).node : undefined;
    if (phase.name === 'living' && next !== undefined) {
      actor.phase = { name: 'leaving', next: next.info.node };
      reserve(state, next, { spec, sign: 1 });
      tell(state, actor, { type: 'actor-away', actor: spec.actor, why: `it moves to ${next.info.node}` });
      send(state, node, { type: 'move-actor', actor: spec.actor, incarnation });
      continue;
    }
    // It is lost as if its node had died: its policy says what follows.
    rise(state, actor);
    if (phase.name === 'down' || phase.name === 'seeking') continue;
    send(state, node, { type: 'kill-actor', actor: spec.actor, incarnation });
    const message = `node ${node} was retired, and no other could take the actor`;
    hasEnded(state, actor, { normal: false, error: { name: 'AsperitasError', code: 'node-lost', message } });
  }
}

function onMoved(state: SchedulerState, actor: ActorRecord, snapshot: Uint8Array | undefined): void {
  const { phase } = actor;
  if (phase.name === 'stopping') {
    hasEnded(state, actor, { normal: true, error: undefined });
    return;
  }
  if (phase.name !== 'leaving') return;
  if (snapshot !== undefined) actor.snapshot = snapshot;
  cancelMove(state, actor);
  rise(state, actor);
  const node = phase.next === undefined ? undefined : state.nodes.get(phase.next);
  if (node === undefined || node.retiring) {
    actor.phase = { name: 'seeking', since: state.now };
    state.actors.seeking.add(actor);
    state.actors.changed = true;
    return;
  }
  sit(state, actor, node);
  begin(state, actor);
}
