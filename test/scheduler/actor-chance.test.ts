/**
 * The actors' core under chance: nodes that crash, are cut off, return and leave, actors that die, clients
 * that go, reports that come late. The invariants are checked after every event; when all is quiet again
 * every actor lives where the scheduler believes, or is gone; and when all are ended nothing is left.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActorId, actorId, clientId, type NodeId, nodeId, type SiteName } from '../../runtime/index.ts';
import type { ActorSpec, SupervisorSpec } from '../../scheduler/actor-messages.ts';
import type { FromNode } from '../../scheduler/protocol.ts';
import type { Instruction } from '../../scheduler/scheduler-event.ts';
import { Random } from '../simulation/random.ts';
import { World } from './world.ts';

interface Resident {
  readonly spec: ActorSpec;
  readonly incarnation: number;
  readonly epoch: number;
}

/** A node that does what it is told, a little later. */
interface Machine {
  readonly name: string;
  pid: number;
  connected: boolean;
  readonly residents: Map<ActorId, Resident>;
  /** Reports that are on their way. */
  reports: FromNode[];
}

const strategies = ['one-for-one', 'one-for-all', 'rest-for-one'] as const;
const policies = ['permanent', 'transient', 'temporary'] as const;

class Chaos {
  readonly world = new World();
  readonly #random: Random;
  readonly machines: Machine[] = [];
  #next = 0;
  readonly clients = ['p', 'q'].map(clientId);
  #pids = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    for (const name of ['a1', 'a2', 'b1']) {
      this.machines.push({ name, pid: 0, connected: false, residents: new Map(), reports: [] });
    }
    for (const machine of this.machines) this.begin(machine);
    for (const client of this.clients) this.feed({ type: 'client-joined', client });
  }

  feed(event: Parameters<World['feed']>[0]): void {
    const out = [...this.world.feed(event), ...this.world.feed({ type: 'drained' })];
    for (const instruction of out) this.#obey(instruction);
  }

  #obey(instruction: Instruction): void {
    if (instruction.type === 'disconnect') this.#machine(instruction.node).connected = false;
    if (instruction.type !== 'send') return;
    const { message } = instruction;
    const machine = this.#machine(instruction.to);
    if (!machine.connected || !('incarnation' in message)) return;
    if (message.type === 'start-actor') {
      const { spec, incarnation, epoch } = message;
      const known = machine.residents.get(spec.actor);
      if (known !== undefined && known.incarnation >= incarnation) return;
      machine.residents.set(spec.actor, { spec, incarnation, epoch });
      machine.reports.push({ type: 'actor-started', actor: spec.actor, incarnation });
      return;
    }
    const { actor, incarnation } = message;
    if (machine.residents.get(actor)?.incarnation !== incarnation) return;
    machine.residents.delete(actor);
    if (message.type === 'move-actor') machine.reports.push({ type: 'actor-moved', actor, incarnation });
    else {
      const normal = message.type === 'stop-actor';
      machine.reports.push({ type: 'actor-ended', actor, incarnation, normal });
    }
  }

  #machine(name: NodeId): Machine {
    return this.machines.find((machine) => machine.name === name)!;
  }

  /** A new process of the name. */
  begin(machine: Machine): void {
    machine.residents.clear();
    machine.pid = ++this.#pids;
    this.dial(machine);
  }

  dial(machine: Machine): void {
    machine.connected = true;
    machine.reports = [];
    const { name, pid, residents } = machine;
    const about = { url: `ws://${name}`, threads: 2, memoryBytes: 1e9, resources: { gpu: 1 } };
    const site = name[0] as SiteName;
    this.feed({
      type: 'node-joined',
      info: { role: 'node', node: nodeId(name), site, pid, announces: true, ...about },
    });
    for (const resident of [...residents.values()])
      this.#report(machine, { type: 'actor-living', ...resident });
    this.#report(machine, { type: 'announced' });
  }

  #report(machine: Machine, message: FromNode): void {
    this.feed({ type: 'from-node', node: nodeId(machine.name), message });
  }

  deliver(machine: Machine): void {
    const report = machine.reports.shift();
    if (report !== undefined && machine.connected) this.#report(machine, report);
  }

  spawn(): void {
    const random = this.#random;
    const group = `g${this.#next++}`;
    const size = random.pick([1, 1, 2, 3]);
    const actors = Array.from({ length: size }, (_, k): ActorSpec => {
      const needs = random.pick([{}, {}, { gpu: 1 }, { threads: 1 }]) as Record<string, number>;
      return {
        actor: actorId(`${group}.${k}`),
        definition: 'test.actor',
        options: new Uint8Array(0),
        ...(random.chance(0.2) ? { name: `n${random.pick([1, 2, 3])}` } : {}),
        restart: random.pick(policies),
        shutdownMs: 500,
        needs,
        mailbox: 10,
        isolate: 'thread',
        movable: random.chance(0.5),
        poisonAfter: 3,
        supervisor: 0,
      };
    });
    const pauses = { leastPauseMs: 100, mostPauseMs: 5000, jitter: 0.5 };
    const root: SupervisorSpec = {
      strategy: random.pick(strategies),
      limit: random.pick([0, 2, 5]),
      withinMs: 10_000,
      restart: 'permanent',
      ...pauses,
    };
    const message = {
      type: 'spawn-actors',
      group,
      actors,
      supervisors: [root],
      detached: random.chance(0.2),
    } as const;
    this.feed({ type: 'from-client', client: random.pick(this.clients), message });
  }

  pass(ms: number): void {
    this.world.now = (this.world.now + ms) as typeof this.world.now;
    for (const machine of this.machines) {
      const heartbeat = { type: 'heartbeat', storedBytes: 0, rssBytes: 0, running: 0 } as const;
      if (machine.connected) this.#report(machine, heartbeat);
    }
    this.feed({ type: 'ticked' });
  }

  step(): void {
    const random = this.#random;
    const machine = random.pick(this.machines);
    const node = nodeId(machine.name);
    const what = random.between(0, 100);
    if (what < 40) this.deliver(machine);
    else if (what < 52) this.spawn();
    else if (what < 72) this.pass(random.pick([100, 1000, 6000]));
    else if (what < 80) this.#crashOne(machine);
    else if (what < 84) {
      if (machine.connected) this.feed({ type: 'node-cut', node, reason: 'cut' });
      machine.connected = false;
    } else if (what < 88) {
      if (machine.connected) this.feed({ type: 'node-lost', node, reason: 'dead' });
      machine.connected = false;
      machine.residents.clear();
    } else if (what < 94) {
      if (!machine.connected) random.chance(0.5) ? this.dial(machine) : this.begin(machine);
    } else if (what < 96) {
      if (machine.connected) this.#report(machine, { type: 'retiring' });
    } else {
      const actor = random.pick([...this.world.state.actors.actors.keys(), actorId('none')]);
      const client = random.pick(this.clients);
      this.feed({ type: 'from-client', client, message: { type: 'end-actor', actor } });
    }
  }

  #crashOne(machine: Machine): void {
    const [resident] = machine.residents.values();
    if (resident === undefined) return;
    const { spec, incarnation } = resident;
    machine.residents.delete(spec.actor);
    machine.reports.push({ type: 'actor-ended', actor: spec.actor, incarnation, normal: false });
  }

  /** No more harm: all nodes are there, and all is delivered. */
  settle(): void {
    for (const machine of this.machines) {
      if (machine.connected && this.world.state.nodes.get(nodeId(machine.name))?.retiring === true) {
        this.feed({ type: 'node-lost', node: nodeId(machine.name), reason: 'left' });
        machine.connected = false;
      }
      if (!machine.connected) this.begin(machine);
    }
    for (let round = 0; round < 100; round++) {
      for (const machine of this.machines) while (machine.reports.length > 0) this.deliver(machine);
      this.pass(1000);
    }
  }
}

test('whatever happens, every actor lives once, where it is believed to, or is gone', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const chaos = new Chaos(seed);
    for (let step = 0; step < 150; step++) chaos.step();
    chaos.settle();
    const { actors, waiting } = chaos.world.state.actors;
    for (const [id, { phase, seat, incarnation, group }] of actors) {
      if (waiting.includes(group)) continue;
      assert.equal(phase.name, 'living', `seed ${seed}: ${id} is ${phase.name}`);
      const homes = chaos.machines.filter(({ residents }) => residents.has(id));
      assert.deepEqual(
        homes.map(({ name, residents }) => [name, residents.get(id)!.incarnation]),
        [[seat, incarnation]],
        `seed ${seed}: where ${id} lives`,
      );
    }
    for (const { name, residents } of chaos.machines) {
      for (const id of residents.keys())
        assert.ok(actors.has(id), `seed ${seed}: ${id} is forgotten on ${name}`);
    }
    for (const id of [...actors.keys()]) {
      const message = { type: 'end-actor', actor: id } as const;
      chaos.feed({ type: 'from-client', client: chaos.clients[0]!, message });
    }
    chaos.settle();
    const { groups, names } = chaos.world.state.actors;
    assert.deepEqual([actors.size, groups.size, names.size], [0, 0, 0], `seed ${seed}: nothing is left`);
  }
});
