/**
 * Owns the tasks that turn blocks of visibilities into images and densities: reading, weighting, gridding and
 * the sums of what they give. Must not know: sources, light curves, the order in which tasks run.
 */
import { task } from '../../scheduler/index.ts';
import { type Block, readBlock } from './block.ts';
import { FrameImager, type ImagingSpec, meanImage, type WeightedImage } from './frame-imager.ts';
import { DensityGrid, type DensityState } from './kernels/weighting.ts';

/** Images of the frames of a block, in order. */
export interface FrameImages {
  readonly frames: readonly WeightedImage[];
}

/** The dirty image of each frame. */
export const dirtyFrames = task(
  'imaging.dirtyFrames',
  async (
    context,
    block: Block,
    spec: ImagingSpec,
    density: DensityState | undefined,
  ): Promise<FrameImages> => {
    const imager = new FrameImager(spec, density);
    const { frames } = await readBlock(context, block);
    return { frames: frames.map((frame) => imager.image(frame)) };
  },
);

/** The mean point spread function of the frames. */
export const blockPsf = task(
  'imaging.blockPsf',
  async (context, block: Block, spec: ImagingSpec, density: DensityState | undefined) => {
    const imager = new FrameImager(spec, density);
    return imager.psf((await readBlock(context, block)).whole);
  },
);

/** The mean of images by their weights; of means again the mean. */
export const addImages = task('imaging.addImages', (_context, images: readonly WeightedImage[]) =>
  meanImage(images),
);

/** The density of samples in the uv plane, for uniform and Briggs weights. */
export const blockDensity = task(
  'imaging.blockDensity',
  async (context, block: Block, spec: ImagingSpec): Promise<DensityState> => {
    const grid = new DensityGrid(spec.geometry);
    grid.add((await readBlock(context, block)).whole);
    return grid.toState();
  },
);

/** The sum of densities. */
export const addDensities = task('imaging.addDensities', (_context, states: readonly DensityState[]) => {
  const [first, ...rest] = states;
  if (first === undefined) throw new RangeError('no densities to add');
  const sum = DensityGrid.fromState(first);
  for (const state of rest) sum.merge(state);
  return sum.toState();
});
