/**
 * Owns the figures that clients are shown: progress of their tasks, status of the cluster, the trace of runs.
 * Pure. Must not know: who asks, how often.
 */
import type { ClientId } from '../runtime/index.ts';
import { stalledFor } from './barren-core.ts';
import { limits } from './limits.ts';
import type { NodeStatus, RunTrace, ToClient } from './protocol.ts';
import { type ClientRecord, notify, type SchedulerState } from './scheduler-state.ts';
import { tallyRun } from './tally.ts';

/** Tells a client how far its tasks are, when that has changed or some are unfinished. */
export function tellProgress(state: SchedulerState, id: ClientId, client: ClientRecord): void {
  const told = `${client.done}/${client.total}`;
  if (told === client.told && client.done === client.total) return;
  client.told = told;
  let storedBytes = 0;
  let rssBytes = 0;
  for (const { status } of state.nodes.values()) {
    storedBytes += status.storedBytes;
    rssBytes += status.rssBytes;
  }
  const stalled = stalledFor(state, id);
  notify(state, id, {
    type: 'progress',
    total: client.total,
    done: client.done,
    running: state.counts.assigned,
    storedBytes,
    rssBytes,
    crossSiteBytes: state.crossSiteBytes,
    nodes: state.nodes.size,
    byFunction: [...client.byFunction].map(([fn, row]) => ({ fn, ...row })),
    ...(stalled.length > 0 ? { stalled } : {}),
  });
}

export function statusOf(state: SchedulerState): Extract<ToClient, { type: 'status' }> {
  const nodes = [...state.nodes.values()].map(({ info, status }): NodeStatus => {
    const { node, site, threads, memoryBytes, data } = info;
    return { node, site, threads, memoryBytes, ...status, ...(data === undefined ? {} : { data }) };
  });
  const { counts, crossSiteBytes, lateness } = state;
  return { type: 'status', nodes, tasks: { ...counts }, crossSiteBytes, lateness: { ...lateness } };
}

/** Sends the runs that are kept, in pieces. */
export function tellTrace(state: SchedulerState, client: ClientId): void {
  const { traces } = state;
  for (let start = 0; start === 0 || start < traces.length; start += limits.tracePiece) {
    const runs = traces.slice(start, start + limits.tracePiece);
    notify(state, client, { type: 'trace', runs, last: start + limits.tracePiece >= traces.length });
  }
}

export function keepTrace(state: SchedulerState, trace: RunTrace): void {
  const after = state.tasks.get(trace.key)?.readiedBy;
  state.traces.push(after === undefined ? trace : { ...trace, after });
  tallyRun(state.tally, trace, state.nodes.get(trace.node)?.status.storedBytes ?? 0);
  state.crossSiteBytes += trace.remoteBytes;
  if (state.traces.length > 1.25 * limits.traceRuns) state.traces = state.traces.slice(-limits.traceRuns);
}
