/** The order of a graph keeps few results at once: each shape is run in its order by one thread, and what is
 * held is counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TaskKey, taskKey } from '../../runtime/index.ts';
import { orderTasks } from '../../scheduler/order.ts';

interface Vertex {
  readonly key: TaskKey;
  readonly inputs: readonly TaskKey[];
}

class Graph {
  readonly tasks: Vertex[] = [];
  add(...inputs: readonly TaskKey[]): TaskKey {
    const key = taskKey(`t${this.tasks.length}`);
    this.tasks.push({ key, inputs });
    return key;
  }
}

/** The most results that lie anywhere at once when the tasks run in this order, one at a time; a result goes
 * when its last user has run, a wanted one as soon as it is made. */
function peakOf(tasks: readonly Vertex[], wants: readonly TaskKey[]): number {
  const users = new Map<TaskKey, number>();
  for (const { inputs } of tasks) for (const key of inputs) users.set(key, (users.get(key) ?? 0) + 1);
  const held = new Set<TaskKey>();
  let peak = 0;
  for (const { key, inputs } of tasks) {
    for (const input of inputs) assert.equal(held.has(input), true, `${input} is made before ${key}`);
    held.add(key);
    peak = Math.max(peak, held.size);
    for (const input of inputs) {
      users.set(input, users.get(input)! - 1);
      if (users.get(input) === 0) held.delete(input);
    }
    if (wants.includes(key) && !users.has(key)) held.delete(key);
  }
  return peak;
}

/** Every order in which the tasks may run; for small graphs. */
function* orders(tasks: readonly Vertex[], done: Vertex[] = []): Generator<readonly Vertex[]> {
  if (done.length === tasks.length) yield done;
  for (const task of tasks) {
    if (done.includes(task) || !task.inputs.every((key) => done.some((one) => one.key === key))) continue;
    yield* orders(tasks, [...done, task]);
  }
}

function bestPeak(tasks: readonly Vertex[], wants: readonly TaskKey[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (const order of orders(tasks)) best = Math.min(best, peakOf(order, wants));
  return best;
}

test('a reduction by twos holds as many results as it is deep', () => {
  const graph = new Graph();
  let row = Array.from({ length: 256 }, () => graph.add());
  while (row.length > 1) row = row.flatMap((key, k) => (k % 2 === 0 ? [graph.add(key, row[k + 1]!)] : []));
  const peak = peakOf(orderTasks(graph.tasks, row), row);
  assert.equal(peak, 10);
  assert.equal(peakOf(graph.tasks, row), 257);
});

test('one diamond after the other is finished', () => {
  const graph = new Graph();
  const wants = Array.from({ length: 50 }, () => {
    const source = graph.add();
    return [graph.add(source), graph.add(source)];
  }).map(([left, right]) => graph.add(left!, right!));
  assert.equal(peakOf(orderTasks(graph.tasks, wants), wants), 3);
});

test('of many branches out of one result, one after the other is finished', () => {
  const graph = new Graph();
  const source = graph.add();
  const wants = Array.from({ length: 50 }, () => graph.add(graph.add(graph.add(source))));
  assert.equal(peakOf(orderTasks(graph.tasks, wants), wants), 3);
});

test('neighbours that share inputs are run side by side, in whatever order they are asked for', () => {
  const graph = new Graph();
  const inputs = Array.from({ length: 60 }, () => graph.add());
  const wants = inputs.slice(1, -1).map((_, k) => graph.add(...inputs.slice(k, k + 3)));
  const shuffled = wants.map((_, k) => wants[(k * 17) % wants.length]!);
  assert.equal(peakOf(orderTasks(graph.tasks, wants), wants), 4);
  assert.equal(peakOf(orderTasks(graph.tasks, shuffled), shuffled) <= 6, true);
});

test('small graphs of every shape are run with at most one result more than the best order holds', () => {
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed;
    const random = (below: number): number => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    const graph = new Graph();
    for (let index = 0; index < 7; index++) {
      const inputs = new Set<TaskKey>();
      for (let more = random(3); more > 0 && index > 0; more--) inputs.add(graph.tasks[random(index)]!.key);
      graph.add(...inputs);
    }
    const used = new Set(graph.tasks.flatMap(({ inputs }) => inputs));
    const wants = graph.tasks.map(({ key }) => key).filter((key) => !used.has(key));
    const peak = peakOf(orderTasks(graph.tasks, wants), wants);
    const best = bestPeak(graph.tasks, wants);
    assert.equal(peak <= best + 1, true, `seed ${seed}: ${peak} held, ${best} would do`);
  }
});
