/**
 * Owns the choice of the best node for one task among a few worth weighing: those that hold most of its
 * inputs, idle ones, and some of each site in turn; never all nodes. Pure. Must not know: queues.
 */
import type { NodeId } from '../runtime/index.ts';
import { type Cost, costOf, type Weighed, weigh } from './cost.ts';
import { secondsOf } from './estimates.ts';
import { assumptions, limits } from './limits.ts';
import { pullsOf } from './lookahead.ts';
import { fullness } from './room.ts';
import type { NodeRecord, ReadyClass, SchedulerState, TaskRecord } from './scheduler-state.ts';
import { togetherWord } from './together.ts';

export function weighed(state: SchedulerState, task: TaskRecord): Weighed {
  return weigh(task, { seconds: secondsOf(state, task), pulls: pullsOf(state, task) });
}

function addHolders(state: SchedulerState, { inputs }: Weighed, found: Set<NodeRecord>): void {
  if (inputs.length <= limits.holderCandidates) {
    for (const { phase } of inputs) {
      if (phase.name !== 'held' || phase.inline !== undefined) continue;
      let few = 0;
      for (const id of phase.replicas) {
        found.add(state.nodes.get(id)!);
        if (++few === limits.holderCandidates) break;
      }
    }
    return;
  }
  const bytes = new Map<NodeId, number>();
  for (const { phase } of inputs) {
    if (phase.name !== 'held' || phase.inline !== undefined) continue;
    for (const id of phase.replicas) bytes.set(id, (bytes.get(id) ?? 0) + phase.bytes);
  }
  const most = [...bytes].sort((a, b) => b[1] - a[1]).slice(0, limits.holderCandidates);
  for (const [id] of most) found.add(state.nodes.get(id)!);
}

/** All that are weighed for a task; some may not be allowed to run it. */
function candidates(state: SchedulerState, weighed: Weighed, kind: ReadyClass): Set<NodeRecord> {
  const found = new Set<NodeRecord>();
  addHolders(state, weighed, found);
  for (const { node } of weighed.pulls) found.add(node);
  // Small inputs are anywhere at once: less depends on the choice than it costs to look at many.
  const light = weighed.total < assumptions.latencyBytes;
  let left = light ? 1 : limits.idleCandidates;
  for (const node of state.idle) {
    if (left-- === 0) break;
    found.add(node);
  }
  const ofSite = light ? 1 : limits.siteCandidates;
  for (const list of kind.bySite.values()) {
    for (let step = 0; step < Math.min(ofSite, list.length); step++) {
      found.add(list[(kind.turn + step) % list.length]!);
    }
  }
  kind.turn++;
  return found;
}

/** What every candidate would cost, in no order. */
export function costsOf(state: SchedulerState, task: TaskRecord, kind: ReadyClass): Cost[] {
  const all = weighed(state, task);
  const costs: Cost[] = [];
  for (const node of candidates(state, all, kind)) {
    if (kind.nodes.has(node)) costs.push(costOf(state, all, node));
  }
  return costs;
}

/** The node where the task is best placed, if any may run it. */
export function bestNode(state: SchedulerState, task: TaskRecord, kind: ReadyClass): Cost | undefined {
  let best: Cost | undefined;
  let least = Number.POSITIVE_INFINITY;
  const all = weighed(state, task);
  for (const node of candidates(state, all, kind)) {
    if (!kind.nodes.has(node)) continue;
    const cost = costOf(state, all, node);
    const sum = cost.sum + fullness(node) * 1e-6;
    if (sum >= least) continue;
    best = cost;
    least = sum;
  }
  const together = togetherWord(state, task);
  if (together === undefined || best === undefined) return best;
  const usual = state.nodes.get(state.groups.get(together) ?? ('' as NodeId));
  // A group stays together unless that costs more than the task itself takes.
  if (usual !== undefined && kind.nodes.has(usual)) {
    const there = costOf(state, all, usual);
    if (there.sum <= least + all.seconds) return { ...there, awaited: undefined };
  }
  state.groups.delete(together);
  state.groups.set(together, best.node.info.node);
  for (const oldest of state.groups.keys()) {
    if (state.groups.size <= limits.groups) break;
    state.groups.delete(oldest);
  }
  return { ...best, awaited: undefined };
}
