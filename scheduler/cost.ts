/**
 * Owns the estimates that placement compares: how long a task runs, how long its inputs take to reach a node,
 * and when a thread there is free for it. All in seconds. Pure. Must not know: which node is then chosen.
 */
import type { NodeId, SiteName } from '../runtime/index.ts';
import { assumptions, limits } from './limits.ts';
import { runsBefore } from './ready-queue.ts';
import type { Link, NodeRecord, SchedulerState, TaskRecord } from './scheduler-state.ts';

/** The line between two sites, or inside one: as measured, else as assumed. */
export function linkBetween(state: SchedulerState, from: SiteName, to: SiteName): Readonly<Link> {
  const measured = state.links.get(`${from}>${to}`);
  return measured ?? (from === to ? assumptions.inSite : assumptions.crossSite);
}

/** How long a run takes: the author's word, else the mean of the function's runs, else an assumption.
 * Bounded, so that a node's sums stay numbers whatever a client says. */
export function secondsOf(state: SchedulerState, task: TaskRecord): number {
  const { hints, fn } = task.spec;
  const hinted = hints.seconds !== undefined && hints.seconds >= 0 ? hints.seconds : undefined;
  const seconds = hinted ?? state.durations.get(fn) ?? assumptions.taskSeconds;
  return Math.min(seconds, assumptions.mostSeconds);
}

/** Where the bytes of a task's inputs lie. One pass over the inputs serves every candidate node. */
export interface InputBytes {
  readonly total: number;
  readonly byNode: ReadonlyMap<NodeId, number>;
  /** Bytes with a copy anywhere at the site. */
  readonly bySite: ReadonlyMap<SiteName, number>;
  /** Bytes by the site of the first copy: from where another site would fetch. */
  readonly bySource: ReadonlyMap<SiteName, number>;
}

export function inputBytes(state: SchedulerState, task: TaskRecord): InputBytes {
  const byNode = new Map<NodeId, number>();
  const bySite = new Map<SiteName, number>();
  const bySource = new Map<SiteName, number>();
  let total = 0;
  for (const { phase } of task.inputs) {
    // What is sent along with the run is everywhere.
    if (phase.name !== 'held' || phase.inline !== undefined) continue;
    const { bytes, replicas } = phase;
    total += bytes;
    const seen: SiteName[] = [];
    for (const id of replicas) {
      add(byNode, id, bytes);
      const site = state.nodes.get(id)?.info.site;
      if (site === undefined || seen.includes(site)) continue;
      if (seen.length === 0) add(bySource, site, bytes);
      add(bySite, site, bytes);
      seen.push(site);
    }
  }
  return { total, byNode, bySite, bySource };
}

function add<K>(sums: Map<K, number>, key: K, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

/** How long the inputs that a node lacks take to reach it: transfers over different lines overlap. */
function fetchSeconds(state: SchedulerState, inputs: InputBytes, node: NodeRecord): number {
  const { site, node: id } = node.info;
  const inSite = (inputs.bySite.get(site) ?? 0) - (inputs.byNode.get(id) ?? 0);
  let slowest = inSite > 0 ? over(linkBetween(state, site, site), inSite) : 0;
  const far = inputs.total - (inputs.bySite.get(site) ?? 0);
  if (far <= 0) return slowest;
  for (const [source, bytes] of inputs.bySource) {
    if (source === site) continue;
    slowest = Math.max(slowest, over(linkBetween(state, source, site), Math.min(bytes, far)));
  }
  return slowest;
}

function over(link: Readonly<Link>, bytes: number): number {
  return link.latencySeconds + bytes / link.bytesPerSecond;
}

/** How long until the node has a thread for the task: nothing when one is idle; else until one of the running
 * ends, after what is queued there and goes first. */
function waitSeconds(state: SchedulerState, task: TaskRecord, node: NodeRecord): number {
  const { threads } = node.info;
  const used = node.usedThreads;
  if (used + node.parkedCount + task.needs.threads <= threads) return 0;
  let soonest = Number.POSITIVE_INFINITY;
  let queued = 0;
  for (const other of node.assigned.values()) {
    const { phase } = other;
    if (phase.name !== 'assigned') continue;
    const passed = (state.now - phase.since) / 1000;
    if (phase.started) soonest = Math.min(soonest, Math.max(phase.seconds - passed, phase.seconds / 10));
    else if (runsBefore(other, task)) queued += phase.seconds;
  }
  const sample = node.parked.sample(16);
  const first = sample.filter((other) => runsBefore(other, task)).length;
  if (sample.length > 0) queued += (node.parkedSeconds * first) / sample.length;
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

/** What choosing this node costs: when the task would end there, and twice the time of its transfers, since
 * they hold up others on the same lines and estimates of waiting are poor. */
export function costOf(
  state: SchedulerState,
  task: TaskRecord,
  place: { readonly node: NodeRecord; readonly inputs: InputBytes },
): number {
  const fetch = fetchSeconds(state, place.inputs, place.node);
  const penalty = lacksReach(state, task, place.node) ? assumptions.unreachedSeconds : 0;
  return Math.max(waitSeconds(state, task, place.node), fetch) + 2 * fetch + penalty;
}
