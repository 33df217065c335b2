/**
 * Owns what a worker tells a scheduler that it has come to, or come back to: what it holds, what was given to
 * it and goes on, and what ended meanwhile. Pure. Must not know: connections, how runs are chosen.
 */
import type { RunId } from '../runtime/index.ts';
import { forgetMakers } from './worker-data.ts';
import { type Report, send, type WorkerState } from './worker-state.ts';

/** Says all that counts. The scheduler may be another one than before, and may have done some of it over. */
export function announce(state: WorkerState): void {
  const reports = state.outbox;
  state.outbox = [];
  // A result of which nobody has heard goes when its run is aborted; others are copies like any other.
  const untold = new Set(reports.filter((report) => isThere(state, report)).map(({ run }) => run));
  forgetMakers(state, untold);
  for (const { key, phase } of state.data.values()) {
    if (phase.name !== 'held' || phase.doomed || isUntold(untold, phase.madeBy)) continue;
    send(state, { type: 'replica-added', key, bytes: phase.bytes });
  }
  for (const { key, run, phase, pause } of state.runs.values()) {
    if (phase.name === 'ending') continue;
    send(state, { type: 'run-announced', key, run, started: phase.name === 'running' });
    if (pause !== 'never') send(state, { type: pause === 'now' ? 'run-paused' : 'run-resumed', key, run });
  }
  for (const report of reports) {
    const { type, key, run } = report;
    if (type === 'run-done' && !untold.has(run)) continue;
    send(state, { type: 'run-announced', key, run, started: true });
    send(state, report);
  }
  if (state.retiring) send(state, { type: 'retiring' });
  send(state, { type: 'announced' });
}

/** Whether what a run made is still here as its own. */
function isThere(state: WorkerState, { type, run }: Report): boolean {
  return type === 'run-done' && state.made.has(run);
}

function isUntold(untold: ReadonlySet<RunId>, madeBy: RunId | undefined): boolean {
  return madeBy !== undefined && untold.has(madeBy);
}
