/**
 * Owns the placement by lot, as a floor for the others: every task goes at once to any node that may run it.
 */
import { assign } from '../../../scheduler/assignment.ts';
import type { PlacementPolicy } from '../../../scheduler/policy.ts';
import { boundSite, classOf } from '../../../scheduler/ready-classes.ts';
import type { SchedulerState } from '../../../scheduler/scheduler-state.ts';
import { Draws } from '../draws.ts';

export function randomPolicy(seed: number): PlacementPolicy<SchedulerState> {
  const draws = new Draws(seed);
  return {
    name: 'random',
    place(state) {
      const fresh = state.fresh;
      state.fresh = [];
      for (const task of fresh) {
        const site = boundSite(state, task);
        if (task.phase.name !== 'ready' || site === 'conflict') continue;
        assign(state, task, draws.pick([...classOf(state, task, site).nodes]));
      }
    },
  };
}
