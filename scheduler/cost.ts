/**
 * Owns the estimates that placement compares: how long the inputs of a task take to reach a node, when a
 * thread there is free for it, and what its users would have to move afterwards. All in seconds. Pure. Must
 * not know: which node is then chosen.
 */
import type { NodeId } from '../runtime/index.ts';
import { type Incoming, incomingAtSite, incomingTo, sourceFor } from './incoming-core.ts';
import { assumptions, limits } from './limits.ts';
import { capacityOf, interfaceRate, type Link, linkBetween, pairRate } from './link-model.ts';
import type { Pull } from './lookahead.ts';
import { runsBefore } from './ready-queue.ts';
import type { NodeRecord, SchedulerState, TaskRecord } from './scheduler-state.ts';

/** The inputs of a task as its candidates are weighed by: one pass serves them all. */
export interface Weighed {
  readonly task: TaskRecord;
  readonly total: number;
  /** Of very many inputs some stand for all, each for `scale`. */
  readonly inputs: readonly TaskRecord[];
  readonly scale: number;
  readonly seconds: number;
  /** Where what it makes will be drawn to. */
  readonly pulls: readonly Pull[];
}

export function weigh(
  task: TaskRecord,
  { seconds, pulls }: { readonly seconds: number; readonly pulls: readonly Pull[] },
): Weighed {
  let { inputs } = task;
  const step = Math.ceil(inputs.length / limits.weighedInputs);
  if (step > 1) inputs = inputs.filter((_, index) => index % step === 0);
  const scale = inputs.length === 0 ? 1 : task.inputs.length / inputs.length;
  let total = 0;
  // What is sent along with the run is everywhere.
  for (const { phase } of inputs) {
    if (phase.name === 'held' && phase.inline === undefined) total += phase.bytes * scale;
  }
  return { task, total, inputs, scale, seconds, pulls };
}

export interface Fetch {
  readonly seconds: number;
  /** Of what is to come from another site, the largest part that is on its way to this one already. */
  readonly awaited: Incoming | undefined;
}

const atHand: Fetch = { seconds: 0, awaited: undefined };

/** How long until the inputs that a node lacks are there: different lines are used at once, and what is
 * planned on a line goes first. */
export function fetchOf(state: SchedulerState, weighed: Weighed, node: NodeRecord): Fetch {
  const { node: id, site } = node.info;
  let local: Link | undefined;
  let slowest = 0;
  let near = 0;
  let far: Map<Link, number> | undefined;
  let awaited: Incoming | undefined;
  for (const input of weighed.inputs) {
    const { phase } = input;
    if (phase.name !== 'held' || phase.inline !== undefined || phase.replicas.has(id)) continue;
    const bytes = phase.bytes * weighed.scale;
    local ??= linkBetween(state, site, site);
    const coming = incomingTo(state, input, node);
    const source = coming?.from ?? sourceFor(state, input, node)!;
    if (source.info.site === site) {
      if (coming === undefined) near += bytes;
      const sender = (source.sendingBytes + bytes) / interfaceRate(source.sent, local);
      const pair = bytes / pairRate(source, node, local);
      slowest = Math.max(slowest, local.latencySeconds + Math.max(sender, pair));
      continue;
    }
    const link = linkBetween(state, source.info.site, site);
    const other = coming === undefined ? incomingAtSite(state, input, site) : undefined;
    if (other !== undefined) {
      if (awaited === undefined || other.bytes > awaited.bytes) awaited = other;
      near += bytes;
    }
    const more = coming === undefined && other === undefined ? bytes : 0;
    far ??= new Map();
    far.set(link, (far.get(link) ?? 0) + more);
    slowest = Math.max(slowest, link.latencySeconds + bytes / pairRate(source, node, link));
  }
  if (local === undefined) return atHand;
  const received = (node.receivingBytes + near) / interfaceRate(node.received, local);
  let seconds = Math.max(slowest, received);
  if (far !== undefined) {
    for (const [link, bytes] of far) {
      seconds = Math.max(seconds, link.latencySeconds + (link.plannedBytes + bytes) / capacityOf(link));
    }
  }
  return { seconds, awaited };
}

/** How long until the node has a thread for the task: nothing when one is idle; else until one of the running
 * ends, after what is queued there and goes first. */
function waitSeconds(state: SchedulerState, task: TaskRecord, node: NodeRecord): number {
  const { threads } = node.info;
  const used = node.usedThreads;
  if (used + node.parkedCount + task.needs.threads <= threads) return 0;
  let soonest = Number.POSITIVE_INFINITY;
  let running = 0;
  let seen = 0;
  // The oldest come first, so that these are what runs.
  for (const { phase } of node.assigned.values()) {
    if (phase.name !== 'assigned' || ++seen > limits.weighedRuns) break;
    if (!phase.started) continue;
    const passed = (state.now - phase.since) / 1000;
    running += phase.seconds;
    soonest = Math.min(soonest, Math.max(phase.seconds - passed, phase.seconds / 10));
  }
  let queued = Math.max(0, node.assignedSeconds - running);
  if (node.parkedCount > 0) {
    const sample = node.parked.sample(limits.weighedRuns);
    const first = sample.filter((other) => runsBefore(other, task)).length;
    if (sample.length > 0) queued += (node.parkedSeconds * first) / sample.length;
  }
  const idle = used < threads || soonest === Number.POSITIVE_INFINITY;
  return (idle ? 0 : soonest) + queued / Math.max(1, threads);
}

/** A node could not fetch from another: for a while it is not sent to do so again. */
export function noteUnreached(state: SchedulerState, node: NodeId, holder: NodeId): void {
  const { unreached } = state;
  const pair = `${node}<${holder}`;
  unreached.delete(pair);
  unreached.set(pair, state.now);
  if (unreached.size <= limits.unreachedPairs) return;
  for (const oldest of unreached.keys()) {
    unreached.delete(oldest);
    return;
  }
}

/** Whether a node lately failed to reach a holder. */
export function isUnreached(state: SchedulerState, node: NodeId, holder: NodeId): boolean {
  const since = state.unreached.get(`${node}<${holder}`);
  return since !== undefined && state.now - since < limits.unreachedMs;
}

/** Whether an input has no copy on the node and none where the node could fetch it lately. */
function lacksReach(state: SchedulerState, task: TaskRecord, node: NodeRecord): boolean {
  if (state.unreached.size === 0) return false;
  const { node: id } = node.info;
  return task.inputs.some(({ phase }) => {
    if (phase.name !== 'held' || phase.inline !== undefined || phase.replicas.has(id)) return false;
    for (const holder of phase.replicas) if (!isUnreached(state, id, holder)) return false;
    return true;
  });
}

/** What users of the result must move if it is made here and the rest of their inputs is elsewhere. */
function pullSeconds(state: SchedulerState, pulls: readonly Pull[], node: NodeRecord): number {
  let seconds = 0;
  for (const { node: other, bytes } of pulls) {
    if (other === node) continue;
    seconds += bytes / linkBetween(state, node.info.site, other.info.site).bytesPerSecond;
  }
  return seconds;
}

/** A store that is nearly full would have to spill what comes. */
function pressureSeconds(node: NodeRecord, incoming: number): number {
  const { memoryBytes } = node.info;
  if (!(memoryBytes > 0)) return 0;
  const full = (node.status.storedBytes + node.receivingBytes + incoming) / memoryBytes;
  return full <= assumptions.storePressure
    ? 0
    : (full - assumptions.storePressure) * assumptions.pressureSeconds;
}

/** What choosing a node costs, part by part. */
export interface Cost {
  readonly node: NodeRecord;
  readonly waitSeconds: number;
  readonly fetchSeconds: number;
  readonly awaited: Incoming | undefined;
  readonly pullSeconds: number;
  readonly otherSeconds: number;
  /** When the task could begin there, and what its transfers take from others. */
  readonly sum: number;
}

export function costOf(state: SchedulerState, weighed: Weighed, node: NodeRecord): Cost {
  const { task } = weighed;
  const fetch = fetchOf(state, weighed, node);
  const wait = waitSeconds(state, task, node);
  const pull = weighed.pulls.length === 0 ? 0 : pullSeconds(state, weighed.pulls, node);
  const unreached = lacksReach(state, task, node) ? assumptions.unreachedSeconds : 0;
  const other = unreached + pressureSeconds(node, fetch.seconds > 0 ? weighed.total : 0);
  const sum =
    Math.max(wait, fetch.seconds) +
    assumptions.fetchWeight * fetch.seconds +
    assumptions.pullWeight * pull +
    other;
  return {
    node,
    waitSeconds: wait,
    fetchSeconds: fetch.seconds,
    awaited: fetch.awaited,
    pullSeconds: pull,
    otherSeconds: other,
    sum,
  };
}
