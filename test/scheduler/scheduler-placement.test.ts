/** Where tasks go and in which order, by what is known of lines, backlog and time: events in, instructions
 * out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId, siteName, taskKey } from '../../runtime/index.ts';
import { explain } from '../../scheduler/explain.ts';
import { capacityOf, linkBetween } from '../../scheduler/link-model.ts';
import { spec, World } from './world.ts';

function computes(sentences: readonly string[]): string[] {
  return sentences.filter((sentence) => sentence.includes('compute'));
}

/** A node tells that it has fetched a datum. */
function fetched(world: World, name: string, fetch: { by: string; from: string; bytes: number; ms: number }) {
  const { by, from, bytes, ms } = fetch;
  world.now = (world.now + ms) as typeof world.now;
  return world.node(by, {
    type: 'replica-added',
    key: taskKey(name),
    bytes,
    from: nodeId(from),
    fetchMs: ms,
  });
}

/** A datum made on one node, wanted so that it stays. */
function made(world: World, name: string, bytes: number): void {
  world.submit([spec(name)], name);
  world.done(name, bytes);
}

test('each ordered pair of sites has its own measured rate, and small transfers tell the delay', () => {
  const world = new World();
  world.join('a1');
  made(world, 'x', 1e8);
  world.join('b1');
  for (let round = 0; round < 20; round++) {
    fetched(world, 'x', { by: 'b1', from: 'a1', bytes: 1e8, ms: 10_000 });
    fetched(world, 'x', { by: 'b1', from: 'a1', bytes: 100, ms: 300 });
  }
  const there = linkBetween(world.state, siteName('a'), siteName('b'));
  const back = linkBetween(world.state, siteName('b'), siteName('a'));
  assert.ok(Math.abs(there.bytesPerSecond - 1e7) < 2e6, `${there.bytesPerSecond} bytes a second`);
  assert.ok(Math.abs(there.latencySeconds - 0.3) < 0.02, `${there.latencySeconds} s`);
  assert.equal(back.bytesPerSecond, 50e6);
});

test('a line bears more than one transfer reaches when several at once have shown it', () => {
  const world = new World();
  world.join('a1');
  made(world, 'x', 1e8);
  world.join('b1');
  world.join('b2');
  // Two at a time, each at 10 MB a second.
  for (let round = 0; round < 20; round++) {
    fetched(world, 'x', { by: 'b1', from: 'a1', bytes: 1e8, ms: 10_000 });
    world.node('b2', {
      type: 'replica-added',
      key: taskKey('x'),
      bytes: 1e8,
      from: nodeId('a1'),
      fetchMs: 10_000,
    });
  }
  const link = linkBetween(world.state, siteName('a'), siteName('b'));
  assert.ok(capacityOf(link) > 1.8e7, `${capacityOf(link)} bytes a second`);
});

test('a datum that several tasks of a site need crosses to it once; the others wait for that copy', () => {
  const world = new World();
  world.join('a1');
  made(world, 'x', 1e9);
  world.join('b1', { resources: { gpu: 1 } });
  world.join('b2', { resources: { gpu: 1 } });
  const users = ['u1', 'u2'].map((name) => spec(name, ['x'], { needs: { gpu: 1 }, seconds: 100 }));
  const sent = computes(world.submit(users, 'u1', 'u2'));
  assert.equal(sent.length, 1);
  const first = world.runOf('u1').node;
  assert.match(explain(world.state, taskKey('u2')), new RegExp(`its input x is on its way to ${first}`));
  const second = first === 'b1' ? 'b2' : 'b1';
  assert.deepEqual(computes(fetched(world, 'x', { by: first, from: 'a1', bytes: 1e9, ms: 20_000 })), [
    `${second}: compute u2`,
  ]);
});

test('when the node that was to fetch it dies, those who waited for its copy go on', () => {
  const world = new World();
  world.join('a1');
  made(world, 'x', 1e9);
  world.join('b1', { resources: { gpu: 1 } });
  world.join('b2', { resources: { gpu: 1 } });
  const users = ['u1', 'u2'].map((name) => spec(name, ['x'], { needs: { gpu: 1 }, seconds: 100 }));
  world.submit(users, 'u1', 'u2');
  const { node } = world.runOf('u1');
  const other = node === 'b1' ? 'b2' : 'b1';
  // The GPU that is left is for one at a time.
  const sent = computes(world.lose(node));
  assert.equal(sent.length, 1);
  assert.match(sent[0]!, new RegExp(`^${other}: compute u[12]$`));
});

test('bytes planned on a line count as its backlog until they have come', () => {
  const world = new World();
  world.join('a1');
  made(world, 'x', 1e8);
  world.join('b1', { resources: { gpu: 1 } });
  world.submit([spec('u', ['x'], { needs: { gpu: 1 } })], 'u');
  const link = linkBetween(world.state, siteName('a'), siteName('b'));
  assert.equal(link.plannedBytes, 1e8);
  fetched(world, 'x', { by: 'b1', from: 'a1', bytes: 1e8, ms: 1000 });
  assert.equal(link.plannedBytes, 0);
  world.started('u');
  world.done('u');
  assert.equal(world.state.incoming.size, 0);
});

test('a task runs where the other inputs of its user lie', () => {
  const world = new World();
  world.join('a1', { threads: 4 });
  made(world, 'small', 2e6);
  world.join('b1', { threads: 4 });
  world.submit([spec('big', [], { site: siteName('b') })], 'big');
  world.done('big', 1e9);
  // Small as its own input is, what it makes is to meet `big`.
  const tasks = [spec('t', ['small'], { bytes: 5e8 }), spec('joined', ['t', 'big'])];
  assert.deepEqual(computes(world.submit(tasks, 'joined')), ['b1: compute t']);
});

test('the longest way to the end goes first when it is known how long tasks take', () => {
  const world = new World();
  world.join('a1');
  world.join('a2');
  const tasks = [
    spec('quick1', [], { seconds: 10 }),
    spec('quick2', [], { seconds: 10 }),
    spec('quick3', [], { seconds: 10 }),
    spec('head', [], { seconds: 1 }),
    spec('tail', ['head'], { seconds: 100 }),
  ];
  const sent = computes(world.submit(tasks, 'quick1', 'quick2', 'quick3', 'tail'));
  assert.deepEqual(sent.map((sentence) => sentence.split(' ').at(-1)).sort(), ['head', 'quick1']);
});

test('where time is no matter, tasks run depth first however long they are', () => {
  const world = new World();
  world.join('a1');
  const chains = ['1', '2', '3'].flatMap((name) => [
    spec(`read${name}`, [], { seconds: 1 }),
    spec(`use${name}`, [`read${name}`], { seconds: 1 }),
  ]);
  world.submit(chains, 'use1', 'use2', 'use3');
  const order: string[] = [];
  while (order.length < 6) {
    const [running] = [...world.state.nodes.values()].flatMap((node) => [...node.assigned.values()]);
    order.push(running!.spec.key);
    world.done(running!.spec.key);
  }
  assert.deepEqual(order, ['read1', 'use1', 'read2', 'use2', 'read3', 'use3']);
});

test('how long a function takes is learnt apart for large and small inputs', () => {
  const world = new World();
  world.join('a1');
  for (const [name, bytes, seconds] of [
    ['small', 1e3, 1],
    ['large', 1e9, 100],
  ] as const) {
    made(world, name, bytes);
    world.submit([spec(`of-${name}`, [name])], `of-${name}`);
    world.done(`of-${name}`, 8, seconds);
  }
  world.submit([spec('again', ['large'])], 'again');
  const { phase } = world.state.tasks.get(taskKey('again'))!;
  assert.equal(phase.name === 'assigned' ? phase.seconds : undefined, 100);
});

test('a full store is avoided by what is to be fetched', () => {
  const world = new World();
  world.join('a1', { threads: 1 });
  made(world, 'x', 1e6);
  world.join('a2', { memoryBytes: 1e9 });
  world.join('a3', { memoryBytes: 1e9 });
  world.node('a2', { type: 'heartbeat', storedBytes: 9.5e8, rssBytes: 9.5e8, running: 0 });
  world.submit([spec('busy', ['x'], { seconds: 1000 })], 'busy');
  world.started('busy');
  assert.deepEqual(computes(world.submit([spec('u', ['x'], { seconds: 100 })], 'u')), ['a3: compute u']);
});

test('explain names what nodes would cost a task that waits', () => {
  const world = new World();
  world.join('a1');
  made(world, 'x', 1e6);
  world.submit([spec('busy', ['x'], { seconds: 50 }), spec('more', ['x'], { seconds: 50 })], 'busy', 'more');
  world.started('busy');
  world.submit([spec('late', ['x'], { seconds: 50 })], 'late');
  assert.match(
    explain(world.state, taskKey('late')),
    /queued for a1, which is busy; would cost a1 .* s until a thread/,
  );
});

test('what comes from the same root stays together when asked, and moves together when its node dies', () => {
  const world = new World();
  world.join('a1', { threads: 8 });
  world.join('a2', { threads: 8 });
  const hints = { together: 'roots' };
  const tasks = ['1', '2'].flatMap((tree) => [
    spec(`root${tree}`, [], hints),
    ...['x', 'y', 'z'].map((name) => spec(`${name}${tree}`, [`root${tree}`], hints)),
  ]);
  world.submit(tasks, ...tasks.map(({ key }) => key));
  const nodesOf = (tree: string): string[] =>
    ['x', 'y', 'z'].map((name) => world.runOf(`${name}${tree}`).node);
  world.done('root1', 1000);
  world.done('root2', 1000);
  const [first] = nodesOf('1');
  assert.deepEqual(nodesOf('1'), [first, first, first]);
  world.lose(first!);
  world.done('root1', 1000);
  const [after] = nodesOf('1');
  assert.notEqual(after, first);
  assert.deepEqual(nodesOf('1'), [after, after, after]);
});
