/**
 * Owns how a task's dependencies are written inside its arguments: `{ $task: index }` in the place of a lazy
 * or a future, among plain lists and records. A record of the user's own with such a field gets one more `$`,
 * so nothing a user writes can pass for a reference. Must not know: tasks, keys, the codec.
 */
import { AsperitasError } from '../runtime/index.ts';
import { limits } from './limits.ts';

const marked = /^\$+task$/;
type Plain = Record<string, unknown>;

function isRecord(value: unknown): value is Plain {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function checkDepth(depth: number): void {
  if (depth <= limits.argumentDepth) return;
  const limit = limits.argumentDepth;
  const message = `arguments are nested deeper than ${limit} lists or records (a cycle?): flatten them`;
  throw new AsperitasError('arguments-too-deep', message, { limit });
}

/** Calls `found` for each value inside plain lists and records that `wanted` picks, in order of writing.
 * Throws `arguments-too-deep`. */
export function findInputs(
  value: unknown,
  wanted: (value: object) => boolean,
  found: (value: object) => void,
  depth = 0,
): void {
  if (typeof value !== 'object' || value === null) return;
  if (wanted(value)) {
    found(value);
  } else if (Array.isArray(value)) {
    checkDepth(depth);
    for (const entry of value) findInputs(entry, wanted, found, depth + 1);
  } else if (isRecord(value)) {
    checkDepth(depth);
    for (const name of Object.keys(value)) findInputs(value[name], wanted, found, depth + 1);
  }
}

/** Copies plain lists and records where `change` or a marked name makes a difference inside; else returns
 * the value itself. */
function rewrite(
  value: unknown,
  change: (value: object) => unknown,
  rename: (name: string) => string,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const changed = change(value);
  if (changed !== value) return changed;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index++) {
      const entry: unknown = value[index];
      const next = rewrite(entry, change, rename);
      if (next !== entry) (copy ??= [...(value as unknown[])])[index] = next;
    }
    return copy ?? value;
  }
  if (!isRecord(value)) return value;
  let same = true;
  const entries = Object.keys(value).map((name): [string, unknown] => {
    const next = rewrite(value[name], change, rename);
    const renamed = marked.test(name) ? rename(name) : name;
    if (next !== value[name] || renamed !== name) same = false;
    return [renamed, next];
  });
  return same ? value : Object.fromEntries(entries);
}

/** Replaces inputs by references: `indexOf` gives the place in the list of inputs, or undefined for any other
 * value. */
export function writeReferences(value: unknown, indexOf: (value: object) => number | undefined): unknown {
  const change = (inner: object): unknown => {
    const index = indexOf(inner);
    return index === undefined ? inner : { $task: index };
  };
  return rewrite(value, change, (name) => `$${name}`);
}

/** The inverse of `writeReferences`: puts the inputs in the places of their references. */
export function bindReferences(value: unknown, inputs: readonly unknown[]): unknown {
  const change = (inner: object): unknown => {
    if (!isRecord(inner) || !Object.hasOwn(inner, '$task')) return inner;
    const index = inner.$task;
    if (typeof index !== 'number' || !(index >= 0 && index < inputs.length)) {
      throw new AsperitasError('invalid-message', 'invalid message: a reference names no input', {
        inputs: inputs.length,
      });
    }
    return inputs[index];
  };
  return rewrite(value, change, (name) => name.slice(1));
}
