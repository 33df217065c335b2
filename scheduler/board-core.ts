/**
 * Owns boards: variables, which show a value or nothing, and events, of which only that matters. Pure. Must
 * not know: other kinds of wishes.
 */
import { answer, present, problem, refuseToWait } from './coordination-answers.ts';
import type { Asked, Board, Kept, WishOf } from './coordination-state.ts';
import { keep, letGoOf } from './kept-values.ts';
import type { SchedulerState } from './scheduler-state.ts';

export function showOnBoard(state: SchedulerState, board: Board, asked: Asked): void {
  const { value } = asked.wish as WishOf<'show-on-board'>;
  const kept = keep(state, value);
  if ('unknown' in kept) {
    answer(state, asked, problem('unknown-input', `no task ${kept.unknown} is known (released already?)`));
    return;
  }
  // The new one is kept before the former is let go: it may name the same results.
  letGoOf(state, board.shown);
  board.shown = kept;
  answer(state, asked, { outcome: 'granted' });
  serveBoard(state, board);
}

export function clearBoard(state: SchedulerState, board: Board, asked: Asked): void {
  letGoOf(state, board.shown);
  board.shown = undefined;
  answer(state, asked, { outcome: 'granted' });
}

export function readBoard(state: SchedulerState, board: Board, asked: Asked): void {
  board.line.add(asked);
  serveBoard(state, board);
  refuseToWait(state, asked, board.line);
}

export function serveBoard(state: SchedulerState, board: Board): void {
  if (board.shown === undefined) return;
  const { value } = board.shown;
  for (const asked of present(state, board.line)) {
    board.line.delete(asked);
    // What is shown is known, or it would not be.
    asked.kept = keep(state, value) as Kept;
    answer(state, asked, { outcome: 'granted', value });
  }
}
