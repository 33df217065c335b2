/**
 * Owns what the scheduler does about the messages of a client: submissions, wants and their release. Pure.
 * Must not know: nodes, connections.
 */
import { assertNever, type ClientId, type TaskKey } from '../runtime/index.ts';
import { isQuestion, onQuestion } from './inspect-core.ts';
import { limits } from './limits.ts';
import { demand, retire, schedulerError, setPhase, tellFailed, tellHeld } from './lineage-core.ts';
import { missed } from './node-core.ts';
import { statusOf, tellTrace } from './progress.ts';
import type { TaskSpec, ToScheduler, WireError } from './protocol.ts';
import { isActive, needsOf, notify, type SchedulerState, send, type TaskRecord } from './scheduler-state.ts';

type Of<T extends ToScheduler['type']> = Extract<ToScheduler, { type: T }>;

export function onClientMessage(state: SchedulerState, client: ClientId, message: ToScheduler): void {
  if (isQuestion(message)) {
    onQuestion(state, client, message);
    return;
  }
  switch (message.type) {
    case 'submit':
      onSubmit(state, client, message);
      return;
    case 'release':
      release(state, client, message.keys);
      return;
    case 'cancel':
      onCancel(state, client, message.keys);
      return;
    case 'unfetched':
      onUnfetched(state, client, message);
      return;
    case 'status':
      notify(state, client, statusOf(state));
      return;
    case 'trace':
      tellTrace(state, client);
      return;
    case 'shutdown':
      state.stoppingSince ??= state.now;
      for (const node of state.nodes.keys()) send(state, node, { type: 'retire' });
      return;
    default:
      assertNever(message);
      return;
  }
}

function onSubmit(state: SchedulerState, client: ClientId, message: Of<'submit'>): void {
  const { announced } = state.clients.get(client)!;
  const revived: TaskRecord[] = [];
  for (const spec of message.tasks) {
    const known = state.tasks.get(spec.key);
    // Asked for anew: an old failure does not stand for a new attempt.
    if (known?.phase.name === 'failed') {
      setPhase(state, known, { name: 'released' }, 'submitted again');
      Object.assign(known, { thrown: 0, deaths: 0, losses: 0, unreachable: 0 });
      revived.push(known);
    }
    const task = known ?? register(state, client, spec);
    if (announced.has(task)) continue;
    announced.add(task);
    task.announced++;
  }
  for (const key of message.wants) want(state, client, key);
  for (const task of revived) demand(state, task, 'submitted again');
  if (message.more !== true) endSubmission(state, client);
}

/** All users of the announced tasks have come: what nobody needs and nothing is made from is forgotten. */
function endSubmission(state: SchedulerState, id: ClientId): void {
  const { announced } = state.clients.get(id)!;
  const tasks = [...announced];
  announced.clear();
  for (const task of tasks) task.announced--;
  retire(state, tasks);
}

/** Shared by the many tasks without inputs. */
const none: readonly TaskRecord[] = [];

function register(state: SchedulerState, owner: ClientId, spec: TaskSpec): TaskRecord {
  const known = spec.inputs.map((key) => state.tasks.get(key));
  const inputs = known.length === 0 ? none : [...new Set(known.filter((input) => input !== undefined))];
  const task: TaskRecord = {
    spec,
    inputs,
    owner,
    rank: state.nextRank++,
    priority: Number.isFinite(spec.hints.priority) ? spec.hints.priority! : 0,
    dependents: new Set(),
    needs: needsOf(spec.hints),
    wantedBy: new Set(),
    waiters: 0,
    announced: 0,
    phase: { name: 'released' },
    countedIn: undefined,
    thrown: 0,
    deaths: 0,
    losses: 0,
    unreachable: 0,
  };
  state.tasks.set(spec.key, task);
  state.counts.released++;
  for (const input of inputs) input.dependents.add(task);
  const flaw = flawOf(spec, known);
  if (flaw !== undefined) {
    setPhase(state, task, { name: 'failed', error: flaw, culprit: spec.key }, flaw.message);
  }
  return task;
}

/** Why a task can never run as it is written, if so. Inputs must come before their users, which also rules
 * out cycles. */
function flawOf(spec: TaskSpec, inputs: readonly (TaskRecord | undefined)[]): WireError | undefined {
  const unknown = inputs.indexOf(undefined);
  if (unknown >= 0) {
    const message = `task ${spec.key} needs ${spec.inputs[unknown]}, which is unknown (released already?)`;
    return schedulerError('unknown-input', message, spec.key);
  }
  const odd = Object.entries(spec.hints.needs ?? {}).find(
    ([, amount]) => !(amount >= 0 && amount < Infinity),
  );
  if (odd !== undefined) {
    const message = `task ${spec.key} needs ${odd[1]} of ${odd[0]}: needs must be numbers of at least 0`;
    return schedulerError('invalid-hint', message, spec.key);
  }
  return undefined;
}

function want(state: SchedulerState, id: ClientId, key: TaskKey): void {
  const task = state.tasks.get(key);
  if (task === undefined) {
    const error = schedulerError('unknown-input', `no task ${key} is known (released already?)`, key);
    notify(state, id, { type: 'failed', key, error, culprit: key });
    return;
  }
  task.wantedBy.add(id);
  state.clients.get(id)!.wants.add(task);
  if (task.phase.name === 'held') tellHeld(state, task, new Set([id]));
  else if (task.phase.name === 'failed') tellFailed(state, task, id);
  else demand(state, task, `wanted by ${id}`);
}

function release(state: SchedulerState, id: ClientId, keys: readonly TaskKey[]): void {
  const client = state.clients.get(id)!;
  for (const key of keys) {
    const task = state.tasks.get(key);
    if (task === undefined || !client.wants.delete(task)) continue;
    task.wantedBy.delete(id);
    retire(state, [task]);
  }
}

/** Gives up all that a client wants or has begun to submit. */
export function releaseAll(state: SchedulerState, id: ClientId): void {
  const client = state.clients.get(id);
  if (client === undefined) return;
  endSubmission(state, id);
  const keys = [...client.wants].map(({ spec }) => spec.key);
  release(state, id, keys);
}

/** A finished task stays as it is: cancelling changes nothing about it. */
function onCancel(state: SchedulerState, id: ClientId, keys: readonly TaskKey[]): void {
  for (const key of keys) {
    const task = state.tasks.get(key);
    if (task === undefined || !isActive(task) || !task.wantedBy.has(id)) continue;
    const error = schedulerError('cancelled', `task ${key} was cancelled`, key);
    notify(state, id, { type: 'failed', key, error, culprit: key });
    release(state, id, [key]);
  }
}

function onUnfetched(state: SchedulerState, id: ClientId, message: Of<'unfetched'>): void {
  const task = state.tasks.get(message.key);
  if (task === undefined || !task.wantedBy.has(id)) {
    const error = schedulerError('unknown-input', `no task ${message.key} is wanted`, message.key);
    notify(state, id, { type: 'failed', key: message.key, error, culprit: message.key });
    return;
  }
  task.unreachable++;
  const gone = message.reason === 'absent' || task.unreachable > limits.unreachableTries;
  missed(state, task, { holder: message.node, gone });
  // Told again at once if another copy is held; after the recomputation otherwise.
  tellHeld(state, task, new Set([id]));
}
