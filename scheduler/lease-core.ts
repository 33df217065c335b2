/**
 * Owns pools of leases: locks, which have one, and semaphores. A lease belongs to the wish that it was
 * granted to, until that is ended. Pure. Must not know: other kinds of wishes.
 */
import { answer, present, refuseToWait } from './coordination-answers.ts';
import type { Asked, Pool, WishOf } from './coordination-state.ts';
import type { SchedulerState } from './scheduler-state.ts';

export function takeLease(state: SchedulerState, pool: Pool, asked: Asked): void {
  const { again } = asked.wish as WishOf<'take-lease'>;
  if (again === true) {
    // Who had it comes before those who wait, but not before one who has it now.
    if (pool.held.size < pool.leases) grant(state, pool, asked);
    else answer(state, asked, { outcome: 'lost' });
    return;
  }
  pool.line.add(asked);
  serveLeases(state, pool);
  refuseToWait(state, asked, pool.line);
}

export function serveLeases(state: SchedulerState, pool: Pool): void {
  if (state.coordination.expected.size > 0) return;
  for (const asked of present(state, pool.line)) {
    if (pool.held.size >= pool.leases) return;
    grant(state, pool, asked);
  }
}

function grant(state: SchedulerState, pool: Pool, asked: Asked): void {
  pool.line.delete(asked);
  pool.held.add(asked);
  answer(state, asked, { outcome: 'granted' });
}
