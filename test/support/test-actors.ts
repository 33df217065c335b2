/**
 * Actors for tests of the machinery: well-behaved ones and such as dawdle, fail, or kill their thread. Loaded
 * by the nodes under test.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  array,
  call,
  cast,
  count,
  defineActor,
  flag,
  instance,
  object,
  real,
  text,
} from '../../runtime/index.ts';

/** Counts, remembers in which order, and dies when it is told to. */
export const Counter = defineActor({
  name: 'test.counter',
  messages: {
    add: call(object({ by: count }), count),
    note: cast(text),
    notes: call(object({}), array(text)),
    /** What it can tell of itself. */
    whoami: call(object({}), object({ node: text, incarnation: count, pid: count, isMain: flag })),
    fail: call(object({ code: text }), count),
    crash: call(object({}), count),
    /** Kills every incarnation that carries it out. */
    poison: call(object({}), count, { idempotent: true }),
    /** Kills those before the given incarnation. */
    weaken: call(object({ until: count }), count, { idempotent: true }),
    doze: call(object({ ms: count }), count),
    untilAborted: call(object({}), text),
    sum: call(array(real), real, { batch: { max: 16, withinMs: 20 } }),
    batches: call(object({}), array(count)),
    echo: call(object({ array: instance(Float64Array) }), instance(Float64Array)),
  },
  init: (ctx, options: { readonly start: number; readonly refuse?: boolean }) => {
    if (options.refuse === true) throw new RangeError('it does not want to live');
    return { value: options.start, notes: [] as string[], batches: [] as number[], node: ctx.node };
  },
  on: {
    add: (state, { by }) => {
      state.value += by;
      return state.value;
    },
    note: (state, word) => {
      state.notes.push(word);
    },
    notes: (state) => state.notes,
    whoami: (state, _, { incarnation }) => ({
      node: state.node,
      incarnation,
      pid: process.pid,
      isMain: process.argv[1]?.endsWith('actor-process.js') === true,
    }),
    fail: (_, { code }) => {
      throw Object.assign(new RangeError(`as the test wants it: ${code}`), { code });
    },
    crash: () => process.exit(7),
    poison: () => process.exit(8),
    weaken: (state, { until }, ctx) => (ctx.incarnation < until ? process.exit(9) : state.value),
    doze: async (state, { ms }) => {
      await sleep(ms);
      return state.value;
    },
    untilAborted: (_state, _message, { signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted'))),
    sum: (state, lists) => {
      state.batches.push(lists.length);
      return lists.map((list) => list.reduce((sum, value) => sum + value, 0));
    },
    batches: (state) => state.batches,
    echo: (_, { array: values }) => values,
  },
  snapshot: ({ value, notes }) => ({ value, notes }),
  restore: (ctx, _, saved: { readonly value: number; readonly notes: string[] }) => ({
    ...saved,
    batches: [],
    node: ctx.node,
  }),
});

/** Lives in a process of its own, and can't be moved. */
export const Hermit = defineActor({
  name: 'test.hermit',
  isolate: 'process',
  messages: {
    add: call(object({ by: count }), count),
    whoami: call(object({}), object({ incarnation: count, pid: count, isMain: flag })),
    double: call(object({ array: instance(Float64Array) }), instance(Float64Array)),
    crash: call(object({}), count),
  },
  init: (_, options: { readonly start: number }) => ({ value: options.start }),
  on: {
    add: (state, { by }) => {
      state.value += by;
      return state.value;
    },
    whoami: (_state, _message, { incarnation }) => ({
      incarnation,
      pid: process.pid,
      isMain: process.argv[1]?.endsWith('actor-process.js') === true,
    }),
    double: (_, { array: values }) => values.map((value) => 2 * value),
    crash: () => process.exit(7),
  },
});
