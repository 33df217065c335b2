/** What must and must not compile about actors' messages. Checked by the build: this file has no run-time
 * tests. */
import {
  array,
  type CallName,
  type CastName,
  call,
  cast,
  count,
  defineActor,
  type InputOf,
  type OutputOf,
  object,
  real,
  text,
} from '../../runtime/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_proof: Same<A, B>): void => undefined;

const Counter = defineActor({
  name: 'types.counter',
  messages: {
    add: call(object({ by: count }), count),
    rename: cast(object({ to: text })),
    sum: call(array(real), real, { batch: { max: 8, withinMs: 2 } }),
  },
  init: (ctx, options: { readonly start: number }) => ({ value: options.start, name: ctx.node }),
  on: {
    add: (state, { by }) => {
      state.value += by;
      return state.value;
    },
    rename: (state, { to }) => {
      state.name = to;
    },
    sum: (_, lists, ctx) => {
      ctx.signal.throwIfAborted();
      return lists.map((list) => list.reduce((sum, value) => sum + value, 0));
    },
  },
  snapshot: (state) => state.value,
  restore: (_, options, value) => ({ value: value + options.start, name: '' }),
});

type Messages = (typeof Counter)['messages'];
same<CallName<Messages>, 'add' | 'sum'>(true);
same<CastName<Messages>, 'rename'>(true);
same<InputOf<Messages['add']>['by'], number>(true);
same<OutputOf<Messages['sum']>, number>(true);

const noCalls = { rename: cast(object({ to: text })) };
// @ts-expect-error a message has no handler
defineActor({ name: 'types.lazy', messages: noCalls, init: () => 0, on: {} });
const adds = { add: call(count, count) };
// @ts-expect-error the handler answers with a wrong type
defineActor({ name: 'types.odd', messages: adds, init: () => 0, on: { add: () => '' } });
