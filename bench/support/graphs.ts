/**
 * Owns the graphs that schedulers are measured on, as specs of tasks: those of the RSDS paper's suite (merge,
 * tree), a chain and a map. Must not know: what is measured.
 */
import { type TaskKey, taskKey } from '../../runtime/index.ts';
import type { TaskSpec } from '../../scheduler/protocol.ts';

export interface BenchGraph {
  readonly name: string;
  readonly tasks: readonly TaskSpec[];
  readonly wants: readonly TaskKey[];
}

/** Arguments of an honest small task: a list of one number. */
const args = new Uint8Array([0x91, 0x01]);

function spec(name: string, inputs: readonly TaskKey[]): TaskSpec {
  // Keys are as long as real ones: a function's name and a digest.
  return { key: taskKey(`bench.task-${name.padStart(22, '0')}`), fn: 'bench.task', args, inputs, hints: {} };
}

function graph(name: string, tasks: readonly TaskSpec[]): BenchGraph {
  return { name, tasks, wants: [tasks.at(-1)!.key] };
}

/** `size` independent tasks, and one that takes all. */
export function merge(size: number): BenchGraph {
  const parts = Array.from({ length: size }, (_, index) => spec(`m${index}`, []));
  const end = spec(
    'end',
    parts.map(({ key }) => key),
  );
  return graph(`merge of ${size}`, [...parts, end]);
}

/** Sums of a thousand tasks each, and the sum of these. */
export function sums(size: number): BenchGraph {
  const tasks: TaskSpec[] = [];
  const ends: TaskKey[] = [];
  for (let first = 0; first < size; first += 1000) {
    const parts = Array.from({ length: 1000 }, (_, index) => spec(`m${first + index}`, []));
    const end = spec(
      `s${first}`,
      parts.map(({ key }) => key),
    );
    tasks.push(...parts, end);
    ends.push(end.key);
  }
  return graph(`sums of ${size}`, [...tasks, spec('end', ends)]);
}

/** `size` independent tasks, all of them wanted. */
export function map(size: number): BenchGraph {
  const tasks = Array.from({ length: size }, (_, index) => spec(`m${index}`, []));
  return { name: `map of ${size}`, tasks, wants: tasks.map(({ key }) => key) };
}

/** A binary reduction of `leaves`, depth first as a client sends it. */
export function tree(leaves: number): BenchGraph {
  const tasks: TaskSpec[] = [];
  const build = (first: number, last: number): TaskKey => {
    const inputs: TaskKey[] = [];
    if (last - first > 1) {
      const middle = (first + last) >> 1;
      inputs.push(build(first, middle), build(middle, last));
    }
    const task = spec(`t${first}-${last}`, inputs);
    tasks.push(task);
    return task.key;
  };
  build(0, leaves);
  return graph(`tree over ${leaves}`, tasks);
}

export function chain(length: number): BenchGraph {
  const tasks: TaskSpec[] = [];
  for (let index = 0; index < length; index++) {
    tasks.push(spec(`c${index}`, index === 0 ? [] : [tasks[index - 1]!.key]));
  }
  return graph(`chain of ${length}`, tasks);
}
