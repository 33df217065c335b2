/**
 * Owns what is known of tasks before they run: how long they take and how much they make. The author's word
 * comes first; else the mean of earlier runs of the function, kept apart by the class of device that it ran
 * on and by the size of what it took in. Pure. Must not know: nodes, links.
 */
import { assumptions, limits } from './limits.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';

/** What runs of one kind of task have shown. */
export interface Learnt {
  seconds: number;
  bytes: number;
  /** By how much a run made its process grow. */
  growthBytes: number;
}

/** The device that a task is for, and its input bytes to a power of eight: a run of ten times the data tells
 * little of this one. */
function kindOf(task: TaskRecord): string {
  const { needs, inputs } = task;
  const { fn } = task.spec;
  const plain = needs.named.length === 0 && needs.threads === 1;
  if (plain && inputs.length === 0) return fn;
  let bytes = 0;
  for (const { phase } of inputs) if (phase.name === 'held') bytes += phase.bytes;
  if (plain && bytes < assumptions.smallInputBytes) return fn;
  const bucket = bytes < assumptions.smallInputBytes ? 0 : Math.round(Math.log2(bytes) / 3);
  const device = plain ? '' : `${needs.threads}${needs.named.map(([name]) => name).join('+')}`;
  return `${fn}|${device}|${bucket}`;
}

function bounded(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.min(seconds, assumptions.mostSeconds);
}

/** How long a run takes, if anything at all says so. Bounded, so that sums stay numbers whatever a client
 * says. */
export function knownSeconds(state: SchedulerState, task: TaskRecord): number | undefined {
  const { hints, fn } = task.spec;
  if (hints.seconds !== undefined && hints.seconds >= 0) return bounded(hints.seconds);
  if (state.learnt.size === 0) return undefined;
  return bounded((state.learnt.get(kindOf(task)) ?? state.learnt.get(fn))?.seconds);
}

export function secondsOf(state: SchedulerState, task: TaskRecord): number {
  return knownSeconds(state, task) ?? assumptions.taskSeconds;
}

/** How much a task makes: what it has made, the author's word, or what others of its function made. */
export function expectedBytes(state: SchedulerState, task: TaskRecord): number | undefined {
  const { phase, spec } = task;
  if (phase.name === 'held') return phase.bytes;
  return spec.hints.bytes ?? state.learnt.get(spec.fn)?.bytes;
}

/** What a run takes of its node's memory: the author's word, else what its like made their process grow
 * by, or what it makes, and its inputs. An input with other users lies there for them too. */
export function footprintOf(state: SchedulerState, task: TaskRecord): number {
  const { hints, fn } = task.spec;
  if (hints.memoryBytes !== undefined) return hints.memoryBytes;
  const known = state.learnt.get(fn);
  let bytes = Math.max(known?.growthBytes ?? 0, hints.bytes ?? known?.bytes ?? 0);
  for (const { phase, waiters } of task.inputs) {
    if (phase.name === 'held') bytes += phase.bytes / Math.max(1, waiters);
  }
  return bytes;
}

/** A run has ended: its like will take about as long. */
export function learnFrom(state: SchedulerState, task: TaskRecord, run: Learnt): void {
  if (!Number.isFinite(run.seconds)) return;
  const { fn } = task.spec;
  note(state, fn, run);
  const kind = kindOf(task);
  if (kind !== fn) note(state, kind, run);
}

function mix(known: number, measured: number): number {
  return known + assumptions.learning * (measured - known);
}

function note(state: SchedulerState, kind: string, { seconds, bytes, growthBytes }: Learnt): void {
  const { learnt } = state;
  const known = learnt.get(kind);
  if (known !== undefined) {
    known.seconds = mix(known.seconds, seconds);
    known.bytes = mix(known.bytes, bytes);
    // What a run may need counts, not what most do; an outlier is forgotten in time.
    known.growthBytes = Math.max(growthBytes, mix(known.growthBytes, growthBytes));
    return;
  }
  learnt.set(kind, { seconds, bytes, growthBytes });
  if (learnt.size <= limits.learntKinds) return;
  for (const oldest of learnt.keys()) {
    learnt.delete(oldest);
    return;
  }
}
