/**
 * Owns HEFT (Topcuoglu, Hariri and Wu): the whole schedule is made beforehand from exact durations, sizes and
 * rates, tasks in order of their upward rank, each put into the earliest gap of the node where it ends first.
 * It knows nothing of transfers that hold up one another. Must not know: the scheduler's own policy.
 */
import { assign } from '../../../scheduler/assignment.ts';
import type { SimulatedGraph, SimulatedTask } from '../graph.ts';
import { keyAt, type Plan } from '../simulated-run.ts';
import type { SimulatedSite, Topology } from '../topology.ts';

interface Interval {
  readonly start: number;
  readonly end: number;
  readonly task: SimulatedTask;
}
interface PlannedNode {
  readonly id: string;
  readonly site: SimulatedSite;
  readonly busy: Interval[];
}
interface Place {
  readonly node: PlannedNode;
  readonly start: number;
  readonly end: number;
}

/** How long bytes take from one node to another with the way for themselves. */
function transferSeconds(topology: Topology, bytes: number, from: PlannedNode, to: PlannedNode): number {
  if (from === to) return 0;
  const [a, b] = [from.site, to.site];
  if (a === b) return bytes / a.nodeRate;
  const { flowRate, hubRate } = topology;
  const rate = Math.min(a.nodeRate, b.nodeRate, a.uplinkRate, b.uplinkRate, flowRate, hubRate);
  return 2 * (a.latencySeconds + b.latencySeconds) + bytes / rate;
}

/** The earliest time from `ready` on at which the node has room for the task all through. */
function earliestGap({ busy, site }: PlannedNode, task: SimulatedTask, ready: number): number {
  if (task.seconds === 0) return ready;
  const near = busy.filter(({ end }) => end > ready);
  const fits = (start: number): boolean => {
    const end = start + task.seconds;
    const among = near.filter((other) => other.start < end && other.end > start);
    // What is in use changes only where another task starts.
    for (const time of [start, ...among.map((other) => other.start).filter((at) => at > start)]) {
      let threads = task.threads;
      let gpus = task.gpus;
      for (const other of among) {
        if (other.start > time || other.end <= time) continue;
        threads += other.task.threads;
        gpus += other.task.gpus;
      }
      if (threads > site.threads || gpus > site.gpus) return false;
    }
    return true;
  };
  if (fits(ready)) return ready;
  for (const end of near.map((other) => other.end).sort((a, b) => a - b)) if (fits(end)) return end;
  return Number.POSITIVE_INFINITY;
}

/** Mean cost of a transfer between two different nodes, a byte. */
function meanSecondsPerByte(topology: Topology, nodes: readonly PlannedNode[]): number {
  let sum = 0;
  let pairs = 0;
  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to) continue;
      sum += transferSeconds(topology, 1e6, from, to) / 1e6;
      pairs++;
    }
  }
  return pairs === 0 ? 0 : sum / pairs;
}

function upwardRanks({ tasks }: SimulatedGraph, secondsPerByte: number): number[] {
  const ranks = tasks.map(({ seconds }) => seconds);
  for (let index = tasks.length - 1; index >= 0; index--) {
    for (const input of tasks[index]!.inputs) {
      const through = tasks[input]!.bytes * secondsPerByte + ranks[index]!;
      ranks[input] = Math.max(ranks[input]!, tasks[input]!.seconds + through);
    }
  }
  return ranks;
}

function schedule(graph: SimulatedGraph, topology: Topology): Place[] {
  const nodes = topology.sites.flatMap((site) =>
    Array.from({ length: site.nodes }, (_, index) => ({ id: `${site.name}-${index}`, site, busy: [] })),
  ) as PlannedNode[];
  const ranks = upwardRanks(graph, meanSecondsPerByte(topology, nodes));
  const order = graph.tasks.map((_, index) => index).sort((a, b) => ranks[b]! - ranks[a]! || a - b);
  const places: Place[] = [];
  for (const index of order) {
    const task = graph.tasks[index]!;
    let best: Place | undefined;
    for (const node of nodes) {
      const { site } = node;
      if (task.site !== undefined && task.site !== site.name) continue;
      if (task.threads > site.threads || task.gpus > site.gpus) continue;
      let ready = 0;
      for (const input of task.inputs) {
        const from = places[input]!;
        const bytes = graph.tasks[input]!.bytes;
        ready = Math.max(ready, from.end + transferSeconds(topology, bytes, from.node, node));
      }
      if (best !== undefined && ready + task.seconds >= best.end) continue;
      const start = earliestGap(node, task, ready);
      if (best === undefined || start + task.seconds < best.end) {
        best = { node, start, end: start + task.seconds };
      }
    }
    places[index] = best!;
    if (task.seconds > 0) best!.node.busy.push({ start: best!.start, end: best!.end, task });
  }
  return places;
}

export function heftPlan(graph: SimulatedGraph, topology: Topology): Plan {
  const places = schedule(graph, topology);
  const nodeOf = new Map(places.map(({ node }, index) => [keyAt(index) as string, node.id]));
  const order = places.map((_, index) => index).sort((a, b) => places[a]!.start - places[b]!.start || a - b);
  return {
    order,
    policy: {
      name: 'heft',
      place(state) {
        const fresh = state.fresh;
        state.fresh = [];
        for (const task of fresh) {
          const id = nodeOf.get(task.spec.key);
          const node = [...state.nodes.values()].find(({ info }) => info.node === id);
          if (task.phase.name === 'ready') assign(state, task, node!);
        }
      },
    },
  };
}
