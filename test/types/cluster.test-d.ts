/** What must and must not compile when results are asked for and folded. Checked by the build: this file has
 * no run-time tests. */
import { type Cluster, type Future, fold, type Lazy, task } from '../../scheduler/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_proof: Same<A, B>): void => undefined;

interface Image {
  readonly pixels: Float32Array;
  readonly beam: { readonly major: number };
}
const make = task(
  'types.make',
  (_, size: number): Image => ({
    pixels: new Float32Array(size),
    beam: { major: 1 },
  }),
);
const add = task('types.add-images', (_, images: readonly Image[]) => images[0]!);
const weigh = task('types.weigh', (_, images: readonly Image[], weight: number) => images[weight]!);
const measure = task('types.measure', (_, image: Image, label: string) => label.length + image.beam.major);

/** Never called: only its types count. */
export async function resolves(cluster: Cluster, images: readonly Lazy<Image>[]): Promise<void> {
  const one = await cluster.compute(make(4));
  same<typeof one, Image>(true);
  const pair = await cluster.compute([make(4), measure(make(4), 'a')]);
  same<typeof pair, readonly [Image, number]>(true);
  const record = await cluster.compute({ image: make(4), parts: images, label: 'x' as string });
  same<typeof record.image, Image>(true);
  same<typeof record.parts, readonly Image[]>(true);
  same<typeof record.label, string>(true);

  const held = await cluster.persist({ image: make(4), parts: images });
  same<typeof held.image, Future<Image>>(true);
  same<typeof held.parts, readonly Future<Image>[]>(true);
  const again = await cluster.compute(held);
  same<typeof again.image, Image>(true);

  for await (const done of cluster.asCompleted(images)) {
    if (done.error === undefined) same<typeof done.value, Image>(true);
    else same<typeof done.error, Error>(true);
  }
  // A future or a lazy may stand for an argument, whole or in part.
  same<ReturnType<typeof measure>, Lazy<number>>(true);
  measure(held.image, 'a');
  add([held.image, make(3), one]);
  measure({ pixels: one.pixels, beam: cluster as unknown as Future<Image['beam']> }, 'a');

  // @ts-expect-error a held number is not an image
  measure(cluster as unknown as Future<number>, 'a');
}

const sum = fold([make(1), make(2)], add, { arity: 4, by: 'site' });
same<typeof sum, Lazy<Image>>(true);
const weighted = fold([make(1), make(2)], (group) => weigh(group, 0.5));
same<typeof weighted, Lazy<Image>>(true);

// @ts-expect-error numbers can't be folded by a task over images
fold([measure(make(1), 'a')], add);
// @ts-expect-error a fold gives what it takes
fold([make(1)], (group) => measure(group[0]!, 'a'));

export async function futures(cluster: Cluster): Promise<void> {
  const future = cluster.submit(make(4));
  same<typeof future, Future<Image>>(true);
  same<Awaited<ReturnType<typeof future.result>>, Image>(true);
  const mapped = cluster.map(make, [1, 2, 3]);
  same<typeof mapped, Future<Image>[]>(true);
  // @ts-expect-error the items are no sizes
  cluster.map(make, ['a']);
  const gathered = await cluster.gather({ one: future, all: mapped, plain: 1 });
  same<typeof gathered.one, Image>(true);
  same<typeof gathered.all, readonly Image[]>(true);
  same<typeof gathered.plain, 1>(true);
  const { done } = await cluster.wait(mapped, { for: 'first', timeoutMs: 5 });
  same<typeof done, Future<Image>[]>(true);
  // @ts-expect-error there is no other end of a wait
  await cluster.wait(mapped, { for: 'some' });
  const runs = cluster.asCompleted(mapped);
  same<ReturnType<typeof runs.add>, number>(true);
  for await (const { value } of runs) same<typeof value, Image | undefined>(true);
  same<Awaited<ReturnType<typeof cluster.dataset>>, unknown>(true);
  make.with({ key: 'one', deadlineMs: 5, dropIfLate: true })(4);
  // @ts-expect-error a future's place is not known before it is held
  future.site.length;
}
