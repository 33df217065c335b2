/**
 * Owns what becomes of the data of a node that is leaving: what only it holds is copied to others, and it is
 * dismissed when that is done, or has taken too long; what is then lost is made again from its lineage. Pure.
 * Must not know: how copies are made, why the node leaves.
 */
import type { NodeId } from '../runtime/index.ts';
import { limits } from './limits.ts';
import { type NodeRecord, type SchedulerState, send, type TaskRecord } from './scheduler-state.ts';

/** Looks after every node that is leaving; called when one says so, and with every tick. */
export function settleLeaving(state: SchedulerState): void {
  for (const node of state.nodes.values()) {
    if (node.retiring && node.awaySince === undefined) settle(state, node);
  }
}

function settle(state: SchedulerState, node: NodeRecord): void {
  node.handover ??= { since: state.now, ordered: new Map(), dismissed: false };
  const { handover } = node;
  if (handover.dismissed) return;
  if (state.stoppingSince === undefined) {
    const left = orderCopies(state, node, handover.ordered);
    if (node.assigned.size > 0) {
      // What runs is waited for as long as it takes: the time for copies begins after it.
      handover.since = state.now;
      return;
    }
    if (left > 0 && state.now - handover.since <= limits.handoverMs) return;
  }
  handover.dismissed = true;
  send(state, node.info.node, { type: 'dismiss' });
}

/** How many results lie on this node alone and are needed: nothing else is held. */
export function soleResults(node: NodeRecord): number {
  let count = 0;
  for (const { phase } of node.held) if (phase.name === 'held' && phase.replicas.size === 1) count++;
  return count;
}

/** Sees to it that each result which lies here alone is being copied; returns how many are on their way. */
function orderCopies(state: SchedulerState, node: NodeRecord, ordered: Map<TaskRecord, NodeId>): number {
  const heirs = [...state.nodes.values()].filter((other) => !other.retiring && other.awaySince === undefined);
  const room = new Map(heirs.map((heir) => [heir, heir.info.memoryBytes - heir.status.storedBytes]));
  const orders = new Map<NodeRecord, TaskRecord[]>();
  let left = 0;
  for (const task of node.held) {
    const { phase } = task;
    if (phase.name !== 'held' || phase.replicas.size !== 1) continue;
    const known = state.nodes.get(ordered.get(task) ?? ('' as NodeId));
    if (known !== undefined && !known.retiring) {
      left++;
      continue;
    }
    const heir = heirOf(task, { room, site: node.info.site });
    if (heir === undefined) continue;
    left++;
    ordered.set(task, heir.info.node);
    room.set(heir, room.get(heir)! - phase.bytes);
    const tasks = orders.get(heir) ?? [];
    orders.set(heir, tasks);
    tasks.push(task);
  }
  for (const [heir, tasks] of orders) tell(state, heir, { tasks, from: node });
  return left;
}

/** Who takes a result over: at the same site if there is anybody, and there the one with most room. */
function heirOf(
  task: TaskRecord,
  { room, site }: { readonly room: ReadonlyMap<NodeRecord, number>; readonly site: string },
): NodeRecord | undefined {
  let best: NodeRecord | undefined;
  for (const [heir, bytes] of room) {
    const near = heir.info.site === site;
    if (!near && task.spec.hints.stay === true) continue;
    const bestNear = best?.info.site === site;
    if (best === undefined || (near && !bestNear) || (near === bestNear && bytes > room.get(best)!))
      best = heir;
  }
  return best;
}

function tell(
  state: SchedulerState,
  heir: NodeRecord,
  { tasks, from }: { readonly tasks: readonly TaskRecord[]; readonly from: NodeRecord },
): void {
  for (let first = 0; first < tasks.length; first += limits.copiesTold) {
    const data = tasks.slice(first, first + limits.copiesTold).map(({ spec, phase }) => {
      const bytes = phase.name === 'held' ? phase.bytes : 0;
      return { key: spec.key, bytes, replicas: [from.replica] };
    });
    send(state, heir.info.node, { type: 'copy', data });
  }
}
