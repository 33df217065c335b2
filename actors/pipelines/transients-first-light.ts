/**
 * Owns the first stage of a search: the dirty image of every frame, saved as it comes so that a repeated
 * command need not make it again, and the means over time. Must not know: sources.
 */
import { AsperitasError } from '../../runtime/index.ts';
import type { Future } from '../../scheduler/index.ts';
import type { WeightedImage } from '../imaging/frame-imager.ts';
import { dirtyFrames } from '../imaging/tasks.ts';
import { sharedFloat32 } from '../shared-arrays.ts';
import type { ResumeStore } from './resume-store.ts';
import { makePsfs, type Stand, siteHint } from './transients-pass.ts';
import type { TransientPlan } from './transients-plan.ts';

/** What the search starts from. */
export interface FirstLight {
  /** `[band]` */
  readonly means: readonly WeightedImage[];
  readonly psfs: readonly WeightedImage[];
  /** The same, held at the sites. To be released. */
  readonly heldPsfs: readonly Future<WeightedImage>[];
  /** Frames that an earlier run had finished. */
  readonly resumed: number;
}

/** Sums of images by their weights, one a band. */
class MeanSums {
  readonly #sums: Float64Array[];
  readonly #weights: Float64Array;

  constructor(bands: number, pixels: number) {
    this.#sums = Array.from({ length: bands }, () => new Float64Array(pixels));
    this.#weights = new Float64Array(bands);
  }

  add(band: number, { pixels, sumWeight }: WeightedImage): void {
    if (!(sumWeight > 0)) return;
    const sum = this.#sums[band]!;
    for (let k = 0; k < sum.length; k++) sum[k]! += sumWeight * pixels[k]!;
    this.#weights[band]! += sumWeight;
  }

  means(): WeightedImage[] {
    return this.#sums.map((sum, band) => {
      const sumWeight = this.#weights[band]!;
      const pixels = sharedFloat32(sum.length);
      if (sumWeight > 0) for (let k = 0; k < sum.length; k++) pixels[k] = sum[k]! / sumWeight;
      return { pixels, sumWeight };
    });
  }
}

/** Makes what is missing of the dirty frames, and the mean and point spread function of each band. Throws
 * `no-usable-data` if every sample is flagged. */
export async function firstLight(stand: Stand, store: ResumeStore): Promise<FirstLight> {
  const { plan, cluster, wait, density } = stand;
  const { npixX, npixY } = plan.imaging.geometry;
  const sums = new MeanSums(plan.bands.length, npixX * npixY);
  const saved = await store.savedFrames();
  const missing = plan.blocks.filter(({ id }) => !saved.has(id));
  const lazies = missing.map((block) =>
    dirtyFrames.with(siteHint(block))(block, plan.imaging, density[block.band]),
  );
  for await (const done of cluster.asCompleted(lazies, wait)) {
    if (done.error !== undefined) throw done.error;
    const block = missing[done.index]!;
    for (const frame of done.value.frames) sums.add(block.band, frame);
    await store.saveFrames(block.id, done.value.frames);
  }
  let resumed = 0;
  for (const { id, band, frames } of plan.blocks.filter((block) => saved.has(block.id))) {
    resumed += frames.length;
    for (let k = 0; k < frames.length; k++) sums.add(band, await store.loadFrame(id, k, frames.length));
  }
  const means = sums.means();
  if (means.every(({ sumWeight }) => !(sumWeight > 0))) throw allFlagged(plan);
  const heldPsfs = await makePsfs(stand);
  const psfs: readonly WeightedImage[] = await cluster.compute(heldPsfs, wait);
  return { means, psfs, heldPsfs, resumed };
}

function allFlagged({ sets }: TransientPlan): AsperitasError {
  const [first] = sets;
  return new AsperitasError(
    'no-usable-data',
    `${first!.set.path}: every sample of field "${first!.fieldName}" is flagged in ${first!.dataColumn}; ` +
      'asperitas info --flags counts the flags',
    { sets: sets.map(({ set }) => set.path) },
  );
}
