/**
 * Owns the choice of a node for every ready task. It works in batches and on demand: a task whose inputs have
 * bytes somewhere is parked at the node where it would end first and sent when that has room; one without
 * waits in the queue of its class (what may run it) until any node asks. An idle node takes over parked tasks
 * where that pays. Pure, with work a task that does not grow with the number of nodes. Must not know: how
 * tasks came to be ready.
 */
import type { NodeId } from '../runtime/index.ts';
import { assign } from './assignment.ts';
import { costOf, type InputBytes, inputBytes, secondsOf } from './cost.ts';
import { dropLate, isTooLate } from './deadline-core.ts';
import { assumptions, limits } from './limits.ts';
import { fail, schedulerError, setPhase } from './lineage-core.ts';
import { boundSite, classOf, resourcesFree } from './ready-classes.ts';
import { runsBefore } from './ready-queue.ts';
import {
  idleThreads,
  type NodeRecord,
  type ReadyClass,
  type SchedulerState,
  type TaskRecord,
  takesWork,
} from './scheduler-state.ts';

/** Finds nodes for what has become ready and work for nodes that have room. */
export function placeTasks(state: SchedulerState): void {
  const fresh = state.fresh;
  state.fresh = [];
  const filled = new Set<ReadyClass>();
  for (const task of fresh) {
    if (task.phase.name === 'ready' && task.phase.parked === undefined) admit(state, task, filled);
  }
  for (const kind of filled) for (const node of state.idle) if (kind.nodes.has(node)) state.dirty.add(node);
  const open = [...state.dirty].filter(takesWork);
  state.dirty.clear();
  // Idle threads first, everywhere; only then work ahead of need.
  for (const ahead of [false, true]) {
    let asking = open.toSorted((a, b) => fullness(a) - fullness(b));
    while (asking.length > 0) asking = asking.filter((node) => giveNext(state, node, ahead));
  }
  if (state.crowded.size === 0) return;
  for (const thief of [...state.idle].slice(0, limits.stealNodes)) {
    while (idleThreads(thief) > 0 && takeOver(state, thief) && giveNext(state, thief, false));
  }
}

/** Parks a task that has just become ready at its best node, or queues it with its class. */
function admit(state: SchedulerState, task: TaskRecord, filled: Set<ReadyClass>): void {
  const site = boundSite(state, task);
  if (site === 'conflict') {
    const message = `task ${task.spec.key} takes data that must stay at a site other than its own`;
    fail(state, task, schedulerError('stay-conflict', message, task.spec.key), task.spec.key);
    return;
  }
  const kind = classOf(state, task, site);
  const inputs = inputBytes(state, task);
  const bound = inputs.total > 0 || task.spec.hints.together !== undefined;
  const best = bound ? bestNode(state, task, { kind, inputs }) : undefined;
  if (best !== undefined) {
    park(state, task, best);
    return;
  }
  if (task.phase.name !== 'ready') return;
  kind.queue.push(task, task.phase);
  filled.add(kind);
}

function park(state: SchedulerState, task: TaskRecord, node: NodeRecord): void {
  const phase = { name: 'ready', parked: node.info.node, seconds: secondsOf(state, task) } as const;
  setPhase(state, task, phase, `best on ${node.info.node}`);
  node.parked.push(task, phase);
}

/** Nodes worth weighing: those that hold most of the inputs, and a few of each site in turn. */
function candidates(kind: ReadyClass, inputs: InputBytes, state: SchedulerState): Set<NodeRecord> {
  const found = new Set<NodeRecord>();
  const holders = [...inputs.byNode].sort((a, b) => b[1] - a[1]);
  for (const [id] of holders.slice(0, limits.holderCandidates)) {
    const node = state.nodes.get(id)!;
    if (kind.nodes.has(node)) found.add(node);
  }
  for (const list of kind.bySite.values()) {
    for (let step = 0; step < Math.min(limits.siteCandidates, list.length); step++) {
      found.add(list[(kind.turn + step) % list.length]!);
    }
  }
  kind.turn++;
  return found;
}

function bestNode(
  state: SchedulerState,
  task: TaskRecord,
  { kind, inputs }: { readonly kind: ReadyClass; readonly inputs: InputBytes },
): NodeRecord | undefined {
  let best: NodeRecord | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const node of candidates(kind, inputs, state)) {
    const cost = costOf(state, task, { node, inputs }) + fullness(node) * 1e-6;
    if (cost < least) {
      best = node;
      least = cost;
    }
  }
  const { together } = task.spec.hints;
  if (together === undefined || best === undefined) return best;
  const usual = state.nodes.get(state.groups.get(together) ?? ('' as NodeId));
  // A group stays together unless that costs more than the task itself takes.
  if (usual !== undefined && kind.nodes.has(usual)) {
    if (costOf(state, task, { node: usual, inputs }) <= least + secondsOf(state, task)) return usual;
  }
  state.groups.delete(together);
  state.groups.set(together, best.info.node);
  for (const oldest of state.groups.keys()) {
    if (state.groups.size <= limits.groups) break;
    state.groups.delete(oldest);
  }
  return best;
}

function fullness(node: NodeRecord): number {
  return (node.usedThreads + node.parkedCount) / Math.max(1, node.info.threads);
}

/** Whether the node has threads for the task now; `ahead`: also when it would not begin at once. */
function hasThreads(node: NodeRecord, task: TaskRecord, ahead: boolean): boolean {
  const after = node.usedThreads + task.needs.threads;
  const { threads } = node.info;
  if (after <= threads) return true;
  if (!ahead) return false;
  // Inputs from elsewhere are fetched while others run; short tasks follow one another without a gap.
  const extra = task.inputs.length > 0 ? Math.max(1, Math.ceil(threads / 4)) : 0;
  if (after <= threads + extra) return true;
  return (
    node.assignedSeconds < assumptions.aheadSeconds * threads && after <= assumptions.aheadTasks * threads
  );
}

/** Sends the node the first task that it should run and has room for; false when there is none. A task of
 * several threads keeps what it waits for from those that come after it. */
function giveNext(state: SchedulerState, node: NodeRecord, ahead: boolean): boolean {
  const pressed =
    node.assigned.size > 0 && node.status.storedBytes > assumptions.storePressure * node.info.memoryBytes;
  const heads = [node.parked.peek()];
  if (!pressed) for (const kind of node.classes) heads.push(kind.queue.peek());
  let next: TaskRecord | undefined;
  for (const head of heads) {
    if (head === undefined || !resourcesFree(node, head)) continue;
    if (isTooLate(state, head)) {
      dropLate(state, head);
      return true;
    }
    if (ahead && head.spec.hints.dropIfLate === true) continue;
    const wide = head.needs.threads > 1;
    if (!wide && !hasThreads(node, head, ahead)) continue;
    if (next === undefined || runsBefore(head, next)) next = head;
  }
  if (next === undefined || !hasThreads(node, next, ahead)) return false;
  assign(state, next, node);
  return true;
}

/** Moves a task that is parked at a busy node to an idle one, if it would begin there sooner by more than it
 * costs to bring its inputs. */
function takeOver(state: SchedulerState, thief: NodeRecord): boolean {
  let best: TaskRecord | undefined;
  let most = 0.001;
  const victims = [...state.crowded].slice(0, limits.stealNodes).filter((node) => node !== thief);
  for (const victim of victims) {
    for (const task of victim.parked.sample(limits.stealTasks)) {
      const site = boundSite(state, task);
      if (site === 'conflict' || !classOf(state, task, site).nodes.has(thief)) continue;
      if (!resourcesFree(thief, task) || !hasThreads(thief, task, false)) continue;
      const inputs = inputBytes(state, task);
      const gain =
        costOf(state, task, { node: victim, inputs }) - costOf(state, task, { node: thief, inputs });
      if (gain > most) {
        best = task;
        most = gain;
      }
    }
  }
  if (best === undefined) return false;
  park(state, best, thief);
  return true;
}
