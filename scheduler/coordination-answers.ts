/**
 * Owns the answering of wishes, and who can be answered. Pure. Must not know: what wishes are about.
 */
import type { ClientId } from '../runtime/index.ts';
import type { Answer, Asked, Line } from './coordination-state.ts';
import { notify, type SchedulerState } from './scheduler-state.ts';

export type About = Omit<Answer, 'type' | 'wish'>;

/** Answers a wish; the answer is remembered, to be given again. */
export function answer(state: SchedulerState, asked: Asked, about: About): void {
  asked.answer = { type: 'wish-answered', wish: asked.wish.wish, ...about };
  notify(state, asked.client, asked.answer);
}

/** Answers a wish that can't be met as it is; nothing of it is remembered. */
export function refuse(
  state: SchedulerState,
  { client, wish }: { readonly client: ClientId; readonly wish: number },
  about: About,
): void {
  notify(state, client, { type: 'wish-answered', wish, ...about });
}

export function problem(code: string, message: string): About {
  return { outcome: 'refused', problem: { code, message } };
}

/** Whether a client is there: nothing is granted to one that is cut off, or others would wait in vain. */
export function isPresent(state: SchedulerState, client: ClientId): boolean {
  const record = state.clients.get(client);
  return record !== undefined && record.goneSince === undefined;
}

/** Those of a line that can be answered, the longest waiting first; they may leave it meanwhile. */
export function* present(state: SchedulerState, line: Line): Generator<Asked, void, void> {
  for (const asked of line) if (isPresent(state, asked.client)) yield asked;
}

/** Answers a wish at once that does not want to wait and could not be met. */
export function refuseToWait(state: SchedulerState, asked: Asked, line: Line): void {
  if (asked.answer !== undefined || !('wait' in asked.wish) || asked.wish.wait) return;
  line.delete(asked);
  answer(state, asked, { outcome: 'refused' });
}
