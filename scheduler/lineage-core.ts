/**
 * Owns the life of tasks: every change of phase with all its bookkeeping, and how need, results, losses and
 * failures spread along the graph. Pure, and without recursion over tasks: chains may be 100,000 long. Must
 * not know: messages beyond those it sends, where tasks should run.
 */
import { FewSet, type NodeId, type TaskKey } from '../runtime/index.ts';
import { flawOf, schedulerError } from './flaw-core.ts';
import { nothingPlanned, unplan } from './incoming-core.ts';
import { letGo } from './keeper-core.ts';
import { limits } from './limits.ts';
import type { WireError } from './protocol.ts';
import { noteForgotten } from './quota-core.ts';
import {
  type AssignedPhase,
  type FailedPhase,
  type HeldPhase,
  isActive,
  isNeeded,
  type NodeRecord,
  noteLoad,
  notify,
  type ReadyPhase,
  record,
  type SchedulerState,
  send,
  type TaskPhase,
  type TaskRecord,
} from './scheduler-state.ts';
import { noteWindow } from './window-state.ts';

export { schedulerError };

/** Moves a task to another phase and keeps every derived figure true: counts, waiters of its inputs, load of
 * nodes, progress of its owner. `detail` is for `story`, where the new phase does not tell it itself. */
export function setPhase(state: SchedulerState, task: TaskRecord, phase: TaskPhase, detail: string): void {
  const wasActive = isActive(task);
  leave(state, task);
  const from = task.phase.name;
  state.counts[from]--;
  state.counts[phase.name]++;
  task.phase = phase;
  enter(state, task);
  if (task.spec.hints.maxInFlight !== undefined) noteWindow(state, task);
  const active = isActive(task);
  if (active !== wasActive) {
    const step = active ? 1 : -1;
    for (const input of task.inputs) input.waiters += step;
    countProgress(state, task, active);
  }
  state.transitions.record(state, task.spec.key, { from, phase, detail });
}

function leave(state: SchedulerState, task: TaskRecord): void {
  const { phase } = task;
  if (phase.name === 'ready' && phase.parked !== undefined) {
    const node = state.nodes.get(phase.parked);
    if (node === undefined) return;
    unplan(state, phase.plan);
    node.parkedCount--;
    node.parkedSeconds = node.parkedCount === 0 ? 0 : node.parkedSeconds - phase.seconds;
    noteLoad(state, node);
  } else if (phase.name === 'assigned') {
    const node = state.nodes.get(phase.node);
    if (node === undefined) return;
    settlePlan(state, phase, node);
    node.assigned.delete(phase.run);
    node.assignedSeconds = node.assigned.size === 0 ? 0 : node.assignedSeconds - phase.seconds;
    const empty = node.assigned.size === 0;
    node.reservedBytes = empty ? 0 : node.reservedBytes - phase.memoryBytes;
    node.usedThreads = empty ? 0 : node.usedThreads - (phase.paused === true ? 0 : task.needs.threads);
    for (const [name, amount] of task.needs.named) {
      node.used.set(name, empty ? 0 : (node.used.get(name) ?? 0) - amount);
    }
    noteLoad(state, node);
    state.dirty.add(node);
  } else if (phase.name === 'held') {
    for (const id of phase.replicas) state.nodes.get(id)?.held.delete(task);
    state.inlineBytes -= phase.inline?.byteLength ?? 0;
  }
}

/** A run has begun, or will not: nothing more is fetched for it. */
export function settlePlan(state: SchedulerState, phase: AssignedPhase, node: NodeRecord): void {
  if (phase.plan.length === 0) return;
  node.fetchingRuns--;
  unplan(state, phase.plan);
  phase.plan = nothingPlanned;
}

function enter(state: SchedulerState, task: TaskRecord): void {
  const { phase } = task;
  if (phase.name === 'ready') {
    const node = phase.parked === undefined ? undefined : state.nodes.get(phase.parked);
    if (node === undefined) return;
    node.parkedCount++;
    node.parkedSeconds += phase.seconds;
    noteLoad(state, node);
    state.dirty.add(node);
  } else if (phase.name === 'assigned') {
    const node = state.nodes.get(phase.node)!;
    if (phase.plan.length > 0) node.fetchingRuns++;
    node.assigned.set(phase.run, task);
    node.assignedSeconds += phase.seconds;
    node.reservedBytes += phase.memoryBytes;
    node.usedThreads += task.needs.threads;
    for (const [name, amount] of task.needs.named) node.used.set(name, (node.used.get(name) ?? 0) + amount);
    noteLoad(state, node);
  } else if (phase.name === 'held') {
    for (const id of phase.replicas) state.nodes.get(id)?.held.add(task);
    state.inlineBytes += phase.inline?.byteLength ?? 0;
  }
}

function countProgress(state: SchedulerState, task: TaskRecord, active: boolean): void {
  const client = active ? state.clients.get(task.owner) : task.countedIn;
  task.countedIn = active ? client : undefined;
  if (client === undefined) return;
  const { fn } = task.spec;
  const row = client.byFunction.get(fn) ?? { done: 0, total: 0 };
  client.byFunction.set(fn, row);
  if (active) {
    client.total++;
    row.total++;
  } else if (task.phase.name === 'released') {
    // Given up before it ended: it no longer counts as work.
    client.total--;
    row.total--;
  } else {
    client.done++;
    row.done++;
  }
}

function makeReady(state: SchedulerState, task: TaskRecord): void {
  const phase: ReadyPhase = { name: 'ready', parked: undefined, seconds: 0, plan: nothingPlanned };
  setPhase(state, task, phase, 'all inputs are held');
  state.fresh.push(task);
}

/** Sees to it that a needed task will be made, and all that it takes. Changes nothing for one that is active,
 * held or failed already, or that nobody needs. */
export function demand(state: SchedulerState, root: TaskRecord, why: string): void {
  // At once, whatever is left to do: whoever asked for it may rely on that.
  if (root.phase.name === 'released' && isNeeded(root)) settle(state, root, why, why);
  demandSome(state);
}

/** Goes on with what is to be demanded, for as long as this turn has room. */
function demandSome(state: SchedulerState): void {
  const { walks } = state;
  while (walks.room > 0) {
    const task = walks.demanded.pop();
    if (task === undefined) return;
    const why = walks.reasons.pop()!;
    walks.room--;
    // It may have been come to by another way; a failure found meanwhile may have taken the need away.
    if (task.phase.name === 'released' && isNeeded(task)) settle(state, task, why, why);
  }
}

/** Takes a task whose attempt ended without a result, or that is needed for the first time, back to the
 * phase that its inputs allow. Those of them that are to be demanded are so in what follows, `whyInputs`. */
function settle(state: SchedulerState, task: TaskRecord, why: string, whyInputs: string): void {
  const { walks } = state;
  const flaw = flawOf(state, task);
  if (flaw !== undefined) {
    fail(state, task, flaw, task.spec.key);
    return;
  }
  if (task.spec.scattered === true) {
    awaitData(state, task, why);
    return;
  }
  let missing = 0;
  let failed: FailedPhase | undefined;
  for (const { phase } of task.inputs) {
    if (phase.name !== 'held') missing++;
    if (phase.name === 'failed') failed ??= phase;
  }
  walks.room -= task.inputs.length;
  setPhase(state, task, { name: 'waiting', missing }, why);
  if (failed !== undefined) {
    fail(state, task, failed.error, failed.culprit);
    return;
  }
  if (missing === 0) makeReady(state, task);
  for (const input of task.inputs) {
    if (input.phase.name !== 'released') continue;
    walks.demanded.push(input);
    walks.reasons.push(whyInputs);
  }
}

/** What no run makes comes once, from a client. */
function awaitData(state: SchedulerState, task: TaskRecord, why: string): void {
  setPhase(state, task, { name: 'waiting', missing: 1 }, why);
  if (task.arrived) {
    const message = `the data ${task.spec.key} are lost: they were scattered, and no run can make them again`;
    fail(state, task, schedulerError('data-lost', message, task.spec.key), task.spec.key);
  } else {
    state.awaited.set(task, state.now);
  }
}

/** Another attempt at a needed task. */
export function redo(state: SchedulerState, task: TaskRecord, why: string): void {
  settle(state, task, why, 'a dependent is run again');
  demandSome(state);
}

interface Copy {
  readonly node: NodeId;
  readonly bytes: number;
  /** The datum itself, if the node sent it along. */
  readonly inline?: Uint8Array;
}

/** Whether a small datum is kept here beside the nodes: while there is room for it. */
function keptInline(state: SchedulerState, inline: Uint8Array | undefined): Uint8Array | undefined {
  if (inline === undefined || inline.byteLength > limits.inlineBytes) return undefined;
  return state.inlineBytes + inline.byteLength <= limits.inlineTotalBytes ? inline : undefined;
}

/** A result has come to lie on a node: dependents may run, clients are told, inputs may go. */
export function hold(state: SchedulerState, task: TaskRecord, copy: Copy): void {
  const { node, bytes } = copy;
  const inline = keptInline(state, copy.inline);
  const phase: HeldPhase = { name: 'held', replicas: new FewSet(node), bytes, inline };
  setPhase(state, task, phase, '');
  // It can be made: what went wrong before says nothing about the next time that it must be.
  Object.assign(task, { thrown: 0, deaths: 0, losses: 0, unreachable: 0 });
  for (const dependent of task.dependents) {
    if (dependent.phase.name === 'waiting' && --dependent.phase.missing === 0) {
      dependent.readiedBy = task.spec.key;
      makeReady(state, dependent);
    }
  }
  task.arrived = true;
  state.awaited.delete(task);
  tellHeld(state, task, task.wantedBy);
  letGo(state, task);
  state.walks.room -= task.inputs.length;
  noteLoose(state, [task]);
  retire(state, task.inputs);
}

/** A small datum itself, for a message that names where it lies. */
export function inlineOf({ inline }: HeldPhase): { readonly inline?: Uint8Array } {
  return inline === undefined ? {} : { inline };
}

export function tellHeld(
  state: SchedulerState,
  task: TaskRecord,
  clients: Pick<TaskRecord['wantedBy'], 'size' | typeof Symbol.iterator>,
): void {
  const { phase, spec } = task;
  // Most results are wanted by no client, only by other tasks.
  if (phase.name !== 'held' || clients.size === 0) return;
  const named = [...phase.replicas].slice(0, limits.replicasNamed);
  const replicas = named.map((node) => state.nodes.get(node)!.replica);
  for (const client of clients) {
    notify(state, client, { type: 'held', key: spec.key, bytes: phase.bytes, replicas, ...inlineOf(phase) });
  }
}

/** A copy is gone. Without any left the task is made again if somebody other than a run that has already
 * begun needs it; such a run has fetched it, or says `inputs-missing`. */
export function loseReplica(state: SchedulerState, task: TaskRecord, node: NodeId, why: string): void {
  const { phase } = task;
  if (phase.name !== 'held' || !phase.replicas.delete(node)) return;
  state.nodes.get(node)?.held.delete(task);
  if (phase.replicas.size > 0) return;
  setPhase(state, task, { name: 'released' }, why);
  let missed = task.wantedBy.size > 0;
  for (const dependent of task.dependents) {
    if (dependent.phase.name === 'waiting') {
      dependent.phase.missing++;
      missed = true;
    } else if (dependent.phase.name === 'ready') {
      setPhase(state, dependent, { name: 'waiting', missing: 1 }, `lost its input ${task.spec.key}`);
      missed = true;
    }
  }
  if (missed) demand(state, task, why);
  else retire(state, [task]);
}

/** Ends a task with an error, and all that wait for it. */
export function fail(state: SchedulerState, root: TaskRecord, error: WireError, culprit: TaskKey): void {
  record(state, { type: 'task-failed', key: root.spec.key, error, culprit });
  const stack = [root];
  const loose: TaskRecord[] = [];
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    if (task.phase.name === 'failed') continue;
    setPhase(
      state,
      task,
      { name: 'failed', error, culprit },
      `${error.code ?? error.name}: ${error.message}`,
    );
    state.awaited.delete(task);
    for (const client of task.wantedBy) tellFailed(state, task, client);
    letGo(state, task);
    for (const dependent of task.dependents) {
      if (dependent.phase.name === 'waiting' || dependent.phase.name === 'ready') stack.push(dependent);
    }
    loose.push(task);
    for (const input of task.inputs) loose.push(input);
  }
  retire(state, loose);
}

export function tellFailed(state: SchedulerState, task: TaskRecord, client: TaskRecord['owner']): void {
  const { phase, spec } = task;
  if (phase.name !== 'failed') return;
  const { serial } = state.clients.get(client) ?? {};
  const { error, culprit } = phase;
  notify(state, client, {
    type: 'failed',
    key: spec.key,
    error,
    culprit,
    ...(serial === undefined ? {} : { serial }),
  });
}

/** Gives up those of `candidates` that nobody needs: runs are aborted, data dropped, and records that no
 * other record's lineage includes are forgotten; then the same for their inputs. */
export function retire(state: SchedulerState, candidates: readonly TaskRecord[]): void {
  noteLoose(state, candidates);
  retireSome(state);
}

function noteLoose({ walks }: SchedulerState, candidates: readonly TaskRecord[]): void {
  // Of what is needed now, whoever takes the need away says so again.
  for (const task of candidates) if (!isNeeded(task)) walks.loose.push(task);
}

/** Goes on with walks over the graph that were too long for what came before. */
export function walkOn(state: SchedulerState): void {
  demandSome(state);
  retireSome(state);
}

function retireSome(state: SchedulerState): void {
  const { walks } = state;
  const stack = walks.loose;
  // What is still to be demanded may need what seems to be needed by nobody.
  while (walks.room > 0 && walks.demanded.length === 0) {
    const task = stack.pop();
    if (task === undefined) return;
    walks.room -= 1 + task.inputs.length;
    if (isNeeded(task) || state.tasks.get(task.spec.key) !== task) continue;
    const { phase } = task;
    if (phase.name === 'assigned') send(state, phase.node, { type: 'abort', run: phase.run });
    if (phase.name === 'held') for (const node of phase.replicas) drop(state, node, task.spec.key);
    if (phase.name !== 'released') {
      const wasActive = isActive(task);
      setPhase(state, task, { name: 'released' }, 'nobody needs it');
      if (wasActive) for (const input of task.inputs) stack.push(input);
    }
    if (task.dependents.size > 0 || task.announced > 0) continue;
    state.tasks.delete(task.spec.key);
    noteForgotten(state, task.owner, task.spec);
    state.awaited.delete(task);
    if (task.spec.name !== undefined && state.names.get(task.spec.name) === task)
      state.names.delete(task.spec.name);
    state.counts.released--;
    for (const input of task.inputs) {
      input.dependents.delete(task);
      stack.push(input);
    }
  }
}

/** Has a node forget a datum; the messages of one event are gathered. */
export function drop(state: SchedulerState, node: NodeId, key: TaskKey): void {
  const keys = state.drops.get(node);
  if (keys === undefined) state.drops.set(node, [key]);
  else keys.push(key);
}

/** Turns the gathered drops into instructions. */
export function flushDrops(state: SchedulerState): void {
  for (const [node, keys] of state.drops) {
    if (state.nodes.has(node)) send(state, node, { type: 'drop', keys });
  }
  state.drops.clear();
}
