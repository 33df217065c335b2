/**
 * Owns what the scheduler does about the messages of a client: submissions, wants and their release. Pure.
 * Must not know: nodes, connections.
 */
import { assertNever, type ClientId, FewSet, type TaskKey } from '../runtime/index.ts';
import type { ActorRequestMessage } from './actor-requests.ts';
import { isCoordination, onCoordination } from './coordination-core.ts';
import { onDatasetRequest } from './dataset-core.ts';
import { spreadDeadlines } from './deadline-core.ts';
import { schedulerError } from './flaw-core.ts';
import { isQuestion, onQuestion } from './inspect-core.ts';
import { onForget } from './keeper-core.ts';
import { limits } from './limits.ts';
import { demand, retire, setPhase, tellFailed, tellHeld } from './lineage-core.ts';
import { needsOf } from './needs.ts';
import { missed } from './node-core.ts';
import { statusOf, tellTrace } from './progress.ts';
import type { TaskSpec, ToScheduler } from './protocol.ts';
import { isRefused, noteRegistered } from './quota-core.ts';
import { rankByTime } from './rank-core.ts';
import { onFindPlaces } from './scatter-core.ts';
import { isActive, notify, type SchedulerState, send, type TaskRecord } from './scheduler-state.ts';

type Of<T extends ToScheduler['type']> = Extract<ToScheduler, { type: T }>;

export function onClientMessage(
  state: SchedulerState,
  client: ClientId,
  message: Exclude<ToScheduler, ActorRequestMessage>,
): void {
  if (isQuestion(message)) {
    onQuestion(state, client, message);
    return;
  }
  if (isCoordination(message)) {
    onCoordination(state, client, message);
    return;
  }
  switch (message.type) {
    case 'submit':
      onSubmit(state, client, message);
      return;
    case 'release':
      release(state, client, message.keys);
      return;
    case 'retry':
      onRetry(state, client, message);
      return;
    case 'forget':
      onForget(state, message.keys);
      return;
    case 'publish':
    case 'unpublish':
    case 'get-dataset':
    case 'list-datasets':
      onDatasetRequest(state, client, message);
      return;
    case 'find-places':
      onFindPlaces(state, client, message);
      return;
    case 'cancel':
      onCancel(state, client, message.keys);
      return;
    case 'recall':
      onRecall(state, client, message.keys);
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
  const record = state.clients.get(client)!;
  if (isRefused(state, client, message)) {
    if (message.more !== true) endSubmission(state, client);
    return;
  }
  const { announced } = record;
  record.serial = message.serial ?? record.serial;
  const revived: TaskRecord[] = [];
  for (const spec of message.tasks) {
    const known = state.tasks.get(spec.key);
    // Asked for anew: an old failure does not stand for a new attempt.
    if (known?.phase.name === 'failed') {
      revive(state, known);
      revived.push(known);
    }
    const task = known ?? register(state, client, spec);
    record.hasDeadlines ||= spec.hints.deadlineMs !== undefined;
    if (announced.has(task)) continue;
    announced.add(task);
    task.announced++;
  }
  // All tasks have come, though not all that is wanted of them.
  const complete = message.more !== true || (message.tasks.length > 0 && message.wants.length > 0);
  if (record.hasDeadlines && complete) {
    record.hasDeadlines = false;
    spreadDeadlines(state, [...announced]);
  }
  if (complete) rankByTime(state, announced);
  for (const key of message.wants) want(state, client, key);
  for (const task of revived) demand(state, task, 'submitted again');
  if (message.more !== true) endSubmission(state, client);
}

/** Makes a failed task one that can be tried again. */
function revive(state: SchedulerState, task: TaskRecord): void {
  setPhase(state, task, { name: 'released' }, 'asked for again');
  Object.assign(task, { thrown: 0, deaths: 0, losses: 0, unreachable: 0, arrived: false });
}

/** What failed is tried again from where the failure began. */
function onRetry(state: SchedulerState, id: ClientId, message: Of<'retry'>): void {
  const client = state.clients.get(id)!;
  client.serial = message.serial;
  for (const key of message.keys) {
    const task = state.tasks.get(key);
    if (task === undefined || !client.wants.has(task)) continue;
    const revived: TaskRecord[] = [];
    const stack = [task];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.phase.name !== 'failed') continue;
      revive(state, next);
      revived.push(next);
      for (const input of next.inputs) stack.push(input);
    }
    for (const one of revived) demand(state, one, 'tried again');
    // The client is told how it stands, whatever was to be tried again.
    want(state, id, key);
  }
}

/** All users of the announced tasks have come: what nobody needs and nothing is made from is forgotten. */
function endSubmission(state: SchedulerState, id: ClientId): void {
  const { announced } = state.clients.get(id)!;
  const tasks = [...announced];
  announced.clear();
  state.ended.push({ tasks, next: 0 });
  forgetSome(state);
}

/** Goes on with what ended submissions have left behind, for a while. */
export function forgetSome(state: SchedulerState): void {
  let room: number = limits.forgottenTasks;
  for (let [first] = state.ended; first !== undefined && room > 0; [first] = state.ended) {
    const some = first.tasks.slice(first.next, first.next + room);
    first.next += some.length;
    room -= some.length;
    if (first.next >= first.tasks.length) state.ended.shift();
    for (const task of some) task.announced--;
    retire(state, some);
  }
}

/** Shared by the many tasks without inputs. */
const none: readonly TaskRecord[] = [];

export function register(state: SchedulerState, owner: ClientId, spec: TaskSpec): TaskRecord {
  const known = spec.inputs.map((key) => state.tasks.get(key));
  const inputs = known.length === 0 ? none : [...new Set(known.filter((input) => input !== undefined))];
  const task: TaskRecord = {
    spec,
    inputs,
    owner,
    rank: state.nextRank++,
    due: Number.POSITIVE_INFINITY,
    priority: Number.isFinite(spec.hints.priority) ? spec.hints.priority! : 0,
    dependents: new FewSet(),
    needs: needsOf(spec.hints),
    wantedBy: new FewSet(),
    waiters: 0,
    announced: 0,
    phase: { name: 'released' },
    countedIn: undefined,
    thrown: 0,
    deaths: 0,
    losses: 0,
    unreachable: 0,
    readiedBy: undefined,
    arrived: false,
  };
  state.tasks.set(spec.key, task);
  noteRegistered(state, owner, spec);
  state.counts.released++;
  for (const input of inputs) input.dependents.add(task);
  return task;
}

export function want(state: SchedulerState, id: ClientId, key: TaskKey): void {
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

/** Gives up what a client wants or has begun to submit; true when all is given up. */
export function releaseSome(state: SchedulerState, id: ClientId): boolean {
  const client = state.clients.get(id);
  if (client === undefined) return true;
  endSubmission(state, id);
  client.hasDeadlines = false;
  const keys: TaskKey[] = [];
  for (const { spec } of client.wants) {
    if (keys.length === limits.forgottenTasks) break;
    keys.push(spec.key);
  }
  release(state, id, keys);
  return client.wants.size === 0;
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

/** Words may have been lost with a connection: what there is to tell is told again. */
function onRecall(state: SchedulerState, id: ClientId, keys: readonly TaskKey[]): void {
  for (const key of keys) {
    const task = state.tasks.get(key);
    if (task === undefined || !task.wantedBy.has(id)) {
      const error = schedulerError('unknown-input', `no task ${key} is wanted any more`, key);
      notify(state, id, { type: 'failed', key, error, culprit: key });
    } else if (task.phase.name === 'held') {
      tellHeld(state, task, new Set([id]));
    } else if (task.phase.name === 'failed') {
      tellFailed(state, task, id);
    }
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
