/**
 * Owns the scheduler's running sums: runs by function, transfers by pair of sites, comings and goings, and
 * whether a node's memory only grows. Each event adds to a few numbers; everything else about the cluster is
 * counted when somebody asks. Pure. Must not know: who asks.
 */
import type { NodeId, SiteName } from '../runtime/index.ts';
import { limits } from './limits.ts';
import type { RunTrace } from './protocol.ts';

export interface FunctionTally {
  done: number;
  failed: number;
  seconds: number;
  longestSeconds: number;
  bytes: number;
  /** The most by which a node's process grew during a run. */
  growthBytes: number;
}

export interface LinkTally {
  readonly from: SiteName;
  readonly to: SiteName;
  bytes: number;
  transfers: number;
  seconds: number;
}

/** The least that a node took after its runs, for each of the last spans of runs, oldest first. */
export interface MemoryTally {
  readonly leastBytes: number[];
  current: number;
  runs: number;
}

export interface Tally {
  readonly functions: Map<string, FunctionTally>;
  readonly links: Map<string, LinkTally>;
  readonly memory: Map<NodeId, MemoryTally>;
  /** Runs that ended. */
  runs: number;
  nodesJoined: number;
  nodesLost: number;
  nodesLeft: number;
}

export function createTally(): Tally {
  return {
    functions: new Map(),
    links: new Map(),
    memory: new Map(),
    runs: 0,
    nodesJoined: 0,
    nodesLost: 0,
    nodesLeft: 0,
  };
}

function functionTally(tally: Tally, fn: string): FunctionTally {
  let row = tally.functions.get(fn);
  if (row === undefined) {
    row = { done: 0, failed: 0, seconds: 0, longestSeconds: 0, bytes: 0, growthBytes: 0 };
    tally.functions.set(fn, row);
  }
  return row;
}

/** A run has ended, whether or not its result still counts: its time was spent.
 * @param storedBytes the data that its node held by its last word */
export function tallyRun(tally: Tally, trace: RunTrace, storedBytes: number): void {
  tally.runs++;
  const row = functionTally(tally, trace.fn);
  const seconds = Math.max(0, trace.endMs - trace.startMs) / 1000;
  if (trace.outcome === 'done') row.done++;
  else row.failed++;
  if (Number.isFinite(seconds)) row.seconds += seconds;
  if (seconds > row.longestSeconds && Number.isFinite(seconds)) row.longestSeconds = seconds;
  const { rssBeforeBytes, rssPeakBytes, rssAfterBytes } = trace;
  if (rssBeforeBytes !== undefined && rssPeakBytes !== undefined)
    row.growthBytes = Math.max(row.growthBytes, rssPeakBytes - rssBeforeBytes);
  if (rssAfterBytes !== undefined) tallyMemory(tally, trace.node, rssAfterBytes - storedBytes);
}

export function tallyResult(tally: Tally, fn: string, bytes: number): void {
  functionTally(tally, fn).bytes += bytes;
}

export function tallyTransfer(
  tally: Tally,
  pair: { readonly from: SiteName; readonly to: SiteName },
  about: { readonly bytes: number; readonly ms: number | undefined },
): void {
  const id = `${pair.from}>${pair.to}`;
  let link = tally.links.get(id);
  if (link === undefined) {
    link = { ...pair, bytes: 0, transfers: 0, seconds: 0 };
    tally.links.set(id, link);
  }
  link.bytes += about.bytes;
  link.transfers++;
  if (about.ms !== undefined && about.ms > 0 && Number.isFinite(about.ms)) link.seconds += about.ms / 1000;
}

/** What a node's process takes after a run, stored data apart. */
function tallyMemory(tally: Tally, node: NodeId, bytes: number): void {
  let memory = tally.memory.get(node);
  if (memory === undefined) {
    memory = { leastBytes: [], current: Number.POSITIVE_INFINITY, runs: 0 };
    tally.memory.set(node, memory);
  }
  memory.current = Math.min(memory.current, bytes);
  if (++memory.runs < limits.ratchetRuns) return;
  memory.leastBytes.push(memory.current);
  if (memory.leastBytes.length > limits.ratchetSpans) memory.leastBytes.shift();
  memory.current = Number.POSITIVE_INFINITY;
  memory.runs = 0;
}

/** A node has gone: left as it said, or lost. */
export function tallyParting(tally: Tally, node: NodeId, retiring: boolean): void {
  tally.memory.delete(node);
  if (retiring) tally.nodesLeft++;
  else tally.nodesLost++;
}

/** Whether the least that a node takes has grown from each span of runs to the next, and by much: garbage
 * comes and goes, but what is still there after every run was kept by somebody. */
export function ratchets(memory: MemoryTally | undefined): boolean {
  if (memory === undefined || memory.leastBytes.length < limits.ratchetSpans) return false;
  const grows = memory.leastBytes.every((bytes, k, all) => k === 0 || bytes > all[k - 1]!);
  return grows && memory.leastBytes.at(-1)! - memory.leastBytes[0]! >= limits.ratchetBytes;
}
