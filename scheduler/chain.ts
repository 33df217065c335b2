/**
 * Owns a chain as one task: how the bodies of several are written into the arguments of one, and how they are
 * run. Pure. Must not know: which tasks are made chains of (fuse.ts), threads.
 */
import { AsperitasError, decodePacked, type TaskKey } from '../runtime/index.ts';
import { bindReferences } from './references.ts';
import type { TaskContext } from './task.ts';

interface Step {
  readonly key: TaskKey;
  readonly fn: string;
  /** As of a task of its own, with the result before it as its only input. */
  readonly args: Uint8Array;
}

type Body = (context: TaskContext, ...args: never[]) => unknown;

/** Stands between the names of a chain's functions. */
const joint = '+';

/** Function and arguments of the one task: the steps, and the inputs of the first. */
export function chainOf(
  tasks: readonly (Step & { readonly inputs: readonly string[] })[],
  encode: (value: unknown) => Uint8Array,
): { readonly fn: string; readonly args: Uint8Array } {
  const names: string[] = [];
  let times = 1;
  for (const [index, { fn }] of tasks.entries()) {
    const again = tasks[index + 1]?.fn === fn;
    if (again) times++;
    else {
      names.push(times > 1 ? `${fn}*${times}` : fn);
      times = 1;
    }
  }
  const steps = tasks.map(({ key, fn, args }): Step => ({ key, fn, args }));
  const inputs = tasks[0]!.inputs.map((_, index) => ({ $task: index }));
  return { fn: names.length > 1 ? names.join(joint) : `${names[0]}${joint}`, args: encode([steps, inputs]) };
}

export function isChain(fn: string): boolean {
  return fn.includes(joint);
}

/** Runs the steps, each with the result of the one before it. */
export function chainBody(bodyOf: (fn: string) => Body): Body {
  const run = async (context: TaskContext, steps: unknown, inputs: unknown): Promise<unknown> => {
    if (!Array.isArray(steps) || !Array.isArray(inputs) || steps.length === 0) broken();
    let taken: readonly unknown[] = inputs;
    let result: unknown;
    for (const step of steps as readonly Partial<Step>[]) {
      const { key, fn } = step ?? {};
      if (typeof key !== 'string' || typeof fn !== 'string' || isChain(fn)) broken();
      if (!(step.args instanceof Uint8Array)) broken();
      const args = bindReferences(decodePacked(step.args), taken);
      if (!Array.isArray(args)) broken();
      context.signal.throwIfAborted();
      const own: TaskContext = Object.create(context, { key: { value: key, enumerable: true } });
      result = await runStep(key, () => bodyOf(fn)(own, ...(args as never[])));
      taken = [result];
    }
    return result;
  };
  return run as unknown as Body;
}

/** An error says in which step it was thrown. */
async function runStep(culprit: TaskKey, run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && Object.isExtensible(error)) {
      const { fields } = error as { readonly fields?: object };
      Object.assign(error, { fields: { ...fields, culprit } });
    }
    throw error;
  }
}

function broken(): never {
  throw new AsperitasError('invalid-message', 'invalid message: a chain of tasks is broken', {});
}
