/**
 * Owns the order in which tasks of a submission are best run when all else is equal: depth first, the branch
 * that needs most memory before its siblings (Sethi and Ullman's rule for expression trees), so that a branch
 * is finished and its parts freed before the next is begun. Pure. Must not know: nodes, sizes, durations.
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
        stack.pop();
      }
    }
  };
  for (const key of heaviestFirst(wants)) visit(key);
  return ordered;
}
