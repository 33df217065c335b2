/**
 * Owns the picture of runs in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open. A
 * process there is a node, a thread is a thread of its executor. Pure. Must not know: how tasks are placed,
 * files.
 */
import type { RunTrace } from './protocol.ts';

/** A run, `ph: X`, or the name of a process or thread, `ph: M`. Times are microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/** A line of the picture: a thread, or a further one for runs of that thread that overlap. */
interface Lane {
  readonly tid: number;
  endMs: number;
}

/** The lanes of one node. */
class NodeLanes {
  readonly pid: number;
  readonly #threads = new Map<number, Lane[]>();
  #next = 0;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** The lane of a run; runs must come in order of their starts. A viewer nests what overlaps on a line, so
   * what overlaps gets a line of its own. */
  take({ thread, startMs, endMs }: RunTrace): { readonly tid: number; readonly named: string | undefined } {
    const lanes = this.#threads.get(thread) ?? [];
    this.#threads.set(thread, lanes);
    const free = lanes.find((lane) => lane.endMs <= startMs);
    if (free !== undefined) {
      free.endMs = endMs;
      return { tid: free.tid, named: undefined };
    }
    const tid = this.#next++;
    lanes.push({ tid, endMs });
    const named = lanes.length === 1 ? `thread ${thread}` : `thread ${thread} (${lanes.length})`;
    return { tid, named };
  }
}

const meta = (name: string, at: { pid: number; tid: number }, args: TraceEvent['args']): TraceEvent => ({
  name,
  ph: 'M',
  ...at,
  args,
});

/** What newer nodes tell of a run, where they do. */
function moreOf(run: RunTrace): Record<string, number> {
  const { fetchMs, queueMs, rssPeakBytes, rssAfterBytes } = run;
  const more = Object.entries({ fetchMs, queueMs, rssPeakBytes, rssAfterBytes });
  return Object.fromEntries(more.filter(([, value]) => value !== undefined)) as Record<string, number>;
}

/** The events of a trace, times from the start of the first run. */
export function* traceEvents(runs: readonly RunTrace[]): Generator<TraceEvent> {
  const sorted = [...runs].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  const zero = sorted[0]?.startMs ?? 0;
  const names = [...new Set(sorted.map(({ site, node }) => `${site}/${node}`))].sort();
  const nodes = new Map<string, NodeLanes>();
  for (const [index, name] of names.entries()) {
    const at = { pid: index + 1, tid: 0 };
    nodes.set(name, new NodeLanes(at.pid));
    yield meta('process_name', at, { name });
    yield meta('process_sort_index', at, { sort_index: index });
  }
  for (const run of sorted) {
    const { key, fn, site, node, startMs, endMs, localBytes, remoteBytes, outcome } = run;
    const lanes = nodes.get(`${site}/${node}`)!;
    const { tid, named } = lanes.take(run);
    const at = { pid: lanes.pid, tid };
    if (named !== undefined) {
      yield meta('thread_name', at, { name: named });
      yield meta('thread_sort_index', at, { sort_index: tid });
    }
    yield {
      name: fn,
      cat: outcome,
      ph: 'X',
      ...at,
      ts: Math.round((startMs - zero) * 1000),
      dur: Math.max(0, Math.round((endMs - startMs) * 1000)),
      args: { fn, key, localBytes, remoteBytes, outcome, ...moreOf(run) },
    };
  }
}

/** A whole trace, as an object that is JSON. `start` is when the first run began. */
export function chromeTrace(runs: readonly RunTrace[]): {
  readonly displayTimeUnit: 'ms';
  readonly otherData: { readonly start?: string };
  readonly traceEvents: readonly TraceEvent[];
} {
  const first = runs.reduce((least, { startMs }) => Math.min(least, startMs), Number.POSITIVE_INFINITY);
  const otherData = Number.isFinite(first) ? { start: new Date(first).toISOString() } : {};
  return { displayTimeUnit: 'ms', otherData, traceEvents: [...traceEvents(runs)] };
}
