/**
 * Owns the moving of queued tasks to nodes that have become idle, as soon as they have. Pure. Must not know:
 * how tasks came to be queued where they are.
 */
import { weighed } from './candidates.ts';
import { costOf } from './cost.ts';
import { assumptions, limits } from './limits.ts';
import { linkBetween } from './link-model.ts';
import { boundSite, classOf } from './ready-classes.ts';
import { wayAt } from './room.ts';
import type { NodeRecord, SchedulerState, TaskRecord } from './scheduler-state.ts';

/** A task parked at a busy node that would begin sooner at the idle one, by more than moving it costs: a
 * round trip, and what estimates are wrong by. */
export function worthTaking(state: SchedulerState, thief: NodeRecord): TaskRecord | undefined {
  let best: TaskRecord | undefined;
  let most = 0;
  let victims = 0;
  for (const victim of state.crowded) {
    if (victim === thief) continue;
    if (++victims > limits.stealNodes) break;
    const { latencySeconds } = linkBetween(state, victim.info.site, thief.info.site);
    for (const task of victim.parked.sample(limits.stealTasks)) {
      if (wayAt(state, thief, { task, ahead: false }) === undefined) continue;
      const site = boundSite(state, task);
      if (site === 'conflict' || !classOf(state, task, site).nodes.has(thief)) continue;
      const all = weighed(state, task);
      const margin = 2 * latencySeconds + assumptions.stealDoubt * Math.min(1, all.seconds);
      const gain = costOf(state, all, victim).sum - costOf(state, all, thief).sum - margin;
      if (gain <= most) continue;
      best = task;
      most = gain;
    }
  }
  return best;
}
