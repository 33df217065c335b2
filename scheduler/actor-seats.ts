/**
 * Owns the choice of a node for an actor and the resources that it holds there for as long as it lives. A
 * group gets all its seats at once or none, so that no two groups wait for what the other holds. Pure. Must
 * not know: how actors are started.
 */
import type { NodeId } from '../runtime/index.ts';
import type { ActorSpec } from './actor-messages.ts';
import type { ActorGroup, ActorRecord } from './actor-state.ts';
import { type NodeRecord, noteLoad, type SchedulerState, takesWork } from './scheduler-state.ts';

/** Takes a seat, with all that the actor needs. */
export function sit(state: SchedulerState, actor: ActorRecord, node: NodeRecord): void {
  actor.seat = node.info.node;
  reserve(state, node, { spec: actor.spec, sign: 1 });
}

/** Gives a seat back, if there is one. */
export function rise(state: SchedulerState, actor: ActorRecord): void {
  const node = actor.seat === undefined ? undefined : state.nodes.get(actor.seat);
  actor.seat = undefined;
  if (node !== undefined) reserve(state, node, { spec: actor.spec, sign: -1 });
}

/** Holds (`sign` 1) or gives back (-1) what an actor needs. */
export function reserve(
  state: SchedulerState,
  node: NodeRecord,
  { spec, sign }: { readonly spec: ActorSpec; readonly sign: 1 | -1 },
): void {
  const { reserved } = node;
  reserved.actors += sign;
  const empty = reserved.actors === 0;
  for (const [name, amount] of Object.entries(spec.needs)) {
    if (name === 'threads') reserved.threads = empty ? 0 : reserved.threads + sign * amount;
    else reserved.named.set(name, empty ? 0 : (reserved.named.get(name) ?? 0) + sign * amount);
  }
  noteLoad(state, node);
  state.dirty.add(node);
  if (sign < 0) state.actors.changed = true;
}

/** Gives back what was reserved for a move, if one is under way. */
export function cancelMove(state: SchedulerState, { spec, phase }: ActorRecord): void {
  const next = phase.name === 'leaving' ? phase.next : undefined;
  const node = next === undefined ? undefined : state.nodes.get(next);
  if (node !== undefined) reserve(state, node, { spec, sign: -1 });
}

/** Whether a node may ever have the actor, and whether it has room now. Threads are taken from tasks that
 * are to come: those that run there end by themselves. */
function suits(node: NodeRecord, { site }: ActorSpec): boolean {
  return takesWork(node) && (site === undefined || node.info.site === site);
}

/** The resources that a node lacks for an actor now. */
function lacking(node: NodeRecord, { needs }: ActorSpec): string[] {
  const { info, used, reserved } = node;
  const names: string[] = [];
  for (const [name, amount] of Object.entries(needs)) {
    const free =
      name === 'threads'
        ? info.threads - reserved.threads
        : (info.resources[name] ?? 0) - (used.get(name) ?? 0) - (reserved.named.get(name) ?? 0);
    if (amount > free + 1e-9) names.push(name);
  }
  return names;
}

/** The best node with room: near what it wants to be near, then where the fewest actors are. */
export function seatFor(
  state: SchedulerState,
  spec: ActorSpec,
  except?: NodeId,
): { readonly node: NodeRecord | undefined; readonly lacking: ReadonlySet<string> } {
  let best: NodeRecord | undefined;
  let least = Number.POSITIVE_INFINITY;
  const missing = new Set<string>();
  for (const node of state.nodes.values()) {
    if (!suits(node, spec) || node.info.node === except) continue;
    const lacks = lacking(node, spec);
    for (const name of lacks) missing.add(name);
    if (lacks.length > 0) continue;
    const { info, reserved, usedThreads } = node;
    const near = spec.near === info.node || spec.near === info.site;
    const load = (reserved.actors + reserved.threads + usedThreads * 0.1) / Math.max(1, info.threads);
    const cost = load - (near ? 1e6 : 0);
    if (cost < least) {
      best = node;
      least = cost;
    }
  }
  return { node: best, lacking: missing };
}

/** Seats for all of a group, or for none: then the names of what is lacking. The most demanding ones first,
 * since they have the least choice. */
export function seatAll(state: SchedulerState, group: ActorGroup): ReadonlySet<string> | undefined {
  const weight = ({ spec }: ActorRecord): number => Object.values(spec.needs).reduce((sum, n) => sum + n, 0);
  const seated: ActorRecord[] = [];
  for (const actor of group.actors.toSorted((a, b) => weight(b) - weight(a))) {
    const { node, lacking: missing } = seatFor(state, actor.spec);
    if (node === undefined) {
      for (const one of seated) rise(state, one);
      return missing;
    }
    sit(state, actor, node);
    seated.push(actor);
  }
  return undefined;
}

/** Whether an empty cluster of the present nodes would have room for a group: if not, nothing is kept for
 * it. Sums, no packing: a group that is just too awkward is taken for one that fits. */
export function couldFit(state: SchedulerState, group: ActorGroup): boolean {
  const wanted = new Map<string, number>();
  const nodes = [...state.nodes.values()];
  const sizeOf = ({ info }: NodeRecord, name: string): number =>
    name === 'threads' ? info.threads : (info.resources[name] ?? 0);
  for (const { spec } of group.actors) {
    const needs = Object.entries(spec.needs);
    const able = nodes.filter((node) => suits(node, spec));
    if (!able.some((node) => needs.every(([name, amount]) => amount <= sizeOf(node, name)))) return false;
    for (const [name, amount] of needs) wanted.set(name, (wanted.get(name) ?? 0) + amount);
  }
  return [...wanted].every(
    ([name, amount]) => amount <= nodes.reduce((sum, node) => sum + sizeOf(node, name), 0),
  );
}
