/**
 * Owns the clusters that the makespan simulator offers: nodes with threads, sites, and every capacity that a
 * transfer passes through. Rates in bytes a second. Must not know: graphs, policies.
 */
import { mebibyte } from './graph.ts';

export interface SimulatedSite {
  readonly name: string;
  readonly nodes: number;
  readonly threads: number;
  /** Of each node. */
  readonly gpus: number;
  /** How much of the source data of a graph lies there, compared with the other sites. */
  readonly share: number;
  /** Of each node's interface, in each direction. */
  readonly nodeRate: number;
  /** Of the site's way out and in; without limit in a cluster of one site. */
  readonly uplinkRate: number;
  /** One way, to the core of the network: two sites are as far apart as the sum. */
  readonly latencySeconds: number;
  /** When transfers to and from it stand still. */
  readonly outage?: { readonly from: number; readonly until: number };
}

export interface Topology {
  readonly name: string;
  readonly sites: readonly SimulatedSite[];
  /** What one transfer between sites can reach at most: a window and its round trip, or loss. */
  readonly flowRate: number;
  /** Every transfer between sites passes through here too, if there is a hub. */
  readonly hubRate: number;
}

const gigabit = 125e6;
const unlimited = Number.POSITIVE_INFINITY;
const lanSeconds = 0.0001;

/** One site, as in ESTEE's experiments. */
export function lan(nodes: number, threads: number, mibPerSecond: number): Topology {
  const nodeRate = mibPerSecond * mebibyte;
  const site = {
    ...{ name: 's', nodes, threads, gpus: 0, share: 1 },
    ...{ nodeRate, uplinkRate: unlimited, latencySeconds: lanSeconds },
  };
  return {
    name: `${nodes}x${threads}@${mibPerSecond}`,
    sites: [site],
    flowRate: unlimited,
    hubRate: unlimited,
  };
}

function tri(outage?: SimulatedSite['outage']): SimulatedSite[] {
  const big = { gpus: 1, nodeRate: 10 * gigabit, uplinkRate: 2 * gigabit, latencySeconds: 0.01 };
  const edges = Array.from({ length: 4 }, (_, index) => ({
    name: `edge${index}`,
    nodes: 2,
    threads: 2,
    gpus: 0,
    share: 2,
    nodeRate: gigabit,
    uplinkRate: 0.1 * gigabit,
    latencySeconds: 0.02,
    ...(index === 0 && outage !== undefined ? { outage } : {}),
  }));
  return [
    { ...big, name: 'hpc', nodes: 16, threads: 8, share: 4 },
    { ...big, name: 'cloud', nodes: 8, threads: 4, share: 1 },
    ...edges,
  ];
}

export const multiSite: readonly Topology[] = [
  {
    name: 'dual',
    sites: ['west', 'east'].map((name, index) => ({
      name,
      nodes: 16,
      threads: 4,
      gpus: 1,
      share: 3 - 2 * index,
      nodeRate: 10 * gigabit,
      uplinkRate: gigabit,
      latencySeconds: 0.005,
    })),
    flowRate: unlimited,
    hubRate: unlimited,
  },
  { name: 'tri-continuum', sites: tri(), flowRate: unlimited, hubRate: unlimited },
  {
    name: 'star5',
    sites: Array.from({ length: 5 }, (_, index) => ({
      name: `star${index}`,
      nodes: 6,
      threads: 4,
      gpus: 1,
      share: 1 + index,
      nodeRate: 10 * gigabit,
      uplinkRate: gigabit,
      latencySeconds: 0.015,
    })),
    flowRate: unlimited,
    hubRate: 2 * gigabit,
  },
  {
    name: 'lossy',
    sites: tri({ from: 30, until: 150 }),
    // 1.22 segments over a round trip of 60 ms and the root of 1 % loss.
    flowRate: (1.22 * 1460) / (0.06 * Math.sqrt(0.01)),
    hubRate: unlimited,
  },
];
