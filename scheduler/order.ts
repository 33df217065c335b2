/**
 * Owns the order in which tasks of a submission are best run when all else is equal: depth first, the branch
 * that needs most memory before its siblings (Sethi and Ullman's rule for expression trees), so that a branch
 * is finished and its parts freed before the next is begun; and of all that is wanted, next what lacks least
 * of what is there. Pure. Must not know: nodes, sizes, durations.
 */
import type { TaskKey } from '../runtime/index.ts';

interface Vertex {
  readonly key: TaskKey;
  readonly inputs: readonly TaskKey[];
}

/** How many results must be kept at once to make this one, were the graph a tree. */
function registers(vertex: Vertex, needs: ReadonlyMap<TaskKey, number>): number {
  if (vertex.inputs.length <= 1) return Math.max(1, needs.get(vertex.inputs[0]!) ?? 1);
  const sorted = vertex.inputs.map((key) => needs.get(key) ?? 0).sort((a, b) => b - a);
  let most = 1;
  for (let index = 0; index < sorted.length; index++) most = Math.max(most, sorted[index]! + index);
  return most;
}

/** The tasks reordered; inputs still come before their users. Expects inputs before users; inputs that are
 * not in the list are held already and cost nothing. */
export function orderTasks<V extends Vertex>(tasks: readonly V[], wants: readonly TaskKey[]): V[] {
  const byKey = new Map<TaskKey, V>();
  const needs = new Map<TaskKey, number>();
  for (const task of tasks) {
    byKey.set(task.key, task);
    needs.set(task.key, registers(task, needs));
  }
  const heaviestFirst = (keys: readonly TaskKey[]): readonly TaskKey[] =>
    keys.length < 2 ? keys : [...keys].sort((a, b) => (needs.get(b) ?? 0) - (needs.get(a) ?? 0));
  const ordered: V[] = [];
  const seen = new Set<TaskKey>();
  const frontier = wants.length > 1 ? new Frontier(tasks) : undefined;
  const visit = (root: TaskKey): void => {
    const stack: { task: V; inputs: readonly TaskKey[]; next: number }[] = [];
    const enter = (key: TaskKey): void => {
      const task = byKey.get(key);
      if (task === undefined || seen.has(key)) return;
      seen.add(key);
      stack.push({ task, inputs: heaviestFirst(task.inputs), next: 0 });
    };
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next < top.inputs.length) {
        enter(top.inputs[top.next++]!);
      } else {
        ordered.push(top.task);
        frontier?.made(top.task.key);
        stack.pop();
      }
    }
  };
  for (const key of heaviestFirst(wants)) {
    visit(key);
    for (let near = frontier?.next(seen); near !== undefined; near = frontier?.next(seen)) visit(near);
  }
  return ordered;
}

/** One that lacks more than so many inputs does not let go of others soon. */
const mostMissing = 16;

/** The tasks of which some inputs have been made: one that lacks few of them lets these go soonest. */
class Frontier {
  readonly #users = new Map<TaskKey, TaskKey[]>();
  readonly #missing = new Map<TaskKey, number>();
  /** By the number of inputs that are missing; entries whose number has changed are stale. */
  readonly #touched: TaskKey[][] = [];

  constructor(tasks: readonly Vertex[]) {
    for (const { key, inputs } of tasks) {
      this.#missing.set(key, inputs.length);
      for (const input of inputs) {
        const users = this.#users.get(input);
        if (users === undefined) this.#users.set(input, [key]);
        else users.push(key);
      }
    }
  }

  made(key: TaskKey): void {
    for (const user of this.#users.get(key) ?? []) {
      const missing = this.#missing.get(user)! - 1;
      this.#missing.set(user, missing);
      if (missing > mostMissing) continue;
      this.#touched[missing] ??= [];
      this.#touched[missing].push(user);
    }
  }

  /** The one that lacks least, of several the one touched last. */
  next(seen: ReadonlySet<TaskKey>): TaskKey | undefined {
    for (const [missing, keys] of this.#touched.entries()) {
      for (let key = keys?.pop(); key !== undefined; key = keys?.pop()) {
        if (!seen.has(key) && this.#missing.get(key) === missing) return key;
      }
    }
    return undefined;
  }
}
