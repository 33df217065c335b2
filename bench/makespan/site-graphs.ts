/**
 * Owns graphs whose source data lie at several sites, in the shapes of radio interferometry: independent
 * chains, a search of segments on GPUs, a reduction over time by band, a corner turn. Must not know:
 * policies.
 */
import { GraphBuilder, type SimulatedGraph } from './graph.ts';
import type { Topology } from './topology.ts';

/** Where the n-th piece of source data lies. */
type SiteOf = () => string;
type Make = (builder: GraphBuilder, siteOf: SiteOf) => void;

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Read, flag, calibrate and write each chunk by itself, as QuartiCal does: nothing need ever move. */
const independent: Make = (builder, siteOf) => {
  const { draws } = builder;
  for (const _ of range(600)) {
    const read = builder.add('read', { seconds: 0.05, mib: 64, site: siteOf() });
    const flag = builder.add('flag', {
      seconds: draws.normal(0.1, 0.01),
      expectedSeconds: 0.1,
      mib: 64,
      inputs: [read],
    });
    const calibrate = builder.add('calibrate', {
      seconds: draws.normal(0.4, 0.08),
      expectedSeconds: 0.4,
      mib: 64,
      inputs: [flag],
    });
    builder.add('write', { seconds: 0.05, inputs: [calibrate] });
  }
};

/** Segments of a live stream, each searched on GPUs in several blocks, as realfast does. */
const transient: Make = (builder, siteOf) => {
  const { draws } = builder;
  for (const _ of range(40)) {
    const read = builder.add('read', { seconds: 0.2, mib: 128, site: siteOf() });
    const prep = builder.add('prep', {
      seconds: draws.normal(0.5, 0.05),
      expectedSeconds: 0.5,
      mib: 128,
      inputs: [read],
    });
    const blocks = range(8).map(() =>
      builder.add('search', {
        seconds: draws.normal(1.2, 0.2),
        expectedSeconds: 1.2,
        mib: 0.1,
        gpus: 1,
        inputs: [prep],
      }),
    );
    const found = builder.add('collect', { seconds: 0.05, mib: 0.1, inputs: blocks });
    if (draws.next() < 0.05) builder.add('product', { seconds: 2, mib: 1, inputs: [found, prep] });
  }
};

/** Grids of many times and bands, summed over time for each band by a tree, then stacked. */
const reduce: Make = (builder, siteOf) => {
  const { draws } = builder;
  const bands = 8;
  const grids = range(bands).map((): number[] => []);
  for (const _ of range(60)) {
    const site = siteOf();
    for (const band of range(bands)) {
      const read = builder.add('read', { seconds: 0.05, mib: 64, site });
      const grid = builder.add('grid', {
        seconds: draws.normal(0.5, 0.05),
        expectedSeconds: 0.5,
        mib: 8,
        inputs: [read],
      });
      grids[band]!.push(grid);
    }
  }
  const sums = grids.map((level) => {
    let current = level;
    while (current.length > 1) {
      const next: number[] = [];
      for (let start = 0; start < current.length; start += 8) {
        next.push(builder.add('sum', { seconds: 0.05, mib: 8, inputs: current.slice(start, start + 8) }));
      }
      current = next;
    }
    return current[0]!;
  });
  builder.add('stack', { seconds: 0.2, mib: 8 * bands, inputs: sums });
};

/** From pieces by time to pieces by frequency: all to all. */
const shuffle: Make = (builder, siteOf) => {
  const count = 24;
  const columns = range(count).map(() =>
    builder.addParts(
      'time',
      { seconds: 1, site: siteOf() },
      range(count).map(() => 8),
    ),
  );
  for (const channel of range(count)) {
    const inputs = columns.map((parts) => parts[channel]!);
    const image = builder.add('frequency', { seconds: 2, mib: 8, inputs });
    builder.add('write', { seconds: 0.1, inputs: [image] });
  }
};

const makers: Readonly<Record<string, Make>> = {
  'vis-independent': independent,
  'vis-transient': transient,
  'vis-reduce': reduce,
  'vis-shuffle': shuffle,
};

export const siteGraphNames: readonly string[] = Object.keys(makers);

/** The source data are spread over the sites of the topology by their shares. */
export function siteGraph(name: string, topology: Topology, seed: number): SimulatedGraph {
  const builder = new GraphBuilder(seed);
  const lots = topology.sites.flatMap((site) => range(site.share).map(() => site.name));
  makers[name]!(builder, () => builder.draws.pick(lots));
  return builder.build(name);
}
