/** Actors in the scheduler's core: events in, instructions out, in short sentences. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorId, clientId, type NodeId, nodeId, type SiteName } from '../../runtime/index.ts';
import type { ActorSpec, SupervisorSpec } from '../../scheduler/actor-messages.ts';
import type { FromNode, ToScheduler } from '../../scheduler/protocol.ts';
import type { Instruction } from '../../scheduler/scheduler-event.ts';
import { me, spec as taskSpec, World } from './world.ts';

const other = clientId('other');

function actor(name: string, more: Partial<ActorSpec> = {}): ActorSpec {
  return {
    actor: actorId(name),
    definition: 'test.actor',
    options: new Uint8Array(0),
    restart: 'permanent',
    shutdownMs: 1000,
    needs: {},
    mailbox: 10,
    isolate: 'thread',
    movable: false,
    poisonAfter: 3,
    supervisor: 0,
    ...more,
  };
}
const movable = { movable: true } as const;
const gpu = { needs: { gpu: 1 } } as const;

function supervisor(more: Partial<SupervisorSpec> = {}): SupervisorSpec {
  const pauses = { leastPauseMs: 100, mostPauseMs: 1000, jitter: 0 };
  return { strategy: 'one-for-one', limit: 3, withinMs: 60_000, restart: 'permanent', ...pauses, ...more };
}

/** What concerns actors, in a few words. */
function sentence(instruction: Instruction): string[] {
  if (instruction.type === 'send') {
    const { message, to } = instruction;
    if (message.type === 'start-actor') {
      const saved = message.snapshot === undefined ? '' : ` from ${message.snapshot.join()}`;
      return [`${to}: start ${message.spec.actor} ${message.incarnation}${saved}`];
    }
    if ('incarnation' in message) {
      return [`${to}: ${message.type.replace('-actor', '')} ${message.actor} ${message.incarnation}`];
    }
    return message.type === 'compute' ? [`${to}: compute ${message.key}`] : [];
  }
  if (instruction.type !== 'notify') return [];
  const { message, client } = instruction;
  const to = client === me ? '' : `${client}: `;
  if (message.type === 'actor-at') return [`${to}${message.actor} at ${message.node}`];
  if (message.type === 'actor-gone') return [`${to}${message.actor} gone: ${message.error.code}`];
  if (message.type === 'actors-up') return [`${to}up`];
  if (message.type === 'actors-refused') return [`${to}refused: ${message.error.code ?? message.error.name}`];
  if (message.type === 'actor-found') return [`${to}found ${message.actor ?? message.error?.code}`];
  return [];
}

class Theatre {
  readonly world = new World();

  #say(feed: () => Instruction[]): string[] {
    return [...feed(), ...this.world.feed({ type: 'drained' })].flatMap(sentence);
  }

  /** A node joins and has nothing to tell. */
  join(name: string, resources: Readonly<Record<string, number>> = {}): string[] {
    return [...this.dial(name, resources), ...this.report(name, { type: 'announced' })];
  }

  dial(name: string, resources: Readonly<Record<string, number>> = {}): string[] {
    const site = name.replace(/\d+$/, '') as SiteName;
    const about = { url: `ws://${name}`, threads: 2, memoryBytes: 1e9, pid: 1 };
    const info = { role: 'node', node: nodeId(name), site, resources, announces: true, ...about } as const;
    return this.#say(() => this.world.feed({ type: 'node-joined', info }));
  }

  client(message: ToScheduler, client = me): string[] {
    const { state } = this.world;
    if (!state.clients.has(client)) this.world.feed({ type: 'client-joined', client });
    return this.#say(() => this.world.feed({ type: 'from-client', client, message }));
  }

  spawn(actors: readonly ActorSpec[], supervisors = [supervisor()], client = me): string[] {
    const group = actors.map(({ actor: id }) => id).join(' ');
    return this.client({ type: 'spawn-actors', group, actors, supervisors, detached: false }, client);
  }

  report(node: string, message: FromNode): string[] {
    return this.#say(() => this.world.feed({ type: 'from-node', node: nodeId(node), message }));
  }

  started(node: string, name: string, incarnation = 1): string[] {
    return this.report(node, { type: 'actor-started', actor: actorId(name), incarnation });
  }

  ended(node: string, name: string, incarnation = 1): string[] {
    const error = { name: 'Error', message: 'a crash' };
    return this.report(node, {
      type: 'actor-ended',
      actor: actorId(name),
      incarnation,
      normal: false,
      error,
    });
  }

  lose(node: string): string[] {
    return this.#say(() =>
      this.world.feed({ type: 'node-lost', node: nodeId(node), reason: 'its connection closed' }),
    );
  }

  pass(seconds: number): string[] {
    return Array.from({ length: seconds }, () => {
      this.world.now = (this.world.now + 1000) as typeof this.world.now;
      return this.#say(() => this.world.feed({ type: 'ticked' }));
    }).flat();
  }
}

test('an actor is started where there is room, and its client hears where it lives', () => {
  const t = new Theatre();
  t.join('a1');
  assert.deepEqual(t.spawn([actor('x')]), ['a1: start x 1']);
  assert.deepEqual(t.started('a1', 'x'), ['x at a1', 'up']);
});

test('its site binds it, and a name lets others find it', () => {
  const t = new Theatre();
  t.join('a1');
  assert.deepEqual(t.spawn([actor('x', { site: 'b' as SiteName, name: 'the x' })]), []);
  assert.deepEqual(t.join('b1'), ['b1: start x 1']);
  t.started('b1', 'x');
  assert.deepEqual(t.client({ type: 'find-actor', request: 1, name: 'the x' }, other), [
    'other: found x',
    'other: x at b1',
  ]);
  assert.deepEqual(t.client({ type: 'find-actor', request: 2, name: 'another' }, other), [
    'other: found no-such-actor',
  ]);
});

test('a name that is taken refuses the whole group', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x', { name: 'n' })]);
  assert.deepEqual(t.spawn([actor('y'), actor('z', { name: 'n' })]), ['refused: actor-name-taken']);
});

test('two groups that each need both devices get them one after the other, never half (pfb-imaging)', () => {
  const t = new Theatre();
  t.join('a1', { gpu: 1 });
  t.join('b1', { gpu: 1 });
  assert.deepEqual(t.spawn([actor('x1', gpu), actor('x2', gpu)]), ['a1: start x1 1']);
  assert.deepEqual(t.spawn([actor('y1', gpu), actor('y2', gpu)]), [], 'waits, and holds nothing');
  t.started('a1', 'x1');
  t.started('b1', 'x2');
  t.client({ type: 'end-actor', actor: actorId('x2') });
  assert.deepEqual(t.ended('b1', 'x2'), ['x2 gone: actor-stopped'], 'half is not enough');
  t.client({ type: 'end-actor', actor: actorId('x1') });
  assert.deepEqual(t.ended('a1', 'x1'), ['x1 gone: actor-stopped', 'a1: start y1 1']);
});

test('a task does not get what an actor holds, nor what a group waits for', () => {
  const t = new Theatre();
  t.join('a1', { gpu: 2 });
  t.spawn([actor('x', gpu)]);
  t.spawn([actor('y', { needs: { gpu: 2 } })]);
  const task = taskSpec('t', [], { needs: { gpu: 1 } });
  const submit = { type: 'submit', tasks: [task], wants: [task.key] } as const;
  assert.deepEqual(t.client(submit), [], 'one device is free, but awaited');
  t.started('a1', 'x');
  t.client({ type: 'end-actor', actor: actorId('x') });
  assert.deepEqual(t.ended('a1', 'x'), ['x gone: actor-stopped', 'a1: start y 1']);
  t.started('a1', 'y');
  t.client({ type: 'end-actor', actor: actorId('y') });
  assert.deepEqual(t.ended('a1', 'y'), ['y gone: actor-stopped', 'a1: compute t']);
});

test('an actor whose node dies lives again elsewhere, with what was saved', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x', movable)]);
  t.started('a1', 'x');
  const snapshot = Uint8Array.of(7);
  t.report('a1', { type: 'actor-saved', actor: actorId('x'), incarnation: 1, snapshot });
  assert.deepEqual(t.lose('a1'), []);
  assert.deepEqual(t.join('b1'), ['b1: start x 2 from 7']);
  assert.deepEqual(t.started('b1', 'x', 2), ['x at b1']);
});

test('without a policy to restart it, or a node to take it, it is lost (d#5709, d#8320)', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x', { restart: 'temporary' })]);
  t.spawn([actor('y')]);
  t.started('a1', 'x');
  t.started('a1', 'y');
  assert.deepEqual(t.lose('a1'), ['x gone: actor-lost']);
  assert.deepEqual(t.pass(31), ['y gone: actor-lost']);
});

test('a report about another life counts for nothing', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x')]);
  t.started('a1', 'x');
  assert.deepEqual(t.ended('a1', 'x'), ['a1: start x 2']);
  assert.deepEqual(t.ended('a1', 'x'), []);
  assert.deepEqual(t.started('a1', 'x'), []);
  assert.deepEqual(t.started('a1', 'x', 2), ['x at a1']);
});

test('one that was given up and comes back with its node is fenced off', () => {
  const t = new Theatre();
  t.join('a1');
  t.join('b1');
  t.spawn([actor('x', { near: 'a1' })]);
  t.started('a1', 'x');
  assert.deepEqual(t.lose('a1'), ['b1: start x 2']);
  t.join('a1');
  const living = { type: 'actor-living', spec: actor('x'), incarnation: 1, epoch: 0 } as const;
  assert.deepEqual(t.report('a1', living), ['a1: kill x 1']);
});

test('a node that was cut off keeps the actor that it names, and loses the one that it does not', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x')]);
  t.spawn([actor('y')]);
  t.started('a1', 'x');
  t.started('a1', 'y');
  t.world.feed({ type: 'node-cut', node: nodeId('a1'), reason: 'its connection closed' });
  t.dial('a1');
  const living = { type: 'actor-living', spec: actor('x'), incarnation: 1, epoch: 0 } as const;
  assert.deepEqual(t.report('a1', living), ['x at a1']);
  assert.deepEqual(t.report('a1', { type: 'announced' }), ['a1: kill y 1', 'a1: start y 2']);
});

test('one of a former scheduler is taken over, found by its name, and restarted when it dies', () => {
  const t = new Theatre();
  t.dial('a1');
  const living = {
    type: 'actor-living',
    spec: actor('x', { name: 'n' }),
    incarnation: 4,
    epoch: 99,
  } as const;
  assert.deepEqual(t.report('a1', living), []);
  assert.deepEqual(t.client({ type: 'find-actor', request: 1, name: 'n' }), ['found x', 'x at a1']);
  assert.deepEqual(t.ended('a1', 'x', 4), ['a1: start x 5']);
});

test('when a node leaves, its actor moves with its state; the old life ends before the new one', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x', movable)]);
  t.started('a1', 'x');
  t.join('b1');
  assert.deepEqual(t.report('a1', { type: 'retiring' }), ['a1: move x 1']);
  const snapshot = Uint8Array.of(3);
  const moved = { type: 'actor-moved', actor: actorId('x'), incarnation: 1, snapshot } as const;
  assert.deepEqual(t.report('a1', moved), ['b1: start x 2 from 3']);
  assert.deepEqual(t.started('b1', 'x', 2), ['x at b1']);
  const actors = (name: string) => t.world.state.nodes.get(nodeId(name))?.reserved.actors;
  assert.deepEqual([actors('a1'), actors('b1')], [0, 1]);
});

test('a node that dies while its actor moves from it loses no more than the state', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x', movable)]);
  t.started('a1', 'x');
  t.join('b1');
  t.report('a1', { type: 'retiring' });
  assert.deepEqual(t.lose('a1'), ['b1: start x 2']);
  assert.equal(t.world.state.nodes.get('b1' as NodeId)?.reserved.actors, 1);
});

test('a node with an actor that can neither move nor restart is not drained unless forced', () => {
  const t = new Theatre();
  t.join('a1');
  t.join('b1');
  t.spawn([actor('x', { restart: 'temporary', name: 'stuck', near: 'a1' })]);
  t.started('a1', 'x');
  const drain = (force: boolean): Instruction[] =>
    t.world.feed({
      type: 'from-client',
      client: me,
      message: { type: 'drain-node', question: 1, node: 'a1', force },
    });
  const answer = drain(false).find(({ type }) => type === 'notify');
  assert.deepEqual(
    answer?.type === 'notify' && answer.message.type === 'declined' && answer.message.thing,
    'stuck',
  );
  assert.ok(
    drain(true).some(({ type }) => type === 'send'),
    'the node is told to retire',
  );
  assert.deepEqual(t.report('a1', { type: 'retiring' }), ['a1: kill x 1', 'x gone: actor-lost']);
});

test('one-for-all over two nodes: all of a group begin anew with the one that died', () => {
  const t = new Theatre();
  t.join('a1');
  t.join('b1');
  t.spawn(
    [actor('x', { near: 'a1' }), actor('y', { near: 'b1' })],
    [supervisor({ strategy: 'one-for-all' })],
  );
  t.started('a1', 'x');
  t.started('b1', 'y');
  assert.deepEqual(t.ended('a1', 'x'), ['b1: stop y 1']);
  assert.deepEqual(t.ended('b1', 'y'), ['a1: start x 2']);
  assert.deepEqual(t.started('a1', 'x', 2), ['x at a1', 'b1: start y 2']);
});

test('when one of a group can not start, none lives, and the client is told why once', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x'), actor('y')]);
  t.started('a1', 'x');
  assert.deepEqual(t.ended('a1', 'y'), ['y gone: actor-lost', 'refused: Error', 'a1: stop x 1']);
  assert.deepEqual(t.ended('a1', 'x'), ['x gone: actor-lost']);
  assert.equal(t.world.state.actors.groups.size, 0);
});

test('the actors of a client that is gone end with it', () => {
  const t = new Theatre();
  t.join('a1');
  t.spawn([actor('x')], undefined, other);
  t.started('a1', 'x');
  t.world.feed({ type: 'client-lost', client: other });
  t.report('a1', { type: 'heartbeat', storedBytes: 0, rssBytes: 0, running: 0 });
  assert.deepEqual(t.pass(6), ['a1: stop x 1']);
  t.ended('a1', 'x');
  assert.equal(t.world.state.actors.actors.size, 0);
});

test('a group that waits begins when the one before it has ended, also when a third has given up', () => {
  const t = new Theatre();
  t.join('a1');
  t.join('b1');
  const both = { needs: { threads: 2 } };
  t.spawn([actor('x1', both), actor('x2', both)]);
  t.spawn([actor('y1', both), actor('y2', both)]);
  t.spawn([actor('z1', both), actor('z2', both)]);
  t.started('a1', 'x1');
  t.started('b1', 'x2');
  assert.deepEqual(t.pass(5), [], 'they wait');
  assert.deepEqual(t.client({ type: 'end-actor', actor: actorId('z1') }), [
    'z2 gone: actor-stopped',
    'z1 gone: actor-stopped',
  ]);
  for (const name of ['x1', 'x2']) t.client({ type: 'end-actor', actor: actorId(name) });
  t.ended('b1', 'x2');
  assert.deepEqual(t.ended('a1', 'x1'), ['x1 gone: actor-stopped', 'a1: start y1 1']);
});
