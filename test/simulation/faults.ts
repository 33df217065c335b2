/** What goes wrong in a simulation: each seed draws which kinds of faults there are and how often. */
import type { Simulation } from './simulation.ts';

type Fault = (simulation: Simulation) => void;

const kinds: Readonly<Record<string, Fault>> = {
  break: ({ faults, nodes }) => faults.random.pick(nodes).connection?.break(faults.random.pick([10, 15_000])),
  crash: ({ faults, nodes }) => faults.random.pick(nodes).crash(faults.random.pick([10, 15_000])),
  leave: ({ faults, nodes }) => faults.random.pick(nodes).stop(),
  pause: ({ faults, nodes, scheduler }) => {
    const { random } = faults;
    const process = random.chance(0.2) ? scheduler : random.pick(nodes);
    process.pause(random.pick([100, 3000, 14_000]));
  },
  slow: ({ faults, nodes }) => {
    faults.random.pick(nodes).slowness = faults.random.pick([1, 3, 10]);
  },
  press: ({ faults, nodes }) => faults.random.pick(nodes).setPressed(faults.random.chance(0.6)),
  damage: ({ faults, nodes }) => {
    const node = faults.random.pick(nodes);
    const keys = [...node.store.keys()];
    if (keys.length > 0) node.damage(faults.random.pick(keys), faults.random.chance(0.5));
  },
  part: ({ faults, network, sites }) => {
    const { random } = faults;
    const cut = random.pick(sites);
    network.part({ cuts: (a, b) => (a.site === cut) !== (b.site === cut) }, random.between(500, 20_000));
  },
  isolate: ({ faults, network, nodes }) => {
    const { random } = faults;
    const [one, other] = random.some(nodes, 2);
    if (one === undefined || other === undefined) return;
    const pair = [one.name, other.name];
    const cuts = (a: { name: string }, b: { name: string }) => pair.includes(a.name) && pair.includes(b.name);
    network.part({ cuts }, random.between(500, 20_000));
  },
  'lose-client': ({ faults, clients }) => {
    faults.random.pick(clients).breakConnection(faults.random.pick([10, 15_000]));
  },
  'vanish-client': ({ faults, clients }) => {
    if (clients.filter(({ alive }) => alive).length > 1) faults.random.pick(clients).vanish();
  },
};
export const faultKinds = Object.keys(kinds);

/** Lets faults happen until `end`. */
export function plague(simulation: Simulation, end: number): void {
  const { clock, faults } = simulation;
  const { random, chosen, meanMs } = faults;
  if (chosen.length === 0) return;
  clock.after(random.between(0, 2 * meanMs), () => {
    if (clock.now >= end) return;
    const kind = random.pick(chosen);
    simulation.note(`fault: ${kind}`);
    kinds[kind]!(simulation);
    plague(simulation, end);
  });
}
