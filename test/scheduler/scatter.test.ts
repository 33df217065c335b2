/** Where data of clients are put: which places the scheduler names, and which of them a client takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId, siteName } from '../../runtime/index.ts';
import { choosePlace } from '../../scheduler/choose-place.ts';
import { clientLimits } from '../../scheduler/limits.ts';
import { RecentPuts } from '../../scheduler/recent-puts.ts';
import type { Place } from '../../scheduler/scatter-messages.ts';
import { me, World } from './world.ts';

function places(world: World, where: { node?: string; site?: string }): string {
  world.client({ type: 'status' });
  const { node, site } = where;
  const message = {
    type: 'find-places',
    request: 1,
    ...(node === undefined ? {} : { node: nodeId(node) }),
    ...(site === undefined ? {} : { site: siteName(site) }),
  } as const;
  for (const out of world.feed({ type: 'from-client', client: me, message })) {
    if (out.type !== 'notify' || out.message.type !== 'places-found') continue;
    const { places, problem } = out.message;
    return problem?.code ?? places.map(({ node }) => node).join(' ');
  }
  return 'no answer';
}

test('data may be put on the nodes that take work: all, those of a site, or one', () => {
  const world = new World();
  assert.equal(places(world, {}), '');
  for (const name of ['a1', 'a2', 'b1']) world.join(name);
  assert.equal(places(world, {}), 'a1 a2 b1');
  assert.equal(places(world, { site: 'a' }), 'a1 a2');
  assert.equal(places(world, { node: 'b1' }), 'b1');
  assert.equal(places(world, { node: 'b1', site: 'a' }), 'no-such-node');
  assert.equal(places(world, { node: 'c1' }), 'no-such-node');
  assert.equal(places(world, { site: 'c' }), 'no-such-site');
  world.node('b1', { type: 'retiring' });
  assert.equal(places(world, {}), 'a1 a2');
  assert.equal(places(world, { node: 'b1' }), '');
  world.lose('b1');
  // Another node of the site may come.
  assert.equal(places(world, { site: 'b' }), '');
  assert.equal(places(world, { node: 'b1' }), 'no-such-node');
});

function placeOf(name: string, memoryBytes: number, storedBytes: number): Place {
  return { node: nodeId(name), site: siteName('a'), url: `ws://${name}`, memoryBytes, storedBytes };
}

test('a datum goes where most memory is free, if it fits there at all', () => {
  const puts = new RecentPuts();
  const all = [placeOf('a1', 100, 50), placeOf('a2', 100, 20), placeOf('a3', 1000, 990)];
  const choose = (bytes: number, ms: number) => choosePlace(all, bytes, puts.at(ms))?.node;
  assert.equal(choose(10, 0), 'a2');
  assert.equal(choose(500, 0), 'a3');
  assert.equal(choose(5000, 0), 'a2');
  assert.equal(choosePlace([], 1, puts.at(0)), undefined);
});

test('what was put on a node lately counts until the figures of nodes have it', () => {
  const puts = new RecentPuts();
  const all = [placeOf('a1', 100, 0), placeOf('a2', 100, 0)];
  const chosen: unknown[] = [];
  for (const ms of [0, 1, 2, 3]) {
    const { node } = choosePlace(all, 10, puts.at(ms))!;
    puts.add(node, 10, ms);
    chosen.push(node);
  }
  assert.deepEqual(chosen, ['a1', 'a2', 'a1', 'a2']);
  const sums = (ms: number) => [...puts.at(ms).values()];
  assert.deepEqual(sums(clientLimits.figuresMs + 2), [10, 10]);
  assert.deepEqual(sums(clientLimits.figuresMs + 4), [0, 0]);
});
