/** What the scheduler must have done when a turn is over: no node that could begin something is left without,
 * or a deadlock would show only when the simulated time is over, if something else did not resolve it. */
import { resourcesFree } from '../../scheduler/ready-classes.ts';
import { type SchedulerState, takesWork } from '../../scheduler/scheduler-state.ts';

/** One line for every node that has nothing to do though a task is queued which it may run. */
export function idleWithoutReason(state: SchedulerState): string[] {
  const wrong: string[] = [];
  for (const node of state.nodes.values()) {
    if (!takesWork(node) || node.assigned.size > 0) continue;
    const heads = [node.parked.peek(), ...Array.from(node.classes, ({ queue }) => queue.peek())];
    for (const head of heads) {
      if (head === undefined || !resourcesFree(state, node, head)) continue;
      wrong.push(`${node.info.node} has nothing to do though ${head.spec.key} is queued for it`);
    }
  }
  return wrong;
}
