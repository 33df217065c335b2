/** Tasks that use what clients have scattered, and say where they did. */
import { task } from '../../scheduler/index.ts';

export const weigh = task('scatter.weigh', ({ node, site }, array: Float64Array) => {
  return { node, site, sum: array.reduce((a, b) => a + b, 0) };
});
export const lengths = task('scatter.lengths', (_, arrays: readonly Float64Array[]) =>
  arrays.map(({ length }) => length),
);
