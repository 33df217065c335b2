/**
 * Simulates how long graphs take under several placement policies: the scheduler's own, Dask's, HEFT with
 * exact knowledge, and lots drawn. The scheduler is the production core; nodes, network and time are
 * simulated (makespan/). First the ESTEE graph set on one site, then graphs with source data at several
 * sites. Prints makespans and their ratios, geometric means over seeds.
 *
 *     node dist/bench/makespan.js [--seeds N] [--only lan|sites] [--graph NAME] [--knowledge exact|mean|none]
 */
import { parseArgs } from 'node:util';
import { elementaryGraph, elementaryNames } from './makespan/elementary-graphs.ts';
import type { SimulatedGraph } from './makespan/graph.ts';
import { daskPlan } from './makespan/policies/dask-policy.ts';
import { heftPlan } from './makespan/policies/heft-policy.ts';
import { randomPolicy } from './makespan/policies/random-policy.ts';
import { type Knowledge, type Outcome, type Plan, SimulatedRun } from './makespan/simulated-run.ts';
import { siteGraph, siteGraphNames } from './makespan/site-graphs.ts';
import { lan, multiSite, type Topology } from './makespan/topology.ts';
import { workflowGraph, workflowNames } from './makespan/workflow-graphs.ts';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    only: { type: 'string' },
    graph: { type: 'string' },
    cluster: { type: 'string' },
    knowledge: { type: 'string' },
  },
});
const seeds = Math.max(1, Number(options.seeds));

type PolicyName = 'ours' | 'dask' | 'heft' | 'random';
const policies: readonly PolicyName[] = ['ours', 'dask', 'heft', 'random'];

interface Case {
  readonly name: string;
  readonly topology: Topology;
  readonly make: (seed: number) => SimulatedGraph;
}

function planOf(policy: PolicyName, graph: SimulatedGraph, topology: Topology, seed: number): Plan {
  if (policy === 'dask') return daskPlan();
  if (policy === 'heft') return heftPlan(graph, topology);
  return { policy: policy === 'random' ? randomPolicy(seed) : undefined };
}

class Means {
  readonly #sums = new Map<
    string,
    { logs: number; bytes: number; schedulerMs: number; tasks: number; count: number }
  >();

  note(policy: string, outcome: Outcome, tasks: number): void {
    const sum = this.#sums.get(policy) ?? { logs: 0, bytes: 0, schedulerMs: 0, tasks: 0, count: 0 };
    this.#sums.set(policy, sum);
    sum.logs += Math.log(outcome.makespanSeconds);
    sum.bytes += outcome.crossSiteBytes;
    sum.schedulerMs += outcome.schedulerMs;
    sum.tasks += tasks;
    sum.count++;
  }

  seconds(policy: string): number {
    const { logs, count } = this.#sums.get(policy)!;
    return Math.exp(logs / count);
  }

  gigabytes(policy: string): number {
    const { bytes, count } = this.#sums.get(policy)!;
    return bytes / count / 1e9;
  }

  microsecondsPerTask(policy: string): number {
    const { schedulerMs, tasks } = this.#sums.get(policy)!;
    return (1000 * schedulerMs) / tasks;
  }
}

function runSet(title: string, cases: readonly Case[], knowledge: Knowledge): void {
  console.log(
    `\n${title}; durations and sizes known: ${knowledge}; ${seeds} seeds; seconds (GB between sites)\n`,
  );
  console.log(
    `${'graph'.padEnd(34)}${policies.map((name) => name.padStart(18)).join('')}   ours/heft ours/dask`,
  );
  const ratios = { heft: 0, dask: 0, random: 0 };
  const total = new Means();
  for (const { name, topology, make } of cases) {
    const means = new Means();
    for (let seed = 1; seed <= seeds; seed++) {
      const graph = make(seed);
      for (const policy of policies) {
        const plan = planOf(policy, graph, topology, seed);
        const known = policy === 'heft' ? 'exact' : knowledge;
        const outcome = new SimulatedRun({ graph, topology, knowledge: known, plan }).run();
        for (const sums of [means, total]) sums.note(policy, outcome, graph.tasks.length);
      }
    }
    const cells = policies.map((policy) => {
      const moved = means.gigabytes(policy);
      return `${means.seconds(policy).toFixed(1)}${moved > 0 ? ` (${moved.toFixed(1)})` : ''}`.padStart(18);
    });
    for (const peer of ['heft', 'dask', 'random'] as const) {
      ratios[peer] += Math.log(means.seconds('ours') / means.seconds(peer)) / cases.length;
    }
    const over = ['heft', 'dask'].map((peer) => (means.seconds('ours') / means.seconds(peer)).toFixed(2));
    const row = `${name} ${topology.name}`.padEnd(34);
    console.log(`${row}${cells.join('')}${over.map((ratio) => ratio.padStart(10)).join('')}`);
  }
  const words = Object.entries(ratios).map(([peer, log]) => `${Math.exp(log).toFixed(3)} of ${peer}`);
  console.log(`\ngeometric mean of ours: ${words.join(', ')}`);
  const cost = policies.map((policy) => `${policy} ${total.microsecondsPerTask(policy).toFixed(0)}`);
  console.log(`scheduler, microseconds a task: ${cost.join(', ')}`);
}

const wanted = <T extends { readonly name: string; readonly topology: Topology }>(list: readonly T[]): T[] =>
  list.filter(
    ({ name, topology }) =>
      (options.graph === undefined || name === options.graph) &&
      (options.cluster === undefined || topology.name === options.cluster),
  );

const clusters = [lan(8, 4, 32), lan(16, 4, 128), lan(32, 4, 512)];
const estee: Case[] = clusters.flatMap((topology) => [
  ...elementaryNames.map((name) => ({ name, topology, make: (seed: number) => elementaryGraph(name, seed) })),
  ...workflowNames.map((name) => ({ name, topology, make: (seed: number) => workflowGraph(name, seed) })),
]);
const sites: Case[] = multiSite.flatMap((topology) =>
  siteGraphNames.map((name) => ({ name, topology, make: (seed: number) => siteGraph(name, topology, seed) })),
);

const knowledges = (options.knowledge === undefined ? ['exact', 'none'] : [options.knowledge]) as Knowledge[];
for (const knowledge of knowledges) {
  if (options.only !== 'sites') runSet('ESTEE graph set on one site', wanted(estee), knowledge);
  if (options.only !== 'lan') runSet('Graphs with data at several sites', wanted(sites), knowledge);
}
