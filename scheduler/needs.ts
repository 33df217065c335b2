/**
 * Owns what a task takes from its node while it runs there: threads and named resources, in one way or in
 * one of several. Pure. Must not know: nodes, which way is chosen.
 */
import type { Hints } from './protocol.ts';

export interface Needs {
  readonly threads: number;
  /** Resources beside threads, in the order of their names. */
  readonly named: readonly (readonly [name: string, amount: number])[];
}

const oneThread: Needs = { threads: 1, named: [] };

function read(given: Readonly<Record<string, number>>): Needs {
  const { threads = 1, ...named } = given;
  return { threads, named: Object.entries(named).sort() };
}

/** The first way. */
export function needsOf({ needs }: Hints): Needs {
  return needs === undefined ? oneThread : read(needs);
}

/** All ways, the preferred one first. */
export function waysOf(hints: Hints): readonly Needs[] {
  const first = needsOf(hints);
  return hints.orNeeds === undefined ? [first] : [first, ...hints.orNeeds.map(read)];
}

/** As an author writes it. */
export function givenOf({ threads, named }: Needs): Record<string, number> {
  return { ...(threads === 1 ? {} : { threads }), ...Object.fromEntries(named) };
}
