/**
 * Owns the threads of a worker's runs that wait for tasks of their own: given back while they wait, taken
 * again when they go on, even if there is none to spare: then nothing new begins until there is. Pure. Must
 * not know: what a run waits for.
 */
import { needsOf, type RunRecord, send, type WorkerState } from './worker-state.ts';

/** Running or ending on threads of its own. */
export function isAtWork({ phase, pause }: RunRecord): boolean {
  return (phase.name === 'running' || phase.name === 'ending') && pause !== 'now';
}

export function onRunPaused(
  state: WorkerState,
  { run: id, paused }: { readonly run: RunRecord['run']; readonly paused: boolean },
): void {
  const run = state.runs.get(id);
  if (run === undefined || (run.pause === 'now') === paused) return;
  if (run.phase.name !== 'running' && run.phase.name !== 'ending') return;
  // Whatever its body takes, its end is not to be waited for by those behind it.
  state.longest.set(run.fn, Number.POSITIVE_INFINITY);
  const threads = (takes: RunRecord['takes']): number => takes.find(([name]) => name === 'threads')?.[1] ?? 0;
  const before = threads(run.takes);
  run.pause = paused ? 'now' : 'over';
  run.takes = paused ? run.takes.filter(([name]) => name !== 'threads') : needsOf(run.hints);
  state.used.set('threads', (state.used.get('threads') ?? 0) + threads(run.takes) - before);
  state.occupied += paused ? -1 : 1;
  state.paused += paused ? 1 : -1;
  if (run.phase.name !== 'running') return;
  send(state, { type: paused ? 'run-paused' : 'run-resumed', key: run.key, run: id });
}
