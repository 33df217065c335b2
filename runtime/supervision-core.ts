/**
 * Owns what a supervisor does about every event: starts its children in order, stops them in reverse, and
 * restarts those that end as their policies and its strategy say, until it gives up and its own supervisor
 * takes over. Pure: time and chance are arguments. Must not know: actors, threads, nodes.
 */
import { assertNever } from './errors.ts';
import { type Millis, millis } from './ids.ts';
import type {
  BackOff,
  EndReason,
  Member,
  SupervisionEvent,
  SupervisionInstruction,
  SupervisionState,
  SupervisorChild,
  Target,
} from './supervision-state.ts';

export interface Circumstances {
  readonly now: Millis;
  /** Evenly between 0 and 1. */
  readonly random: number;
}

/** Takes one event in and returns what is to be done. */
export function supervise(
  state: SupervisionState,
  event: SupervisionEvent,
  { now, random }: Circumstances,
): SupervisionInstruction[] {
  state.now = now;
  state.random = random;
  state.out = [];
  if (state.finished || (!state.begun && event.type === 'ticked')) return state.out;
  state.begun = true;
  dispatch(state, event);
  // What ends or gives up on the way may open the way for others.
  for (let before = -1; before !== state.out.length; ) {
    before = state.out.length;
    advance(state, state.root);
  }
  announce(state);
  return state.out;
}

function dispatch(state: SupervisionState, event: SupervisionEvent): void {
  switch (event.type) {
    case 'begun':
      aim(state.root, 'up');
      return;
    case 'child-started': {
      const member = state.actors.get(event.id);
      if (member?.phase.name === 'starting') member.phase = { name: 'up' };
      return;
    }
    case 'child-ended':
      onEnded(state, state.actors.get(event.id), event.normal);
      return;
    case 'stop-asked': {
      const member = event.id === undefined ? state.root : state.actors.get(event.id);
      if (member !== undefined) aim(member, 'down', 'stopped');
      return;
    }
    case 'ticked':
      for (const [id, { phase }] of state.actors) {
        if (phase.name !== 'stopping' || phase.killed || state.now < phase.killAt) continue;
        phase.killed = true;
        state.out.push({ type: 'kill', id });
      }
      return;
    default:
      assertNever(event);
  }
}

/** Sets where a member and all under it are to go. One that has ended for good stays so, unless its
 * supervisor begins anew. */
function aim(member: Member, target: Target, why: EndReason = 'ended'): void {
  const { phase } = member;
  if (member.spec.kind === 'actor') {
    if (phase.name === 'ended') return;
    // What somebody has asked to stop is not started again by what happens to others.
    if (member.target === 'down' && member.why === 'stopped' && isUnderWay(member)) return;
  }
  member.target = target;
  if (target === 'down') member.why = why;
  for (const child of member.members) aim(child, target, why);
}

function isUnderWay({ phase }: Member): boolean {
  return phase.name === 'up' || phase.name === 'starting' || phase.name === 'stopping';
}

function isDown({ spec, phase, members }: Member): boolean {
  if (spec.kind === 'supervisor') return members.every(isDown);
  return phase.name === 'down' || phase.name === 'ended';
}

function isUp({ spec, phase, members }: Member): boolean {
  if (spec.kind === 'supervisor') return members.every(isUp);
  return phase.name === 'up' || phase.name === 'ended';
}

function onEnded(state: SupervisionState, member: Member | undefined, normal: boolean): void {
  if (member === undefined || !isUnderWay(member)) return;
  const unasked = member.phase.name !== 'stopping' && member.target === 'up';
  member.phase = { name: 'down' };
  if (!unasked) return;
  if (!state.wasUp) {
    aim(state.root, 'down', 'not-started');
    return;
  }
  const { restart } = member.spec;
  if (restart === 'permanent' || (restart === 'transient' && !normal)) restartIn(state, member);
  else aim(member, 'down', 'ended');
}

/** One of a supervisor's children has ended, or given up: the strategy says who begins anew. */
function restartIn(state: SupervisionState, child: Member): void {
  const supervisor = child.parent;
  // The root itself has given up: all end.
  if (supervisor === undefined) {
    aim(child, 'down', 'gave-up');
    return;
  }
  const { strategy, limit, withinMs, backOff } = supervisor.spec as SupervisorChild;
  supervisor.restarts = supervisor.restarts.filter((time) => state.now - time < withinMs);
  supervisor.restarts.push(state.now);
  const count = supervisor.restarts.length;
  if (count > limit) {
    supervisor.restarts = [];
    if (supervisor.parent === undefined || supervisor.spec.restart === 'temporary') {
      aim(supervisor, 'down', 'gave-up');
    } else {
      aim(supervisor, 'bounce');
      restartIn(state, supervisor);
    }
    return;
  }
  const { members } = supervisor;
  const from = strategy === 'one-for-all' ? 0 : members.indexOf(child);
  const affected = strategy === 'one-for-one' ? [child] : members.slice(from);
  for (const member of affected) {
    const goes = member !== child && member.spec.restart === 'temporary';
    aim(member, goes ? 'down' : 'bounce', 'ended');
  }
  child.notBefore = millis(state.now + pauseMs(backOff, { count, random: state.random }));
}

/** None before the first restart of a period; then doubled from the least to the most, with jitter. */
function pauseMs(
  { leastMs, mostMs, jitter }: BackOff,
  { count, random }: { readonly count: number; readonly random: number },
): number {
  if (count <= 1) return 0;
  const plainMs = Math.min(mostMs, leastMs * 2 ** Math.min(count - 2, 30));
  return plainMs * (1 + jitter * (2 * random - 1));
}

/** Takes a supervisor's children a step on: first down, the last started first; then up, in order. True when
 * nothing under it is under way or awaited. */
function advance(state: SupervisionState, supervisor: Member): boolean {
  for (const member of supervisor.members.toReversed()) {
    if (member.target === 'up') continue;
    if (!isDown(member)) {
      if (member.spec.kind === 'actor') stop(state, member);
      else advance(state, member);
      return false;
    }
    if (member.target === 'down') endAll(state, member);
  }
  for (const member of supervisor.members) if (member.target === 'bounce') beginAnew(member);
  for (const member of supervisor.members) {
    if (member.target !== 'up' || isUp(member)) continue;
    if (isDown(member) && state.now < member.notBefore) return false;
    if (member.spec.kind === 'supervisor') advance(state, member);
    else if (member.phase.name === 'down') {
      member.phase = { name: 'starting' };
      state.out.push({ type: 'start', id: member.spec.id });
    }
    if (!isUp(member)) return false;
  }
  return true;
}

function stop(state: SupervisionState, member: Member): void {
  const { spec, phase } = member;
  if (spec.kind !== 'actor' || phase.name === 'stopping') return;
  const killAt = millis(state.now + spec.shutdownMs);
  member.phase = { name: 'stopping', killAt, killed: false };
  state.out.push({ type: 'stop', id: spec.id, shutdownMs: spec.shutdownMs });
}

/** What is down and is to stay so has ended. */
function endAll(state: SupervisionState, member: Member): void {
  if (member.spec.kind === 'actor' && member.phase.name === 'down') {
    member.phase = { name: 'ended' };
    state.out.push({ type: 'end', id: member.spec.id, why: member.why });
  }
  for (const child of member.members.toReversed()) endAll(state, child);
}

function beginAnew(member: Member): void {
  member.target = 'up';
  for (const child of member.members) {
    if (child.spec.kind === 'supervisor' || child.phase.name !== 'ended') beginAnew(child);
  }
}

function announce(state: SupervisionState): void {
  const all = [...state.actors.values()];
  if (all.every(({ phase }) => phase.name === 'ended')) {
    state.finished = true;
    state.out.push({ type: 'finish' });
  } else if (!state.wasUp && state.root.target === 'up' && isUp(state.root)) {
    state.wasUp = true;
    state.out.push({ type: 'announce-up' });
  }
}
