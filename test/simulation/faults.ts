/** What goes wrong in a simulation: each seed draws which kinds of faults there are and how often. */
import type { Random } from './random.ts';
import type { Simulation } from './simulation.ts';

type Fault = (simulation: Simulation, random: Random) => void;

const kinds: Readonly<Record<string, Fault>> = {
  break: ({ nodes }, random) => random.pick(nodes).connection?.break(random.pick([10, 15_000])),
  crash: ({ nodes }, random) => random.pick(nodes).crash(random.pick([10, 15_000])),
  'crash-scheduler': ({ scheduler }, random) => scheduler.crash(random.pick([10, 15_000])),
  leave: ({ nodes }, random) => random.pick(nodes).stop(),
  pause: ({ nodes, scheduler }, random) => {
    const process = random.chance(0.2) ? scheduler : random.pick(nodes);
    process.pause(random.pick([100, 3000, 14_000]));
  },
  slow: ({ nodes }, random) => {
    random.pick(nodes).slowness = random.pick([1, 3, 10]);
  },
  press: ({ nodes }, random) => random.pick(nodes).setPressed(random.chance(0.6)),
  damage: ({ nodes }, random) => {
    const node = random.pick(nodes);
    const keys = [...node.store.keys()];
    if (keys.length > 0) node.damage(random.pick(keys), random.chance(0.5));
  },
  part: ({ network, sites }, random) => {
    const cut = random.pick(sites);
    network.part({ cuts: (a, b) => (a.site === cut) !== (b.site === cut) }, random.between(500, 20_000));
  },
  isolate: ({ network, nodes }, random) => {
    const [one, other] = random.some(nodes, 2);
    if (one === undefined || other === undefined) return;
    const pair = [one.name, other.name];
    const cuts = (a: { name: string }, b: { name: string }) => pair.includes(a.name) && pair.includes(b.name);
    network.part({ cuts }, random.between(500, 20_000));
  },
  'lose-client': ({ clients }, random) => random.pick(clients).breakConnection(random.pick([10, 15_000])),
  'vanish-client': ({ clients }, random) => {
    if (clients.filter(({ alive }) => alive).length > 1) random.pick(clients).vanish();
  },
};
export const faultKinds = Object.keys(kinds);

/** Lets faults happen until `end`. Each has random numbers of its own, so that one left out leaves the others
 * as they were. */
export function plague(simulation: Simulation, end: number, ordinal = 1): void {
  const { clock, faults } = simulation;
  const { random, chosen, meanMs } = faults;
  if (chosen.length === 0) return;
  clock.after(random.between(0, 2 * meanMs), () => {
    if (clock.now >= end) return;
    const kind = random.pick(chosen);
    const act = `fault:${ordinal}:${kind}`;
    if (simulation.allows(act)) {
      simulation.note(act);
      kinds[kind]!(simulation, random.split(act));
    }
    plague(simulation, end, ordinal + 1);
  });
}
