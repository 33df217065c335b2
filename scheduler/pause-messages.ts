/**
 * Owns what a node says of runs that wait for tasks of their own. Must not know: what is done about it.
 */
import { as, count, type RunId, type TaskKey, text } from '../runtime/index.ts';

const run = { key: as<TaskKey>(text), run: as<RunId>(count) };

export const pauseReports = {
  /** The run waits for others: its threads are free for these meanwhile. */
  'run-paused': run,
  /** It goes on, whether or not a thread was free. */
  'run-resumed': run,
};
