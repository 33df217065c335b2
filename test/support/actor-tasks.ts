/** Tasks that work with actors, for tests: loaded by the nodes under test. */
import { type ActorAddress, task } from '../../scheduler/index.ts';
import { Counter } from './test-actors.ts';

/** Adds each term to a counter, in order, and returns what it answered. */
export const addAll = task(
  'test.add-all',
  async (context, counter: ActorAddress, terms: readonly number[]) => {
    const cluster = await context.cluster();
    const ref = await cluster.actor(Counter, counter);
    const answers: number[] = [];
    for (const by of terms) answers.push(await ref.ask('add', { by }));
    return answers;
  },
);

export const triple = task('test.triple', (_, value: number) => 3 * value);
