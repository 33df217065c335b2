/**
 * Owns the choice of a node for every ready task. It works in batches and on demand: a task whose inputs have
 * bytes somewhere is parked at the node where it would end first and sent when that has room; one without
 * waits in the queue of its class (what may run it) until any node asks. An idle node takes over parked tasks
 * where that pays. Pure, with work a task that does not grow with the number of nodes. Must not know: how
 * tasks came to be ready.
 */
import { assign } from './assignment.ts';
import { bestNode } from './candidates.ts';
import { dropLate, isTooLate } from './deadline-core.ts';
import { secondsOf } from './estimates.ts';
import { planFetches } from './incoming-core.ts';
import { assumptions, limits } from './limits.ts';
import { fail, schedulerError, setPhase } from './lineage-core.ts';
import { needsOf } from './needs.ts';
import { boundSite, classOf } from './ready-classes.ts';
import { runsBefore } from './ready-queue.ts';
import { fullness, keepsTurn, wayAt } from './room.ts';
import {
  idleThreads,
  type NodeRecord,
  type ReadyClass,
  type SchedulerState,
  type TaskRecord,
  takesWork,
} from './scheduler-state.ts';
import { worthTaking } from './stealing.ts';
import { isAdmitted, takeAdmitted } from './window-core.ts';

/** Finds nodes for what has become ready and work for nodes that have room. */
export function placeTasks(state: SchedulerState): void {
  // A task that is moved may free others that waited for what it would have fetched.
  for (let round = 0; round < limits.placementRounds; round++) {
    state.walks.unplaced = state.fresh.length > state.walks.steps;
    placeOnce(state);
    if (state.fresh.length === 0 || state.walks.unplaced) return;
  }
}

function placeOnce(state: SchedulerState): void {
  const fresh = state.fresh;
  const { steps } = state.walks;
  state.fresh = fresh.length > steps ? fresh.splice(steps) : [];
  const filled = new Set<ReadyClass>();
  for (const task of fresh) {
    if (task.phase.name === 'ready' && task.phase.parked === undefined) admit(state, task, filled);
  }
  for (const task of takeAdmitted(state)) admit(state, task, filled);
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
    while (idleThreads(thief) > 0 && takeOver(state, thief));
  }
}

/** Parks a task that has just become ready at its best node, queues it with its class, or has it wait for a
 * copy of an input that is on its way to the best site. */
function admit(state: SchedulerState, task: TaskRecord, filled: Set<ReadyClass>): void {
  const site = boundSite(state, task);
  if (site === 'conflict') {
    const message = `task ${task.spec.key} takes data that must stay at a site other than its own`;
    fail(state, task, schedulerError('stay-conflict', message, task.spec.key), task.spec.key);
    return;
  }
  const { hints } = task.spec;
  if (hints.orNeeds !== undefined) task.needs = needsOf(hints);
  const kind = classOf(state, task, site);
  if (task.phase.name !== 'ready' || !isAdmitted(state, task)) return;
  const bound = task.spec.hints.together !== undefined || hasBytes(task);
  const best = bound ? bestNode(state, task, kind) : undefined;
  if (best === undefined) {
    kind.queue.push(task, task.phase);
    filled.add(kind);
  } else if (best.awaited !== undefined) {
    best.awaited.waiting.push({ task, phase: task.phase });
  } else {
    park(state, task, best.node);
  }
}

function hasBytes({ inputs }: TaskRecord): boolean {
  return inputs.some(({ phase }) => phase.name === 'held' && phase.inline === undefined && phase.bytes > 0);
}

export function park(state: SchedulerState, task: TaskRecord, node: NodeRecord): void {
  const plan = planFetches(state, task, node);
  const phase = { name: 'ready', parked: node.info.node, seconds: secondsOf(state, task), plan } as const;
  setPhase(state, task, phase, `best on ${node.info.node}`);
  node.parked.push(task, phase);
}

/** Sends the node the first task that it should run and has room for; false when there is none. A task of
 * several threads keeps what it waits for from those that come after it. */
function giveNext(state: SchedulerState, node: NodeRecord, ahead: boolean): boolean {
  const pressed =
    node.usedThreads > 0 && node.status.storedBytes > assumptions.storePressure * node.info.memoryBytes;
  const heads = [node.parked.peek()];
  if (!pressed) for (const kind of node.classes) heads.push(kind.queue.peek());
  let next: TaskRecord | undefined;
  for (const head of heads) {
    if (head === undefined) continue;
    if (isTooLate(state, head)) {
      dropLate(state, head);
      return true;
    }
    if (ahead && head.spec.hints.dropIfLate === true) continue;
    const fits = wayAt(state, node, { task: head, ahead }) !== undefined;
    if (!fits && !keepsTurn(state, node, head)) continue;
    if (next === undefined || runsBefore(head, next)) next = head;
  }
  const way = next === undefined ? undefined : wayAt(state, node, { task: next, ahead });
  if (next === undefined || way === undefined) return false;
  next.needs = way;
  assign(state, next, node);
  return true;
}

/** An idle node takes a task from a busy one. */
function takeOver(state: SchedulerState, thief: NodeRecord): boolean {
  const task = worthTaking(state, thief);
  if (task === undefined) return false;
  park(state, task, thief);
  return giveNext(state, thief, false);
}
