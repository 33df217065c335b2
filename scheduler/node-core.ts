/**
 * Owns what the scheduler does about the messages of a node: reports on runs and on copies of data. Reports
 * of runs that no longer count are dropped by their run id. Pure. Must not know: connections, clients.
 */
import { assertNever, type NodeId, type RunId, type TaskKey } from '../runtime/index.ts';
import { type ActorReport, moveActors, settleActors } from './actor-reports.ts';
import { noteUnreached } from './cost.ts';
import { learnFrom } from './estimates.ts';
import { settleLeaving } from './handover-core.ts';
import { noteArrival } from './incoming-core.ts';
import { limits } from './limits.ts';
import { drop, fail, hold, loseReplica, redo, settlePlan } from './lineage-core.ts';
import { measure } from './link-model.ts';
import { onRunPaused } from './pause-core.ts';
import { keepTrace } from './progress.ts';
import type { FromNode, RunTrace } from './protocol.ts';
import { refreshClasses } from './ready-classes.ts';
import { confirmCopy, onAnnounced, onRunAnnounced } from './reunion-core.ts';
import {
  type AssignedPhase,
  isNeeded,
  type NodeRecord,
  noteLoad,
  type SchedulerState,
  send,
  type TaskRecord,
} from './scheduler-state.ts';
import { tallyResult, tallyTransfer } from './tally.ts';

type Of<T extends FromNode['type']> = Extract<FromNode, { type: T }>;

export function onNodeMessage(
  state: SchedulerState,
  node: NodeRecord,
  message: Exclude<FromNode, ActorReport>,
): void {
  switch (message.type) {
    case 'run-started': {
      const current = currentRun(state, node, message);
      if (current === undefined) return;
      current.phase.started = true;
      settlePlan(state, current.phase, node);
      return;
    }
    case 'run-paused':
    case 'run-resumed': {
      const current = currentRun(state, node, message);
      if (current !== undefined)
        onRunPaused(state, node, { ...current, paused: message.type === 'run-paused' });
      return;
    }
    case 'run-done':
      onRunDone(state, node, message);
      return;
    case 'run-failed':
      onRunFailed(state, node, message);
      return;
    case 'inputs-missing':
      onInputsMissing(state, node, message);
      return;
    case 'replica-added':
      onReplicaAdded(state, node, message);
      return;
    case 'replica-lost': {
      const task = state.tasks.get(message.key);
      const { node: id } = node.info;
      if (task !== undefined) loseReplica(state, task, id, `${id} no longer holds it`);
      return;
    }
    case 'heartbeat': {
      const { storedBytes, rssBytes, running } = message;
      node.status = { storedBytes, rssBytes, running };
      state.dirty.add(node);
      return;
    }
    case 'retiring':
      onRetiring(state, node);
      return;
    case 'run-announced':
      onRunAnnounced(state, node, message);
      return;
    case 'announced':
      onAnnounced(state, node);
      settleActors(state, node.info.node);
      return;
    default:
      assertNever(message);
      return;
  }
}

/** The task and phase of a report, unless the run was aborted, lost or replaced meanwhile. */
function currentRun(
  state: SchedulerState,
  node: NodeRecord,
  report: { readonly key: TaskKey; readonly run: RunId },
): { task: TaskRecord; phase: AssignedPhase } | undefined {
  const task = state.tasks.get(report.key);
  if (task === undefined || task.phase.name !== 'assigned') return undefined;
  const { phase } = task;
  return phase.run === report.run && phase.node === node.info.node ? { task, phase } : undefined;
}

function onRunDone(state: SchedulerState, node: NodeRecord, message: Of<'run-done'>): void {
  keepTrace(state, message.trace);
  const current = currentRun(state, node, message);
  // An aborted run that ended before it heard: the node forgets its datum when it does (see `abort`).
  if (current === undefined) return;
  const seconds = Math.max(0, message.trace.endMs - message.trace.startMs) / 1000;
  learnFrom(state, current.task, {
    seconds,
    bytes: message.bytes,
    growthBytes: growthOf(node, message.trace),
  });
  tallyResult(state.tally, current.task.spec.fn, message.bytes);
  const { bytes, inline } = message;
  const copy = { node: node.info.node, bytes };
  hold(state, current.task, inline === undefined ? copy : { ...copy, inline });
}

/** How much memory the run took, as far as the node can tell: what else ran then grew as well. */
function growthOf(node: NodeRecord, { rssBeforeBytes, rssPeakBytes }: RunTrace): number {
  if (rssBeforeBytes === undefined || rssPeakBytes === undefined) return 0;
  const runs = Math.max(1, Math.min(node.info.threads, node.assigned.size));
  return Math.max(0, rssPeakBytes - rssBeforeBytes) / runs;
}

function onRunFailed(state: SchedulerState, node: NodeRecord, message: Of<'run-failed'>): void {
  keepTrace(state, message.trace);
  const current = currentRun(state, node, message);
  if (current === undefined) return;
  const { task } = current;
  if (message.retryable && task.thrown < (task.spec.hints.retries ?? 0)) {
    task.thrown++;
    redo(state, task, `attempt ${task.thrown} threw: ${message.error.message}`);
  } else {
    fail(state, task, message.error, task.spec.key);
  }
}

function onInputsMissing(state: SchedulerState, node: NodeRecord, message: Of<'inputs-missing'>): void {
  const current = currentRun(state, node, message);
  if (current === undefined) return;
  const { task } = current;
  if (message.inputs.length > 0) task.unreachable++;
  // Take the run back first, so that it counts as one that needs its inputs.
  redo(state, task, `${node.info.node} could not get its inputs`);
  for (const { key, node: holder, reason } of message.inputs) {
    if (reason === 'unreachable') noteUnreached(state, node.info.node, holder);
    const input = state.tasks.get(key);
    if (input === undefined) continue;
    missed(state, input, { holder, gone: reason === 'absent' || task.unreachable > limits.unreachableTries });
  }
}

/** A holder did not deliver a datum. It is believed to be gone from there when the holder says so, or when
 * asking again has not helped. */
export function missed(
  state: SchedulerState,
  task: TaskRecord,
  miss: { readonly holder: NodeId; readonly gone: boolean },
): void {
  if (!miss.gone || task.phase.name !== 'held' || !task.phase.replicas.has(miss.holder)) return;
  drop(state, miss.holder, task.spec.key);
  loseReplica(state, task, miss.holder, `${miss.holder} did not deliver it`);
}

function onReplicaAdded(state: SchedulerState, node: NodeRecord, message: Of<'replica-added'>): void {
  const { node: id, site } = node.info;
  const { key, bytes, from, fetchMs } = message;
  const source = from === undefined ? undefined : state.nodes.get(from);
  if (source !== undefined)
    tallyTransfer(state.tally, { from: source.info.site, to: site }, { bytes, ms: fetchMs });
  if (source !== undefined && fetchMs !== undefined) {
    measure(state, { from: source, to: node, bytes, seconds: fetchMs / 1000 });
  }
  const task = state.tasks.get(key);
  if (task !== undefined) noteArrival(state, task, node);
  confirmCopy(node, task);
  if (task?.phase.name === 'held') {
    task.phase.replicas.add(id);
    node.held.add(task);
  } else if (task?.phase.name === 'waiting' || task?.phase.name === 'ready') {
    // Lost elsewhere, and about to be made again: a copy turns up.
    hold(state, task, { node: id, bytes });
  } else if (task?.phase.name === 'released' && isNeeded(task)) {
    // Those that need it run already; it will be missed if they must run again.
    hold(state, task, { node: id, bytes });
  } else if (task?.phase.name === 'assigned') {
    // Also one of a former life of the node that runs it: ignored, it would be left there when the run is
    // aborted. Should the run have ended, the node keeps that copy and forgets none.
    send(state, task.phase.node, { type: 'abort', run: task.phase.run });
    hold(state, task, { node: id, bytes });
  } else {
    drop(state, id, key);
  }
}

function onRetiring(state: SchedulerState, node: NodeRecord): void {
  node.retiring = true;
  for (const task of node.parked.all()) redo(state, task, `${node.info.node} is leaving`);
  noteLoad(state, node);
  refreshClasses(state);
  moveActors(state, node.info.node);
  // What was said over an earlier connection may not have come.
  node.handover = undefined;
  settleLeaving(state);
}
