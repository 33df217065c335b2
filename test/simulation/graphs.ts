/** Random graphs of modelled tasks. The value of a task is a hash of its function and of the values of its
 * inputs, so that a wrong or stale datum gives itself away. */
import { type SiteName, siteName, type TaskKey, taskKey } from '../../runtime/index.ts';
import type { Hints, TaskSpec } from '../../scheduler/protocol.ts';
import { hashText, type Random } from './random.ts';

export interface TaskModel {
  readonly spec: TaskSpec;
  readonly inputs: readonly TaskModel[];
  readonly index: number;
  readonly value: number;
  readonly ms: number;
  readonly bytes: number;
  /** So many attempts throw; after a fatal error none is to be made. */
  readonly throwsFirst: number;
  readonly fatal: boolean;
  attempts: number;
}

/** What the graphs may ask for: the sites, and those with a node that has a GPU or three threads. */
export interface Terrain {
  readonly sites: readonly string[];
  readonly gpuSites: readonly string[];
  readonly wideSites: readonly string[];
}

export function modelledValue(fn: string, key: TaskKey, inputs: readonly number[]): number {
  return hashText(`${fn} ${key} ${inputs.join(' ')}`);
}

/** A value as it travels with a message. */
export function modelledBytes(value: number): Uint8Array {
  return new TextEncoder().encode(String(value));
}
export function modelledFrom(bytes: Uint8Array): number {
  return Number(new TextDecoder().decode(bytes));
}

export class TaskModels {
  readonly byKey = new Map<TaskKey, TaskModel>();
  /** The numbers of the graph that is being drawn. */
  #random: Random;
  readonly #terrain: Terrain;
  readonly #throwing: boolean;
  readonly #slowest: number;
  #graphs = 0;

  constructor(random: Random, terrain: Terrain) {
    this.#random = random;
    this.#terrain = terrain;
    this.#throwing = random.chance(0.6);
    this.#slowest = random.pick([20, 300, 3000]);
  }

  /** A graph upon some held results; returns its tasks, inputs first, and those that are wanted. */
  grow(futures: readonly TaskModel[], random: Random): { tasks: TaskModel[]; wants: TaskModel[] } {
    this.#random = random;
    const tasks: TaskModel[] = [];
    const graph = this.#graphs++;
    const add = (...inputs: TaskModel[]): TaskModel => {
      const model = this.#make(`g${graph}.${tasks.length}`, inputs);
      tasks.push(model);
      return model;
    };
    const root = (): TaskModel => (futures.length > 0 && random.chance(0.5) ? random.pick(futures) : add());
    const size = random.int(1, 8);
    const wants = shapes[random.int(0, shapes.length - 1)]!({ add, root, size, random });
    this.#bound(tasks, wants, `w${graph}`);
    return { tasks, wants: [...new Set(wants)].filter((want) => tasks.includes(want)) };
  }

  /** All that a task is made from and itself, inputs first. */
  lineage(roots: readonly TaskModel[]): TaskModel[] {
    const found = new Set<TaskModel>();
    const stack = [...roots];
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      if (found.has(task)) continue;
      found.add(task);
      stack.push(...task.inputs);
    }
    return [...found].sort((a, b) => a.index - b.index);
  }

  /** Some graphs go through a window. What a client wants may be kept for long, and would fill it. */
  #bound(tasks: readonly TaskModel[], wants: readonly TaskModel[], group: string): void {
    const random = this.#random;
    if (!random.chance(0.2)) return;
    const limit = random.int(1, 3);
    for (const task of tasks) {
      if (!wants.includes(task)) Object.assign(task.spec.hints, { maxInFlight: { group, limit } });
    }
  }

  #make(name: string, given: readonly TaskModel[]): TaskModel {
    const random = this.#random;
    const inputs = [...new Set(given)];
    const fn = random.pick(['quick', 'usual', 'bulky']);
    const key = taskKey(name);
    const throws = this.#throwing && random.chance(0.12);
    const hints = this.#hints(inputs, throws);
    const spec = { key, fn, args: new Uint8Array(0), inputs: inputs.map((input) => input.spec.key), hints };
    const values = inputs.map(({ value }) => value);
    const model: TaskModel = {
      spec,
      inputs,
      index: this.byKey.size,
      value: modelledValue(fn, key, values),
      ms: fn === 'quick' ? random.between(0, 5) : random.between(1, this.#slowest),
      bytes: fn === 'bulky' ? random.int(1e5, 5e6) : random.int(1, 1000),
      throwsFirst: throws ? random.int(1, 3) : 0,
      fatal: throws && random.chance(0.2),
      attempts: 0,
    };
    this.byKey.set(key, model);
    return model;
  }

  #hints(inputs: readonly TaskModel[], throws: boolean): Hints {
    const random = this.#random;
    const hints: { -readonly [K in keyof Hints]: Hints[K] } = {};
    const { sites, gpuSites, wideSites } = this.#terrain;
    const site = (): SiteName => siteName(random.pick(sites));
    // What must be where an input stays has no other wish: no node might fulfil both.
    const bound = inputs.some((input) => input.spec.hints.stay === true);
    if (random.chance(throws ? 0.6 : 0.05)) hints.retries = random.int(1, 3);
    if (random.chance(0.1)) hints.priority = random.int(-2, 2);
    if (random.chance(0.1)) hints.together = random.pick(['one', 'other']);
    if (random.chance(0.1)) hints.memoryBytes = random.pick([1e6, 4e7, 2e8]);
    if (random.chance(0.2)) hints.seconds = random.pick([0.001, 0.1, 2]);
    if (random.chance(0.1)) hints.near = random.pick([site(), 'nowhere']);
    if (random.chance(0.05)) hints.stay = true;
    if (bound && random.chance(0.95)) return hints;
    if (random.chance(0.1)) hints.site = site();
    if (random.chance(0.01)) hints.site = siteName('ghost');
    if (bound) return hints;
    if (gpuSites.length > 0 && random.chance(0.1)) {
      hints.needs = { gpu: random.pick([0.5, 1]) };
      if (random.chance(0.3)) hints.orNeeds = [{ threads: 1 }];
      if (hints.site !== undefined) hints.site = siteName(random.pick(gpuSites));
    } else if (wideSites.length > 0 && random.chance(0.1)) {
      hints.needs = { threads: 3 };
      if (hints.site !== undefined) hints.site = siteName(random.pick(wideSites));
    }
    return hints;
  }
}

interface Pen {
  readonly add: (...inputs: TaskModel[]) => TaskModel;
  readonly root: () => TaskModel;
  readonly size: number;
  readonly random: Random;
}

/** Each draws a graph and returns what is wanted of it. */
const shapes: readonly ((pen: Pen) => TaskModel[])[] = [
  // A chain.
  ({ add, root, size }) => {
    let last = root();
    for (let step = 0; step < size; step++) last = add(last);
    return [last];
  },
  // A fan-in.
  ({ add, root, size }) => [add(...Array.from({ length: size }, root))],
  // A fan-out, each wanted.
  ({ add, root, size }) => {
    const source = root();
    return Array.from({ length: size }, () => add(source));
  },
  // A fold by twos.
  ({ add, root, size }) => {
    let row = Array.from({ length: size }, root);
    while (row.length > 1) {
      const next: TaskModel[] = [];
      for (let index = 0; index < row.length; index += 2) next.push(add(...row.slice(index, index + 2)));
      row = next;
    }
    return row;
  },
  // Diamonds, one upon the other.
  ({ add, root, size }) => {
    let last = root();
    for (let step = 0; step < Math.ceil(size / 3); step++) last = add(add(last), add(last));
    return [last];
  },
  // Anything.
  ({ add, root, size, random }) => {
    const all = [root()];
    for (let step = 0; step < size; step++) all.push(add(...random.some(all, random.int(0, 3))));
    return random.some(all, 3);
  },
];
