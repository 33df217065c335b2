/** Makes a failed simulation smaller: leaves out faults and plans as long as the same thing goes wrong. What
 * remains is what matters. */
import { type Outcome, type SimulationOptions, simulate } from './simulation.ts';

/** So many runs are spent on one failure. */
const mostRuns = 600;

/** What went wrong, without the numbers and names that differ from run to run. */
export function kindOf(failure: string): string {
  // The first line names the seed, the second the faults.
  return (failure.split('\n')[2] ?? '').replace(/\b[a-z]*\d+(\.\d+)?\b/g, '#').replace(/(# ?)+/g, '#');
}

/** The smallest run found that fails in the same way, and the acts that were left out of it. */
export function shrink(
  failed: Outcome,
  options: SimulationOptions = {},
): { readonly outcome: Outcome; readonly without: ReadonlySet<string> } {
  const kind = kindOf(failed.failure!);
  let best = { outcome: failed, without: new Set(options.without) };
  let runs = 0;
  const leavesOut = (acts: readonly string[]): boolean => {
    if (runs++ >= mostRuns) return false;
    const without = new Set([...best.without, ...acts]);
    const outcome = simulate(failed.seed, { ...options, without });
    if (outcome.failure === undefined || kindOf(outcome.failure) !== kind) return false;
    best = { outcome, without };
    return true;
  };
  let size = Math.ceil(failed.acts.length / 2);
  while (size >= 1 && runs < mostRuns) {
    let changed = false;
    for (let start = 0; start < best.outcome.acts.length; ) {
      if (leavesOut(best.outcome.acts.slice(start, start + size))) changed = true;
      else start += size;
    }
    // At single acts, once more as long as it helps: one may only be superfluous without another.
    if (size > 1) size = Math.ceil(size / 2);
    else if (!changed) break;
  }
  return best;
}
