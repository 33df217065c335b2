/** The scheduler's core in a simulated process: connections, ticks and turns, its journal, and its lives. */
import { type ClientId, clientId, millis, type NodeId } from '../../runtime/index.ts';
import { check } from '../../scheduler/invariants.ts';
import { isRecovering, snapshotOf } from '../../scheduler/journal-core.ts';
import type { JournalRecord } from '../../scheduler/journal-records.ts';
import { limits } from '../../scheduler/limits.ts';
import type { FromNode, NodeInfo, ToClient, ToNode, ToScheduler } from '../../scheduler/protocol.ts';
import { createState, type Instruction, type SchedulerEvent } from '../../scheduler/scheduler-state.ts';
import { isUnfinished } from '../../scheduler/walks-state.ts';
import { Connection, type Ear } from './network.ts';
import { SimulatedProcess } from './process.ts';
import { idleWithoutReason } from './progress-check.ts';
import type { Random } from './random.ts';
import { SimulatedJournal } from './simulated-journal.ts';
import type { Simulation } from './simulation.ts';

export type NodeConnection = Connection<FromNode, ToNode>;
export type ClientConnection = Connection<ToScheduler, ToClient>;

export class SimulatedScheduler extends SimulatedProcess {
  readonly #simulation: Simulation;
  state = createState();
  readonly #random: Random;
  readonly #journal: SimulatedJournal;
  /** Without a journal a new life knows nothing of the last. */
  readonly #remembers: boolean;
  #epoch = 0;
  #records: JournalRecord[] = [];
  #recorded = 0;
  readonly #nodes = new Map<NodeId, NodeConnection>();
  readonly #clients = new Map<ClientId, ClientConnection>();
  #draining = false;
  /** Nodes that it has given up or seen go: how many died is part of why tasks may fail. */
  losses = 0;
  stopped = false;

  constructor(simulation: Simulation, site: string, random: Random) {
    super({ name: 'scheduler', site }, simulation.clock);
    this.#simulation = simulation;
    this.#random = random;
    this.#journal = new SimulatedJournal(simulation.clock, random.split('journal'));
    this.#remembers = random.chance(0.8);
    this.#start();
  }

  /** The process is gone at once, with all that its journal has not kept. Another takes its place. */
  crash(slowMs: number): void {
    if (!this.alive || this.stopped) return;
    this.#simulation.note('the scheduler crashes');
    this.turn();
    this.#journal.crash();
    this.#nodes.clear();
    this.#clients.clear();
    this.#simulation.network.breakAll(this, slowMs);
    this.clock.after(this.#random.pick([5, 300, 4000]), () => this.#start());
  }

  #start(): void {
    this.turn();
    this.#epoch++;
    this.#draining = false;
    this.#records = [];
    this.#recorded = 0;
    this.state = createState(this.#epoch * limits.runsPerEpoch, undefined, this.#simulation.walkSteps);
    if (this.#remembers && this.#epoch > 1) {
      for (const record of this.#journal.read()) this.feed({ type: 'record-replayed', record });
      this.feed({ type: 'journal-replayed' });
    }
    this.#tick();
  }

  /** A node dials; `undefined` if it can't get through. */
  acceptNode(process: SimulatedProcess, info: NodeInfo, ear: Ear<ToNode>): NodeConnection {
    const { node } = info;
    const connection: NodeConnection = new Connection(
      this.#simulation.network,
      { process, ear },
      {
        process: this,
        ear: {
          heard: (message) => {
            // An older connection of the same name may still deliver.
            if (this.#nodes.get(node) === connection) this.#hear(node, message);
          },
          closed: (broken) => {
            if (this.#nodes.get(node) !== connection) return;
            this.#nodes.delete(node);
            this.feed({ type: broken ? 'node-cut' : 'node-lost', node, reason: 'its connection closed' });
          },
        },
      },
    );
    this.later(this.#simulation.network.delay(process, this, 0), () => {
      if (!connection.open) return;
      this.#nodes.get(node)?.hangUp('acceptor');
      this.#nodes.set(node, connection);
      this.feed({ type: 'node-joined', info });
    });
    return connection;
  }

  acceptClient(process: SimulatedProcess, ear: Ear<ToClient>): ClientConnection {
    const client = clientId(process.name);
    const connection: ClientConnection = new Connection(
      this.#simulation.network,
      { process, ear },
      {
        process: this,
        ear: {
          heard: (message) => {
            if (this.#clients.get(client) === connection) this.feed({ type: 'from-client', client, message });
          },
          closed: (broken) => {
            if (this.#clients.get(client) !== connection) return;
            this.#clients.delete(client);
            this.feed({ type: 'client-lost', client, broken });
          },
        },
      },
    );
    this.later(this.#simulation.network.delay(process, this, 0), () => {
      if (!connection.open) return;
      this.#clients.get(client)?.hangUp('acceptor');
      this.#clients.set(client, connection);
      this.feed({ type: 'client-joined', client });
    });
    return connection;
  }

  /** Some reports of runs come once more, soon or late: perhaps in another life of the node. Announcements
   * only while their connection lasts: they are how it begins. */
  #hear(node: NodeId, message: FromNode): void {
    this.feed({ type: 'from-node', node, message });
    const { network, faults } = this.#simulation;
    const { random } = network;
    if (!('run' in message) || !random.chance(faults.repeats)) return;
    const connection = this.#nodes.get(node);
    this.later(random.between(0, random.pick([30, 5000])), () => {
      if (message.type === 'run-announced' && this.#nodes.get(node) !== connection) return;
      this.feed({ type: 'from-node', node, message });
    });
  }

  feed(event: SchedulerEvent): void {
    const simulation = this.#simulation;
    if (this.stopped) return;
    simulation.record(this.name, event);
    if (event.type === 'node-lost' || event.type === 'node-cut') this.losses++;
    if (event.type === 'node-joined' && this.state.nodes.has(event.info.node)) this.losses++;
    const out = simulation.cores.scheduler(this.state, event, millis(this.clock.now));
    // While the journal is read, tasks come before those who want them.
    if (event.type !== 'record-replayed') simulation.expect(check(this.state));
    for (const instruction of out) this.#do(instruction);
    if (event.type === 'drained') {
      const mayPlace = this.state.stoppingSince === undefined && !isRecovering(this.state);
      if (mayPlace) simulation.expect(idleWithoutReason(this.state));
      this.#write();
    }
    if ((event.type !== 'drained' || isUnfinished(this.state)) && !this.#draining) {
      this.#draining = true;
      this.later(0, () => {
        this.#draining = false;
        this.feed({ type: 'drained' });
      });
    }
  }

  /** The turn is over: what it recorded becomes durable together. */
  #write(): void {
    if (this.#records.length === 0) return;
    const records = this.#records;
    this.#records = [];
    this.#recorded += records.length;
    const through = this.#recorded;
    const { life } = this;
    this.#journal.append(records, () => {
      if (this.life === life) this.post(() => this.feed({ type: 'recorded', through }));
    });
    this.#journal.maybeRewrite(() => snapshotOf(this.state));
  }

  #do(instruction: Instruction): void {
    switch (instruction.type) {
      case 'send':
        this.#nodes.get(instruction.to)?.answer(instruction.message);
        return;
      case 'notify':
        this.#clients.get(instruction.client)?.answer(instruction.message);
        return;
      case 'record':
        this.#records.push(instruction.record);
        return;
      case 'disconnect':
        this.losses++;
        this.#nodes.get(instruction.node)?.hangUp('acceptor');
        this.#nodes.delete(instruction.node);
        return;
      case 'stop':
        this.stopped = true;
        return;
    }
  }

  #tick(): void {
    this.later(this.#simulation.tickMs, () => {
      this.feed({ type: 'ticked' });
      this.#tick();
    });
  }
}
