/**
 * Owns the order among the tasks of one submission when it is known how long they take. Submitted depth
 * first, they are run so, since that frees memory soonest; but none later than it must begin for the whole to
 * end in the least possible time, which its longest way to an end decides (its upward rank). Pure. Must not
 * know: where tasks run.
 */
import { expectedBytes, knownSeconds } from './estimates.ts';
import { limits } from './limits.ts';
import { linkBetween } from './link-model.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';

/** Ranks the tasks of a submission that is complete, inputs before users, before any of them is demanded. */
export function rankByTime(state: SchedulerState, announced: ReadonlySet<TaskRecord>): void {
  if (announced.size > limits.rankedTasks || announced.size < 2) return;
  // A task of an earlier submission may stand in a queue, which goes by its rank.
  const tasks = [...announced].filter(({ phase }) => phase.name === 'released');
  const known = tasks.map((task) => knownSeconds(state, task));
  let sum = 0;
  let count = 0;
  for (const seconds of known) {
    if (seconds === undefined) continue;
    sum += seconds;
    count++;
  }
  if (count === 0) return;
  const mean = sum / count;
  order(state, tasks, (index) => known[index] ?? mean);
}

function order(
  state: SchedulerState,
  tasks: readonly TaskRecord[],
  secondsAt: (index: number) => number,
): void {
  let threads = 0;
  for (const { info, retiring } of state.nodes.values()) if (!retiring) threads += info.threads;
  const site = state.nodes.values().next().value?.info.site;
  const line = site === undefined ? undefined : linkBetween(state, site, site);
  const upward = new Map<TaskRecord, number>();
  let work = 0;
  let longest = 0;
  for (let index = tasks.length - 1; index >= 0; index--) {
    const task = tasks[index]!;
    const seconds = secondsAt(index);
    const way = seconds + (upward.get(task) ?? 0);
    upward.set(task, way);
    work += seconds * task.needs.threads;
    longest = Math.max(longest, way);
    for (const input of task.inputs) {
      const move = line === undefined ? 0 : (expectedBytes(state, input) ?? 0) / line.bytesPerSecond;
      upward.set(input, Math.max(upward.get(input) ?? 0, way + move));
    }
  }
  const whole = Math.max(longest, work / Math.max(1, threads));
  if (!(whole > 0)) return;
  const base = tasks[0]!.rank;
  let before = 0;
  for (const [index, task] of tasks.entries()) {
    const turn = before / Math.max(1, threads);
    before += secondsAt(index) * task.needs.threads;
    const latest = whole - upward.get(task)!;
    // The fraction keeps the order of submission among equals.
    const share = (Math.min(turn, latest) / whole) * tasks.length;
    task.rank = base + Math.max(0, share) + (1e-3 * index) / tasks.length;
  }
}
