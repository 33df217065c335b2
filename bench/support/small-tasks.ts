/**
 * Owns the tasks that clusters are measured on: as little work as a task can have. Loaded by nodes.
 */
import { task } from '../../scheduler/index.ts';

export const one = task('bench.one', (_, value: number) => value + 1);
export const total = task('bench.total', (_, values: readonly number[]) => {
  return values.reduce((sum, value) => sum + value, 0);
});
