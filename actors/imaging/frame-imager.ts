/**
 * Owns the imaging of one frame for tasks: weights, gridding, normalisation. Must not know: files, tasks,
 * sources.
 */
import { sharedFloat32 } from '../shared-arrays.ts';
import type { ImageGeometry, StokesVisibilities } from '../visibility.ts';
import { gridImage } from './kernels/gridder.ts';
import { DensityGrid, type DensityState, imagingWeights, type Weighting } from './kernels/weighting.ts';

/** How frames are imaged, the same for a whole run. */
export interface ImagingSpec {
  readonly geometry: ImageGeometry;
  readonly weighting: Weighting;
  /** Asked relative accuracy of the gridding. */
  readonly epsilon: number;
}

/** An image and the sum of the imaging weights that went into it; all zeros if that is 0. */
export interface WeightedImage {
  /** `[y, x]` Jy/beam; NaN outside the sky. */
  readonly pixels: Float32Array;
  readonly sumWeight: number;
}

export class FrameImager {
  readonly #spec: ImagingSpec;
  readonly #density: DensityGrid | undefined;

  constructor(spec: ImagingSpec, density: DensityState | undefined) {
    this.#spec = spec;
    this.#density = density === undefined ? undefined : DensityGrid.fromState(density);
  }

  /** The imaging weights of a frame, `[row, chan]`. */
  weights(frame: StokesVisibilities): Float32Array {
    return imagingWeights(frame, this.#density, this.#spec.weighting);
  }

  /** The dirty image of a frame, or of other visibilities on its baselines. */
  image(frame: StokesVisibilities, vis: Float32Array = frame.vis): WeightedImage {
    const weight = this.weights(frame);
    const { geometry, epsilon } = this.#spec;
    const { values, sumWeight } = gridImage({ ...frame, vis, weight }, geometry, epsilon);
    const pixels = sharedFloat32(values.length);
    if (sumWeight > 0) for (let k = 0; k < values.length; k++) pixels[k] = values[k]! / sumWeight;
    return { pixels, sumWeight };
  }

  /** The point spread function of a frame, its peak of 1 at (floor(npixX/2), floor(npixY/2)). */
  psf(frame: StokesVisibilities): WeightedImage {
    const vis = new Float32Array(frame.vis.length);
    for (let k = 0; k < vis.length; k += 2) vis[k] = 1;
    return this.image(frame, vis);
  }
}

/** The mean of images by their weights. */
export function meanImage(images: readonly WeightedImage[]): WeightedImage {
  const [first] = images;
  if (first === undefined) throw new RangeError('no images to average');
  const sumWeight = images.reduce((sum, image) => sum + image.sumWeight, 0);
  const pixels = sharedFloat32(first.pixels.length);
  if (!(sumWeight > 0)) return { pixels, sumWeight: 0 };
  for (const image of images) {
    const share = image.sumWeight / sumWeight;
    if (share > 0) for (let k = 0; k < pixels.length; k++) pixels[k]! += share * image.pixels[k]!;
  }
  return { pixels, sumWeight };
}
