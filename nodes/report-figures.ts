/**
 * Owns the figures of a performance report, from the runs of a cluster: sums by function, lanes by thread,
 * memory by node over time, and the critical path. Pure. Must not know: how they are shown.
 */
import type { RunTrace } from '../scheduler/index.ts';

export interface FunctionSum {
  readonly fn: string;
  runs: number;
  failed: number;
  computeMs: number;
  longestMs: number;
  fetchMs: number;
  queueMs: number;
  fetchedBytes: number;
  growthBytes: number;
}

/** Sums by function, the one that took most time first. */
export function sumsOf(runs: readonly RunTrace[]): FunctionSum[] {
  const sums = new Map<string, FunctionSum>();
  for (const run of runs) {
    let sum = sums.get(run.fn);
    if (sum === undefined) {
      const zero = { runs: 0, failed: 0, computeMs: 0, longestMs: 0, fetchMs: 0, queueMs: 0 };
      sum = { fn: run.fn, ...zero, fetchedBytes: 0, growthBytes: 0 };
      sums.set(run.fn, sum);
    }
    const tookMs = run.endMs - run.startMs;
    sum.runs++;
    if (run.outcome === 'failed') sum.failed++;
    sum.computeMs += tookMs;
    sum.longestMs = Math.max(sum.longestMs, tookMs);
    sum.fetchMs += run.fetchMs ?? 0;
    sum.queueMs += run.queueMs ?? 0;
    sum.fetchedBytes += run.localBytes + run.remoteBytes;
    sum.growthBytes = Math.max(sum.growthBytes, (run.rssPeakBytes ?? 0) - (run.rssBeforeBytes ?? 0));
  }
  return [...sums.values()].sort((a, b) => b.computeMs - a.computeMs);
}

/** The threads of all nodes, in order, as `site/node thread`. */
export function lanesOf(runs: readonly RunTrace[]): { readonly names: string[]; readonly of: number[] } {
  const nameOf = ({ site, node, thread }: RunTrace) => `${site}/${node} ${String(thread).padStart(3)}`;
  const names = [...new Set(runs.map(nameOf))].sort();
  const index = new Map(names.map((name, lane) => [name, lane]));
  return {
    names: names.map((name) => name.replace(/ +(\d+)$/, ' $1')),
    of: runs.map((r) => index.get(nameOf(r))!),
  };
}

/** What a node's process took after each of its runs, in order of time, thinned to `most` points. */
export function memoryOf(
  runs: readonly RunTrace[],
  most: number,
): { readonly node: string; readonly points: readonly (readonly [ms: number, bytes: number])[] }[] {
  const nodes = new Map<string, [number, number][]>();
  for (const { site, node, endMs, rssAfterBytes, rssPeakBytes } of runs) {
    if (rssAfterBytes === undefined) continue;
    const name = `${site}/${node}`;
    const points = nodes.get(name) ?? [];
    nodes.set(name, points);
    points.push([endMs, Math.max(rssAfterBytes, rssPeakBytes ?? 0)]);
  }
  return [...nodes].sort().map(([node, points]) => {
    points.sort((a, b) => a[0] - b[0]);
    const step = Math.max(1, Math.ceil(points.length / most));
    const thin: [number, number][] = [];
    for (let from = 0; from < points.length; from += step) {
      const some = points.slice(from, from + step);
      thin.push([some.at(-1)![0], some.reduce((top, [, bytes]) => Math.max(top, bytes), 0)]);
    }
    return { node, points: thin };
  });
}

/** From the run that ended last back through the inputs that came last: to end sooner, one of these would
 * have to be faster. The first run first. */
export function criticalPath(runs: readonly RunTrace[]): RunTrace[] {
  const byKey = new Map<string, RunTrace>();
  let last: RunTrace | undefined;
  for (const run of runs) {
    if (run.outcome !== 'done') continue;
    const known = byKey.get(run.key);
    if (known === undefined || known.endMs < run.endMs) byKey.set(run.key, run);
    if (last === undefined || run.endMs > last.endMs) last = run;
  }
  const path: RunTrace[] = [];
  const seen = new Set<RunTrace>();
  for (let run = last; run !== undefined && !seen.has(run); run = byKey.get(run.after ?? '')) {
    seen.add(run);
    path.unshift(run);
  }
  return path;
}
