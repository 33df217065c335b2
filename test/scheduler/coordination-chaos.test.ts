/**
 * Locks and queues under chance: clients (their real half of the protocol) and the scheduler's core exchange
 * messages that are delayed at will, connections break with all that is on them, clients die. From a seed,
 * so that a failure can be seen again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientId } from '../../runtime/ids.ts';
import { encodePacked, millis } from '../../runtime/index.ts';
import { type Met, Wishes } from '../../scheduler/client-wishes.ts';
import type { CoordinationRequest } from '../../scheduler/coordination-state.ts';
import type { ToClient } from '../../scheduler/protocol.ts';
import { Random } from '../simulation/random.ts';
import { World } from './world.ts';

const leases = 2;
const limit = 3;

interface Wait {
  readonly stop: AbortController;
  readonly kind: 'lease' | 'put' | 'take';
}

class Peer {
  readonly id;
  readonly out: CoordinationRequest[] = [];
  readonly in: ToClient[] = [];
  readonly wishes: Wishes;
  readonly held: number[] = [];
  readonly waits = new Set<Wait>();
  connected = true;
  awaySince = 0;

  constructor(name: string) {
    this.id = clientId(name);
    this.wishes = new Wishes({
      tell: (request) => void (this.connected && this.out.push(request)),
      claim: () => assert.fail('there are no futures here'),
    });
  }
}

class Chaos {
  readonly world = new World();
  readonly random: Random;
  readonly peers: Peer[] = [];
  /** Items by what became of them. */
  readonly accepted = new Set<number>();
  readonly refused = new Set<number>();
  readonly got: number[] = [];
  #names = 0;
  #items = 0;
  /** Items on their way to a client that died may be lost with it. */
  #died = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    for (let count = 0; count < 4; count++) this.add();
  }

  add(): void {
    const peer = new Peer(`p${++this.#names}`);
    this.peers.push(peer);
    this.world.feed({ type: 'client-joined', client: peer.id });
  }

  feed(event: Parameters<World['feed']>[0]): void {
    for (const instruction of this.world.feed(event)) {
      if (instruction.type !== 'notify' || instruction.message.type !== 'wish-answered') continue;
      const peer = this.peers.find(({ id }) => id === instruction.client);
      if (peer?.connected === true) peer.in.push(instruction.message);
    }
    const holders = this.peers.reduce((sum, { held }) => sum + held.length, 0);
    assert.ok(holders <= leases, `${holders} believe to hold ${leases} leases`);
  }

  /** The next message on one of the channels arrives. */
  deliver(): boolean {
    const channels = this.peers.flatMap((peer) => [
      ...(peer.out.length > 0 ? [() => this.#toScheduler(peer)] : []),
      ...(peer.in.length > 0 ? [() => this.#toPeer(peer)] : []),
    ]);
    if (channels.length === 0) return false;
    this.random.pick(channels)();
    return true;
  }

  #toScheduler(peer: Peer): void {
    this.feed({ type: 'from-client', client: peer.id, message: peer.out.shift()! });
  }

  #toPeer(peer: Peer): void {
    const message = peer.in.shift()!;
    assert.equal(message.type, 'wish-answered');
    if (message.type === 'wish-answered') peer.wishes.answer(message);
  }

  ask(peer: Peer): void {
    const kind = this.random.pick(['lease', 'put', 'take'] as const);
    const wait = { stop: new AbortController(), kind };
    const patient = this.random.chance(0.8);
    peer.waits.add(wait);
    const { signal } = wait.stop;
    const { wishes } = peer;
    if (kind === 'lease') {
      const about = { type: 'take-lease', kind: 'semaphore', name: 's', leases, wait: patient } as const;
      const onLost = (): never => assert.fail('a lease was lost within the grace');
      const granted = ({ wish }: Met): void => void peer.held.push(wish);
      this.#settle({ peer, wait, granted }, wishes.ask(about, signal, { onLost }));
    } else if (kind === 'put') {
      const item = ++this.#items;
      const value = { keys: [], shape: encodePacked(item) };
      const asked = wishes.ask({ type: 'put-in-queue', name: 'q', limit, value, wait: patient }, signal);
      const granted = (): void => void this.accepted.add(item);
      const refused = (): void => void this.refused.add(item);
      this.#settle({ peer, wait, granted, refused }, asked);
    } else {
      const asked = wishes.ask({ type: 'take-from-queue', name: 'q', limit, wait: patient }, signal);
      const granted = ({ value }: Met): void => void this.got.push(value as number);
      this.#settle({ peer, wait, granted }, asked);
    }
  }

  #settle(
    about: {
      readonly peer: Peer;
      readonly wait: Wait;
      readonly granted: (met: Met) => void;
      readonly refused?: () => void;
    },
    asked: Promise<Met>,
  ): void {
    const { peer, wait, granted, refused = () => undefined } = about;
    void asked.then(
      (met) => {
        peer.waits.delete(wait);
        met.outcome === 'granted' ? granted(met) : refused();
      },
      () => {
        peer.waits.delete(wait);
        refused();
      },
    );
  }

  release(peer: Peer): void {
    const wish = peer.held.shift();
    if (wish !== undefined) peer.wishes.end(wish);
  }

  cut(peer: Peer): void {
    peer.connected = false;
    peer.awaySince = this.world.now;
    peer.out.length = 0;
    peer.in.length = 0;
    this.feed({ type: 'client-lost', client: peer.id });
  }

  return(peer: Peer): void {
    peer.connected = true;
    this.feed({ type: 'client-joined', client: peer.id });
    peer.wishes.resume();
  }

  die(peer: Peer): void {
    if (peer.connected) this.cut(peer);
    this.#died += peer.waits.size;
    this.peers.splice(this.peers.indexOf(peer), 1);
    this.add();
  }

  second(): void {
    // Whoever is away for longer would be gone for good.
    for (const peer of this.peers) {
      if (!peer.connected && this.world.now - peer.awaySince >= 3000) this.return(peer);
    }
    this.world.now = millis(this.world.now + 1000);
    this.feed({ type: 'ticked' });
  }

  step(): void {
    const peer = this.random.pick(this.peers);
    const dice = this.random.next();
    if (dice < 0.55) this.deliver();
    else if (dice < 0.75) this.ask(peer);
    else if (dice < 0.85) this.release(peer);
    else if (dice < 0.91) [...peer.waits].at(-1)?.stop.abort(new Error('given up'));
    else if (dice < 0.95) peer.connected ? this.cut(peer) : this.return(peer);
    else if (dice < 0.97) this.die(peer);
    else this.second();
  }

  /** No more faults: everybody is patient, gives back what it gets, at last gives up what can not be had. */
  async settle(): Promise<void> {
    for (const peer of this.peers) if (!peer.connected) this.return(peer);
    for (let seconds = 0; seconds < 7; seconds++) this.second();
    for (let round = 0; round < 10_000; round++) {
      await turn();
      for (const peer of this.peers) while (peer.held.length > 0) this.release(peer);
      if (this.deliver()) continue;
      const waiting = this.peers.flatMap(({ waits }) => [...waits]);
      if (waiting.length === 0) break;
      assert.ok(!waiting.some(({ kind }) => kind === 'lease'), 'a lease is waited for in vain');
      for (const { stop } of waiting) stop.abort(new Error('given up'));
    }
    assert.ok(
      this.peers.every(({ waits }) => waits.size === 0),
      'every wait has ended',
    );
  }

  left(): number {
    const queue = this.world.state.coordination.things.get('queue q');
    return queue?.type === 'queue' ? queue.items.length : 0;
  }

  check(): void {
    assert.equal(new Set(this.got).size, this.got.length, 'no item comes twice');
    for (const item of this.got)
      assert.ok(!this.refused.has(item), `item ${item} came though its put failed`);
    const missing = [...this.accepted].filter((item) => !this.got.includes(item)).length - this.left();
    assert.ok(missing <= this.#died, `${missing} items are missing, ${this.#died} can be lost with the dead`);
  }
}

/** What was resolved is acted upon. */
async function turn(): Promise<void> {
  for (let ticks = 0; ticks < 6; ticks++) await Promise.resolve();
}

test('leases and items are neither doubled nor lost, whatever breaks, and nobody waits in vain', async () => {
  const items = { accepted: 0, got: 0 };
  for (let seed = 1; seed <= 100; seed++) {
    const chaos = new Chaos(seed);
    try {
      for (let step = 0; step < 300; step++) {
        chaos.step();
        await turn();
      }
      await chaos.settle();
      chaos.check();
      for (const peer of chaos.peers) peer.wishes.endAll();
      while (chaos.deliver());
      for (const peer of chaos.peers) chaos.cut(peer);
      for (let seconds = 0; seconds < 7; seconds++) chaos.world.pass(1);
      assert.equal(chaos.world.state.coordination.things.size, 0);
      assert.equal(chaos.world.state.coordination.asked.size, 0);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    items.accepted += chaos.accepted.size;
    items.got += chaos.got.length;
  }
  assert.ok(items.accepted > 500 && items.got > 200, `${JSON.stringify(items)}: little was tried`);
});
