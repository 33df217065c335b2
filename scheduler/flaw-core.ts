/**
 * Owns why a task can't run as it is written: an input that is unknown, needs that make no sense, or a name
 * (`with({ key })`) that another live task bears. A named task's key has its content in it like any other's,
 * so that no datum, report or error of one can pass for another's. Pure. Must not know: what becomes of it.
 */
import { type TaskKey, taskKey } from '../runtime/index.ts';
import type { TaskSpec, WireError } from './protocol.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';

/** An error made by the scheduler itself, about a task. */
export function schedulerError(code: string, message: string, key: string): WireError {
  return { name: 'AsperitasError', message, code, fields: { task: taskKey(key) } };
}

/** What is wrong with a task that is about to be needed, if anything. Takes its name for it. */
export function flawOf(state: SchedulerState, task: TaskRecord): WireError | undefined {
  const { spec } = task;
  const unknown = unknownInput(task);
  if (unknown !== undefined) {
    const message = `task ${spec.key} needs ${unknown}, which is unknown (released already?)`;
    return schedulerError('unknown-input', message, spec.key);
  }
  const odd = oddNeed(spec);
  if (odd !== undefined) {
    const message = `task ${spec.key} needs ${odd[1]} of ${odd[0]}: needs must be numbers of at least 0`;
    return schedulerError('invalid-hint', message, spec.key);
  }
  return claimName(state, task);
}

/** Inputs must come before their users, which also rules out cycles. */
function unknownInput({ spec, inputs }: TaskRecord): TaskKey | undefined {
  if (spec.inputs.length === inputs.length) return undefined;
  const known = new Set(inputs.map((input) => input.spec.key));
  return spec.inputs.find((key) => !known.has(key));
}

function oddNeed({ hints }: TaskSpec): [name: string, amount: number] | undefined {
  if (hints.needs === undefined && hints.orNeeds === undefined) return undefined;
  return [hints.needs ?? {}, ...(hints.orNeeds ?? [])]
    .flatMap(Object.entries<number>)
    .find(([, amount]) => !(amount >= 0 && amount < Infinity));
}

function claimName({ names }: SchedulerState, task: TaskRecord): WireError | undefined {
  const { name, key } = task.spec;
  if (name === undefined) return undefined;
  const bearer = names.get(name);
  if (bearer !== undefined && bearer !== task) {
    const message = `the key ${name} stands for another task (${bearer.spec.key}), which is still known`;
    return schedulerError('key-conflict', message, key);
  }
  names.set(name, task);
  return undefined;
}
