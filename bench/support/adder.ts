/** An actor that does next to nothing, so that a benchmark measures the way to it and back. */
import { call, count, defineActor, object } from '../../runtime/index.ts';

export const Adder = defineActor({
  name: 'bench.adder',
  messages: { add: call(object({ by: count }), count) },
  init: (_, start: number) => ({ value: start }),
  on: {
    add: (state, { by }) => {
      state.value += by;
      return state.value;
    },
  },
});
