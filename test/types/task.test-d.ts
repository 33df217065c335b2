/** What must and must not compile in the graph API. Checked by the build: this file has no run-time tests. */
import { type Lazy, task } from '../../scheduler/index.ts';

interface Chunk {
  readonly vis: Float32Array;
}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_proof: Same<A, B>): void => undefined;

const read = task('types.read', (_, path: string): Chunk => ({ vis: new Float32Array(path.length) }));
const add = task('types.add', async (_, chunks: readonly Chunk[], scale: number) => chunks.length * scale);

const chunk = read.with({ near: 'nancay' })('a.ms');
same<typeof chunk, Lazy<Chunk>>(true);
const sum = add([chunk, { vis: new Float32Array(1) }], 2);
same<typeof sum, Lazy<number>>(true);
add([chunk], sum);

// @ts-expect-error a number is not a path
read(3);
// @ts-expect-error a lazy number is not a chunk
add([sum], 2);
// @ts-expect-error an argument is missing
add([chunk]);
