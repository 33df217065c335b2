/**
 * Owns what the scheduler does when the connection of a node breaks and the node comes back: for a short
 * while nothing is taken for lost; then the node says what it holds and runs, and what it does not name is
 * lost. Runs that another scheduler gave are adopted. Pure. Must not know: connections.
 */
import type { RunId } from '../runtime/index.ts';
import { footprintOf, secondsOf } from './estimates.ts';
import { nothingPlanned, planFetches } from './incoming-core.ts';
import { limits } from './limits.ts';
import { loseReplica, redo, retire, setPhase, settlePlan } from './lineage-core.ts';
import type { FromNode, NodeInfo } from './protocol.ts';
import { refreshClasses, resourcesFree } from './ready-classes.ts';
import {
  isActive,
  isNeeded,
  type NodeRecord,
  noteLoad,
  type SchedulerState,
  send,
  type TaskRecord,
} from './scheduler-state.ts';

type RunAnnounced = Extract<FromNode, { readonly type: 'run-announced' }>;

/** The connection of a node broke. False if there is nothing to wait for: a node that does not say what it
 * has when it returns, or that ends without its scheduler. */
export function waitForReturn(state: SchedulerState, node: NodeRecord): boolean {
  if (node.info.announces !== true || node.retiring) return false;
  if (node.awaySince === undefined) setAside(state, node);
  return true;
}

/** What it has stays, and it is given nothing more. */
export function setAside(state: SchedulerState, node: NodeRecord): void {
  node.awaySince ??= state.now;
  node.unconfirmed = undefined;
  for (const task of node.parked.all()) redo(state, task, `node ${node.info.node} is cut off`);
  noteLoad(state, node);
  refreshClasses(state);
}

export function isAwayTooLong(state: SchedulerState, node: NodeRecord): boolean {
  const { recoveringSince, now } = state;
  const graceMs = recoveringSince === undefined ? limits.awayMs : limits.recoveryMs;
  return node.awaySince !== undefined && now - node.awaySince > graceMs;
}

/** Whether a node that joins is one that the scheduler knows, in the same life. */
export function isReturn(known: NodeRecord, { url, pid, announces }: NodeInfo): boolean {
  return announces === true && !known.retiring && known.info.url === url && known.info.pid === pid;
}

/** A node is there again: everything is as it was, once it has said so. */
export function onReturn(state: SchedulerState, node: NodeRecord): void {
  node.awaySince = undefined;
  node.lastHeard = state.now;
  node.unconfirmed = { held: new Set(node.held), runs: new Set(node.assigned.keys()), named: new Set() };
  for (const task of node.parked.all()) redo(state, task, `node ${node.info.node} joined again`);
  noteLoad(state, node);
  refreshClasses(state);
}

/** A run goes on at a node: as was believed, or one that another scheduler gave. One too many is ended. */
export function onRunAnnounced(state: SchedulerState, node: NodeRecord, message: RunAnnounced): void {
  const { key, run, started } = message;
  const { node: id } = node.info;
  // After the last word, or the second time: a repetition, of a run that may have ended since.
  if (node.unconfirmed === undefined || node.unconfirmed.named.has(run)) return;
  node.unconfirmed.named.add(run);
  node.unconfirmed.runs.delete(run);
  const task = state.tasks.get(key);
  const phase = task?.phase;
  if (phase?.name === 'assigned' && phase.run === run && phase.node === id) {
    phase.started ||= started;
    if (started) settlePlan(state, phase, node);
    return;
  }
  const awaits = phase?.name === 'waiting' || phase?.name === 'ready';
  if (task === undefined || !awaits || node.retiring || !resourcesFree(state, node, task)) {
    send(state, id, { type: 'abort', run });
    return;
  }
  const seconds = secondsOf(state, task);
  const memoryBytes = footprintOf(state, task);
  const plan = started ? nothingPlanned : planFetches(state, task, node);
  setPhase(
    state,
    task,
    { name: 'assigned', node: id, run, since: state.now, seconds, started, memoryBytes, plan },
    `run ${run} goes on at ${id}`,
  );
  if (started) spareInputs(state, task);
}

/** What a run that has begun takes in is on its node: it need not be made for its sake. */
function spareInputs(state: SchedulerState, task: TaskRecord): void {
  const stack = [...task.inputs];
  for (let input = stack.pop(); input !== undefined; input = stack.pop()) {
    const { name } = input.phase;
    if (name !== 'waiting' && name !== 'ready') continue;
    if (!isNeeded(input)) {
      retire(state, [input]);
      continue;
    }
    if (input.wantedBy.size > 0 || [...input.dependents].some(waitsForInputs)) continue;
    setPhase(state, input, { name: 'released' }, 'those who need it run already');
    stack.push(...input.inputs);
  }
}

function waitsForInputs(user: TaskRecord): boolean {
  return isActive(user) && !(user.phase.name === 'assigned' && user.phase.started);
}

/** The node has named all that it has. */
export function onAnnounced(state: SchedulerState, node: NodeRecord): void {
  const { unconfirmed } = node;
  if (unconfirmed === undefined) return;
  node.unconfirmed = undefined;
  const { node: id } = node.info;
  // Data first: what is then redone finds its inputs in their true phase.
  for (const task of unconfirmed.held) loseReplica(state, task, id, `${id} came back without it`);
  for (const run of unconfirmed.runs) forgetRun(state, node, run);
  noteLoad(state, node);
  refreshClasses(state);
  state.dirty.add(node);
}

/** The order, or the report of its end, was lost with the connection. */
function forgetRun(state: SchedulerState, node: NodeRecord, run: RunId): void {
  const task = node.assigned.get(run);
  if (task !== undefined) redo(state, task, `${node.info.node} came back without run ${run}`);
}

/** A node that announces names a copy: it is not lost. */
export function confirmCopy(node: NodeRecord, task: TaskRecord | undefined): void {
  if (task !== undefined) node.unconfirmed?.held.delete(task);
}
