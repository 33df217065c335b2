/**
 * Owns how much of the scheduler one client may fill: tasks that are known on its behalf and the bytes of
 * their arguments. A submission that would go beyond is refused as a whole, and its wants fail saying so.
 * Pure. Must not know: what a submission means otherwise.
 */
import type { ClientId, TaskKey } from '../runtime/index.ts';
import { schedulerError } from './flaw-core.ts';
import type { TaskSpec, ToScheduler } from './protocol.ts';
import type { Usage } from './quota-state.ts';
import { notify, type SchedulerState } from './scheduler-state.ts';

function usageOf(state: SchedulerState, client: ClientId): Usage {
  let usage = state.quotas.usages.get(client);
  if (usage === undefined) {
    usage = { tasks: 0, bytes: 0, refusing: false };
    state.quotas.usages.set(client, usage);
  }
  return usage;
}

/** A task of this client has come to be known. */
export function noteRegistered(state: SchedulerState, owner: ClientId, { args }: TaskSpec): void {
  const usage = usageOf(state, owner);
  usage.tasks++;
  usage.bytes += args.byteLength;
}

/** It is forgotten. */
export function noteForgotten(state: SchedulerState, owner: ClientId, { args }: TaskSpec): void {
  const usage = state.quotas.usages.get(owner);
  if (usage === undefined) return;
  usage.tasks--;
  usage.bytes -= args.byteLength;
  if (usage.tasks <= 0 && !usage.refusing) state.quotas.usages.delete(owner);
}

/** Whether the submission is refused; if so, its wants have been answered. Tasks that are known already count
 * twice here, which errs by no more than one message. */
export function isRefused(
  state: SchedulerState,
  client: ClientId,
  message: Extract<ToScheduler, { type: 'submit' }>,
): boolean {
  const { tasks, wants, more, serial } = message;
  const { quota } = state.quotas;
  const usage = usageOf(state, client);
  const bytes = tasks.reduce((sum, { args }) => sum + args.byteLength, 0);
  usage.refusing ||= usage.tasks + tasks.length > quota.tasks || usage.bytes + bytes > quota.bytes;
  if (!usage.refusing) return false;
  if (more === true) return true;
  usage.refusing = false;
  if (usage.tasks === 0) state.quotas.usages.delete(client);
  const words =
    `a client may have ${quota.tasks} tasks and ${quota.bytes} bytes of arguments here at once: submit ` +
    'less at a time, release what is no longer needed, or make large arguments by tasks';
  const said = serial === undefined ? {} : { serial };
  for (const key of wants) {
    const error = schedulerError('client-quota', words, key as TaskKey);
    notify(state, client, { type: 'failed', key, error, culprit: key, ...said });
  }
  return true;
}
