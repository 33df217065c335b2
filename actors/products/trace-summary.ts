/**
 * Owns the figures of a run: what each node did, what each function took. Must not know: how a trace is
 * drawn or written.
 */
import type { RunTrace } from '../../scheduler/index.ts';
import type { FunctionSummary, NodeSummary, TraceSummary } from './trace.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const secondsOf = ({ startMs, endMs }: RunTrace): number => Math.max(0, endMs - startMs) / 1000;

function nodesOf(runs: readonly RunTrace[]): NodeSummary[] {
  const nodes = new Map<string, Mutable<NodeSummary>>();
  for (const run of runs) {
    const { node, site } = run;
    let sum = nodes.get(node);
    if (sum === undefined) {
      sum = { node, site, tasks: 0, failed: 0, busyS: 0, localBytes: 0, remoteBytes: 0 };
      nodes.set(node, sum);
    }
    sum.tasks++;
    if (run.outcome === 'failed') sum.failed++;
    sum.busyS += secondsOf(run);
    sum.localBytes += run.localBytes;
    sum.remoteBytes += run.remoteBytes;
  }
  return [...nodes.values()].sort((a, b) => compare(a.site, b.site) || compare(a.node, b.node));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function functionsOf(runs: readonly RunTrace[]): FunctionSummary[] {
  const functions = new Map<string, Mutable<FunctionSummary>>();
  for (const run of runs) {
    let sum = functions.get(run.fn);
    if (sum === undefined) {
      sum = { fn: run.fn, tasks: 0, totalS: 0, longestS: 0 };
      functions.set(run.fn, sum);
    }
    const seconds = secondsOf(run);
    sum.tasks++;
    sum.totalS += seconds;
    sum.longestS = Math.max(sum.longestS, seconds);
  }
  return [...functions.values()].sort((a, b) => b.totalS - a.totalS || compare(a.fn, b.fn));
}

/** A trace in figures. */
export function summariseTrace(runs: readonly RunTrace[]): TraceSummary {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { startMs, endMs } of runs) {
    first = Math.min(first, startMs);
    last = Math.max(last, endMs);
  }
  const wallS = runs.length === 0 ? 0 : Math.max(0, last - first) / 1000;
  return { wallS, nodes: nodesOf(runs), functions: functionsOf(runs) };
}
