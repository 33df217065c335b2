/** The makespan simulator itself: fair sharing, static schedules, and runs that can be repeated. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementaryGraph } from '../../bench/makespan/elementary-graphs.ts';
import { GraphBuilder } from '../../bench/makespan/graph.ts';
import { capacity, Network } from '../../bench/makespan/network.ts';
import { daskPlan } from '../../bench/makespan/policies/dask-policy.ts';
import { heftPlan } from '../../bench/makespan/policies/heft-policy.ts';
import { randomPolicy } from '../../bench/makespan/policies/random-policy.ts';
import { type Plan, SimulatedRun } from '../../bench/makespan/simulated-run.ts';
import { siteGraph, siteGraphNames } from '../../bench/makespan/site-graphs.ts';
import { lan, multiSite } from '../../bench/makespan/topology.ts';

test('transfers through one capacity share it, and what one cannot use goes to the others', () => {
  const network = new Network();
  const ends: string[] = [];
  const [shared, slow, fast] = [capacity(10), capacity(2), capacity(100)];
  network.begin([shared, slow], 20, () => ends.push('slow'));
  network.begin([shared, fast], 40, () => ends.push('a'));
  network.begin([shared, fast], 80, () => ends.push('b'));
  // 2 for the slow one, 4 for each of the others.
  assert.equal(network.nextEnd, 10);
  network.advance(10);
  assert.deepEqual(ends, ['slow', 'a']);
  // What is left has all of it.
  assert.equal(network.nextEnd, 14);
  network.advance(14);
  assert.deepEqual(ends, ['slow', 'a', 'b']);
  assert.equal(network.moved, 140);
});

test('a transfer stands still while a capacity on its way is gone', () => {
  const network = new Network();
  const link = capacity(10);
  network.begin([link], 100, () => undefined);
  network.advance(5);
  link.rate = 0;
  network.changed();
  assert.equal(network.nextEnd, Number.POSITIVE_INFINITY);
  network.advance(50);
  link.rate = 10;
  network.changed();
  assert.equal(network.nextEnd, 55);
});

test('HEFT puts a small task into the gap before a wide one', () => {
  const builder = new GraphBuilder(1);
  const first = builder.add('a', { seconds: 10 });
  builder.add('wide', { seconds: 100, threads: 2, inputs: [first] });
  builder.add('small', { seconds: 5 });
  const graph = builder.build('gap');
  const topology = lan(1, 2, 100);
  const plan = heftPlan(graph, topology);
  const { makespanSeconds } = new SimulatedRun({ graph, topology, knowledge: 'exact', plan }).run();
  assert.ok(makespanSeconds < 111, `${makespanSeconds} s`);
});

const plans: Readonly<Record<string, (seed: number) => Plan>> = {
  ours: () => ({ policy: undefined }),
  dask: () => daskPlan(),
  random: (seed) => ({ policy: randomPolicy(seed) }),
};

for (const [name, planOf] of Object.entries(plans)) {
  test(`${name}: the same seed gives the same run, over one site and several`, () => {
    const [dual] = multiSite;
    const graphs = [elementaryGraph('triplets', 3), siteGraph(siteGraphNames[1]!, dual!, 3)];
    for (const [index, topology] of [lan(4, 4, 100), dual!].entries()) {
      const graph = graphs[index]!;
      const run = () => {
        const plan = planOf(3);
        const outcome = new SimulatedRun({ graph, topology, knowledge: 'none', plan }).run();
        return [outcome.makespanSeconds, outcome.crossSiteBytes];
      };
      assert.deepEqual(run(), run());
    }
  });
}
