/**
 * Owns what the scheduler does about every event: `handle` takes the state from one event to the next and
 * returns what is to be done. Pure: no clock, no socket, no randomness; the same events give the same
 * instructions. Must not know: connections, threads, what any task computes.
 */
import { assertNever, type Millis, type NodeId } from '../runtime/index.ts';
import { loseActors, placeActors, tickActors } from './actor-core.ts';
import { doubtActors, isActorReport, onActorReport } from './actor-reports.ts';
import { failBarren, noteOffer } from './barren-core.ts';
import { forgetSome } from './client-core.ts';
import { checkDeadlines } from './deadline-core.ts';
import { settleLeaving } from './handover-core.ts';
import { isRecovering, onJournalReplayed, onRecordReplayed } from './journal-core.ts';
import type { JournalRecord } from './journal-records.ts';
import { limits } from './limits.ts';
import { fail, flushDrops, loseReplica, redo, schedulerError, walkOn } from './lineage-core.ts';
import { onNodeMessage } from './node-core.ts';
import { placeTasks } from './placement.ts';
import { tellProgress } from './progress.ts';
import type { NodeInfo } from './protocol.ts';
import { forgetNodeInClasses, refreshClasses } from './ready-classes.ts';
import { isAwayTooLong, isReturn, onReturn, setAside, waitForReturn } from './reunion-core.ts';
import { forgetIfGone, onClientJoined, onClientLost, onClientSaid, onRecorded } from './said-core.ts';
import {
  createNode,
  type Instruction,
  type NodeRecord,
  noteLoad,
  record,
  type SchedulerEvent,
  type SchedulerState,
  send,
  type TaskRecord,
} from './scheduler-state.ts';
import { tallyParting } from './tally.ts';
import { forceWindows } from './window-core.ts';

/** Takes one event in at the time `now` (which never goes back) and returns the instructions that follow. */
export function handle(state: SchedulerState, event: SchedulerEvent, now: Millis): Instruction[] {
  state.seq++;
  state.now = now;
  if (state.seq === 1) state.since = now;
  state.out = [];
  state.log.record({ seq: state.seq, now, event });
  dispatch(state, event);
  // When a turn is over, what has been given up after the placement could call for another.
  if (event.type !== 'drained') walkOn(state);
  flushDrops(state);
  return state.out;
}

function dispatch(state: SchedulerState, event: SchedulerEvent): void {
  switch (event.type) {
    case 'node-joined':
      onNodeJoined(state, event.info);
      return;
    case 'node-cut': {
      const node = state.nodes.get(event.node);
      if (node !== undefined && !waitForReturn(state, node)) onNodeLost(state, event.node, event.reason);
      return;
    }
    case 'node-lost':
      onNodeLost(state, event.node, event.reason);
      return;
    case 'from-node': {
      const node = state.nodes.get(event.node);
      // From a node that was given up: whatever it says is about runs and copies that no longer count.
      if (node === undefined) return;
      node.lastHeard = state.now;
      if (isActorReport(event.message)) onActorReport(state, node, event.message);
      else onNodeMessage(state, node, event.message);
      return;
    }
    case 'client-joined':
      onClientJoined(state, event.client, event.secret ?? '');
      return;
    case 'client-lost':
      onClientLost(state, event.client, event.broken === true);
      return;
    case 'from-client':
      onClientSaid(state, event.client, event.message);
      return;
    case 'record-replayed':
      replay(state, event.record);
      return;
    case 'journal-replayed':
      state.walks.room = state.walks.steps;
      onJournalReplayed(state);
      return;
    case 'recorded':
      onRecorded(state, event.through);
      return;
    case 'drained':
      state.walks.room = state.walks.steps;
      state.walks.unplaced = false;
      walkOn(state);
      partSome(state);
      if (state.ended.length > 0) forgetSome(state);
      if (state.stoppingSince !== undefined || isRecovering(state)) return;
      placeActors(state);
      if (state.policy === undefined) placeTasks(state);
      else state.policy.place(state);
      state.walks.room = state.walks.steps;
      return;
    case 'ticked':
      onTicked(state);
      return;
    default:
      assertNever(event);
      return;
  }
}

/** Nobody is told of what is replayed, and nothing of it is recorded again. */
function replay(state: SchedulerState, record: JournalRecord): void {
  state.replaying = true;
  // Nobody waits for the next turn, and what follows may rely on what was recorded before.
  state.walks.room = Number.POSITIVE_INFINITY;
  onRecordReplayed(state, record);
  walkOn(state);
  state.replaying = false;
  state.out = [];
  state.drops.clear();
}

function onNodeJoined(state: SchedulerState, info: NodeInfo): void {
  send(state, info.node, { type: 'welcome', epoch: state.epoch });
  const known = state.nodes.get(info.node);
  if (known !== undefined && !state.walks.parting.has(info.node) && isReturn(known, info)) {
    onReturn(state, known);
    doubtActors(state, info.node);
    state.actors.changed = true;
  } else enlist(state, info);
  if (state.stoppingSince !== undefined) send(state, info.node, { type: 'retire' });
}

function enlist(state: SchedulerState, info: NodeInfo): void {
  // The same name again: its former life is over, whether or not its connection has noticed.
  const former = state.nodes.get(info.node);
  if (former !== undefined) forgetNode(state, former, 'it joined anew');
  const node = createNode(info, state.now);
  state.nodes.set(info.node, node);
  record(state, { type: 'node-known', info });
  state.tally.nodesJoined++;
  noteOffer(state, info);
  noteLoad(state, node);
  refreshClasses(state);
  state.actors.changed = true;
  state.dirty.add(node);
}

function onNodeLost(state: SchedulerState, id: NodeId, reason: string): void {
  const node = state.nodes.get(id);
  if (node === undefined || state.walks.parting.has(id)) return;
  if (node.held.size <= state.walks.steps) {
    forgetNode(state, node, reason);
    return;
  }
  // More than one turn can see to: meanwhile it is known like one whose connection broke.
  setAside(state, node);
  state.walks.parting.set(id, reason);
}

/** A datum that is lost is looked up, given up and mostly demanded anew. */
const stepsOfLoss = 3;

/** Goes on with taking for lost what lost nodes held. */
function partSome(state: SchedulerState): void {
  const { walks } = state;
  for (const [id, reason] of walks.parting) {
    const node = state.nodes.get(id)!;
    for (const task of node.held) {
      if (walks.room <= 0) return;
      walks.room -= stepsOfLoss;
      loseReplica(state, task, id, lossOf(id, reason));
    }
    forgetNode(state, node, reason);
  }
}

function lossOf(id: NodeId, reason: string): string {
  return `node ${id} was lost: ${reason}`;
}

function forgetNode(state: SchedulerState, node: NodeRecord, reason: string): void {
  const id = node.info.node;
  const why = lossOf(id, reason);
  state.walks.parting.delete(id);
  // Data first: what is then redone finds its inputs in their true phase.
  for (const task of [...node.held]) loseReplica(state, task, id, why);
  for (const task of node.parked.all()) redo(state, task, why);
  // The only one there is suspect though nobody has heard that it began: it may have killed at once.
  const alone = node.assigned.size === 1;
  for (const task of [...node.assigned.values()]) {
    const { phase } = task;
    if (phase.name !== 'assigned') continue;
    if (!node.retiring) phase.started || alone ? task.deaths++ : task.losses++;
    if (task.deaths >= state.allowedFailures || task.losses >= limits.allowedLosses) {
      const count = Math.max(task.deaths, task.losses);
      const message = `task ${task.spec.key} was on ${count} nodes when they died: it may be what kills them`;
      fail(state, task, schedulerError('task-killed-nodes', message, task.spec.key), task.spec.key);
    } else {
      redo(state, task, why);
    }
  }
  state.nodes.delete(id);
  record(state, { type: 'node-forgotten', node: id });
  tallyParting(state.tally, node.info.node, node.retiring);
  for (const set of [state.dirty, state.idle, state.crowded]) set.delete(node);
  forgetNodeInClasses(state, node);
  loseActors(state, id, why);
  finishStopping(state);
}

function onTicked(state: SchedulerState): void {
  const { now } = state;
  if (now - state.lastTick > limits.ownStallMs) excuseSilence(state);
  state.lastTick = now;
  for (const node of [...state.nodes.values()]) {
    if (isAwayTooLong(state, node)) onNodeLost(state, node.info.node, 'its connection broke');
    else if (now - node.lastHeard > limits.nodeSilenceMs) giveUp(state, node, 'no heartbeat');
  }
  for (const [id, client] of [...state.clients]) {
    if (client.goneSince === undefined) tellProgress(state, id, client);
    else forgetIfGone(state, id, client);
  }
  forgetSome(state);
  failBarren(state);
  forceWindows(state);
  settleLeaving(state);
  checkDeadlines(state);
  for (const [task, since] of state.awaited) {
    if (now - since > limits.scatterMs) loseAwaited(state, task);
  }
  tickActors(state);
  if (state.stoppingSince !== undefined && now - state.stoppingSince > limits.shutdownMs) {
    for (const node of [...state.nodes.values()]) giveUp(state, node, 'it did not end in time');
  }
  finishStopping(state);
}

function loseAwaited(state: SchedulerState, task: TaskRecord): void {
  const message = `the data ${task.spec.key} never came to a node`;
  fail(state, task, schedulerError('data-lost', message, task.spec.key), task.spec.key);
}

/** Silence during the scheduler's own sleep says nothing about nodes and clients: what they sent in that time
 * may still be unread. */
function excuseSilence(state: SchedulerState): void {
  for (const node of state.nodes.values()) {
    node.lastHeard = state.now;
    if (node.awaySince !== undefined) node.awaySince = state.now;
  }
  for (const client of state.clients.values())
    if (client.goneSince !== undefined) client.goneSince = state.now;
  for (const kind of state.classes.values()) if (kind.barrenSince !== undefined) kind.barrenSince = state.now;
}

function giveUp(state: SchedulerState, node: NodeRecord, reason: string): void {
  state.out.push({ type: 'disconnect', node: node.info.node, reason });
  onNodeLost(state, node.info.node, reason);
}

function finishStopping(state: SchedulerState): void {
  if (state.stoppingSince === undefined || state.stopped || state.nodes.size > 0) return;
  state.stopped = true;
  state.out.push({ type: 'stop' });
}
