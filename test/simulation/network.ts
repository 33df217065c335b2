/** The simulated network: lines between sites with latency, jitter and bandwidth; connections that carry
 * messages in order and whole, or break and lose what is on its way; partitions. */
import type { SimulatedClock } from './clock.ts';
import type { Place, SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';

export interface Ear<M> {
  heard(message: M): void;
  /** The connection is over, as far as this side can see; `broken`: without a farewell. */
  closed(broken: boolean): void;
}

interface Side<M> {
  readonly process: SimulatedProcess;
  readonly life: number;
  readonly ear: Ear<M>;
  /** When the last message towards it arrives: none overtakes another. */
  arrives: number;
  closed: boolean;
}

/** A connection; `In` travels from the dialling side, `Out` to it. */
export class Connection<In, Out> {
  readonly #network: SimulatedNetwork;
  readonly #dialler: Side<Out>;
  readonly #acceptor: Side<In>;
  #broken = false;

  constructor(
    network: SimulatedNetwork,
    dialler: { readonly process: SimulatedProcess; readonly ear: Ear<Out> },
    acceptor: { readonly process: SimulatedProcess; readonly ear: Ear<In> },
  ) {
    this.#network = network;
    this.#dialler = { ...dialler, life: dialler.process.life, arrives: 0, closed: false };
    this.#acceptor = { ...acceptor, life: acceptor.process.life, arrives: 0, closed: false };
    network.connections.add(this);
  }

  get open(): boolean {
    return !this.#broken;
  }

  joins(a: Place, b: Place): boolean {
    const ends = [this.#dialler.process.name, this.#acceptor.process.name];
    return ends.includes(a.name) && ends.includes(b.name);
  }

  get places(): [Place, Place] {
    return [this.#dialler.process, this.#acceptor.process];
  }

  /** The dialling side says something. */
  say(message: In): void {
    if (!this.#dialler.closed) this.#carry(this.#acceptor, () => this.#acceptor.ear.heard(message));
  }

  /** The accepting side says something. */
  answer(message: Out): void {
    if (!this.#acceptor.closed) this.#carry(this.#dialler, () => this.#dialler.ear.heard(message));
  }

  /** One side closes: the other hears all that was said before, then that it is over. */
  hangUp(by: 'dialler' | 'acceptor'): void {
    const [self, other] =
      by === 'dialler' ? [this.#dialler, this.#acceptor] : [this.#acceptor, this.#dialler];
    if (self.closed) return;
    self.closed = true;
    this.#carry(other, () => {
      other.closed = true;
      this.#network.connections.delete(this);
      other.ear.closed(false);
    });
  }

  /** The line breaks: what is on its way is lost, and each side notices in its own time. */
  break(slowMs: number): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#network.connections.delete(this);
    for (const side of [this.#dialler, this.#acceptor]) {
      this.#network.clock.after(this.#network.random.between(0, slowMs), () => {
        if (side.closed || side.process.life !== side.life) return;
        side.process.post(() => {
          if (side.closed) return;
          side.closed = true;
          side.ear.closed(true);
        });
      });
    }
  }

  #carry(to: { arrives: number } & Side<never>, deliver: () => void): void {
    const { clock } = this.#network;
    const [a, b] = this.places;
    to.arrives = Math.max(to.arrives, clock.now + this.#network.delay(a, b, 0));
    clock.after(to.arrives - clock.now, () => {
      if (this.#broken || to.closed || to.process.life !== to.life) return;
      to.process.post(() => {
        if (!to.closed) deliver();
      });
    });
  }
}

export interface Partition {
  cuts(a: Place, b: Place): boolean;
}

export interface Line {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly bytesPerMs: number;
}

export class SimulatedNetwork {
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly connections = new Set<Connection<never, never> | Connection<unknown, unknown>>();
  readonly partitions = new Set<Partition>();
  readonly #lines = new Map<string, Line>();

  constructor(clock: SimulatedClock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  line(a: Place, b: Place): Line {
    const name = [a.site, b.site].sort().join(' ');
    let line = this.#lines.get(name);
    if (line === undefined) {
      const { random } = this;
      line =
        a.site === b.site
          ? { latencyMs: random.between(0.1, 2), jitterMs: random.between(0, 3), bytesPerMs: 1e6 }
          : {
              latencyMs: random.between(2, 100),
              jitterMs: random.between(0, 80),
              bytesPerMs: random.between(1e3, 1e5),
            };
      this.#lines.set(name, line);
    }
    return line;
  }

  /** How long bytes take from one place to another. */
  delay(a: Place, b: Place, bytes: number): number {
    const { latencyMs, jitterMs, bytesPerMs } = this.line(a, b);
    return latencyMs + jitterMs * this.random.next() ** 3 + bytes / bytesPerMs;
  }

  reachable(a: Place, b: Place): boolean {
    for (const partition of this.partitions) if (partition.cuts(a, b)) return false;
    return true;
  }

  /** Every connection of a place breaks. */
  breakAll(place: Place, slowMs: number): void {
    for (const connection of [...this.connections]) {
      if (connection.places.some(({ name }) => name === place.name)) connection.break(slowMs);
    }
  }

  /** Cuts places off from one another for a while. */
  part(partition: Partition, ms: number): void {
    this.partitions.add(partition);
    for (const connection of [...this.connections]) {
      if (partition.cuts(...connection.places)) connection.break(15_000);
    }
    this.clock.after(ms, () => this.partitions.delete(partition));
  }
}
