/**
 * Owns the making of images from visibilities: weights counted over all samples of an image, its blocks added
 * up, its beam; and the mean over frequencies. Must not know: Measurement Sets, output files.
 */
import { FrameImager, type ImagingSpec, meanImage, type WeightedImage } from '../imaging/frame-imager.ts';
import { fitBeam } from '../imaging/kernels/beam.ts';
import { DensityGrid } from '../imaging/kernels/weighting.ts';
import type { Beam, StokesVisibilities } from '../visibility.ts';

/** An image, with its point spread function if one was asked for. */
export interface MadeImage {
  /** All zeros where `sumWeight` is 0: there is no image then. */
  readonly dirty: WeightedImage;
  readonly psf: WeightedImage | undefined;
  /** Of the point spread function; undefined where none can be fitted. */
  readonly beam: Beam | undefined;
  /** Visibilities that are not flagged. */
  readonly samples: number;
}

/** Samples of a block that are not flagged. */
function samplesOf({ mask }: StokesVisibilities): number {
  let samples = 0;
  for (const use of mask) samples += use;
  return samples;
}

/** The mean of two images by their weights, where there may be only one yet. */
function added(sum: WeightedImage | undefined, image: WeightedImage): WeightedImage {
  return sum === undefined ? image : meanImage([sum, image]);
}

/** The beam of a point spread function, unless there is none. */
function beamOf({ geometry }: ImagingSpec, psf: WeightedImage | undefined): Beam | undefined {
  if (psf === undefined || !(psf.sumWeight > 0)) return undefined;
  return fitBeam({ pixels: psf.pixels, ...geometry }, geometry);
}

/** Blocks of visibilities, each time it is called from the first one on. */
export type Frames = () => AsyncIterable<StokesVisibilities>;

/** Counts the uv density that uniform and Briggs weights need; undefined for natural ones. */
export async function densityOf(spec: ImagingSpec, frames: Frames): Promise<DensityGrid | undefined> {
  if (spec.weighting.kind === 'natural') return undefined;
  const grid = new DensityGrid(spec.geometry);
  for await (const frame of frames()) grid.add(frame);
  return grid;
}

/** Makes one image. Its blocks are imaged one by one and averaged by weight: no more than one is held.
 * @param options.density of these frames, or of all that are to be weighed alike; not for natural weights */
export async function makeImage(
  spec: ImagingSpec,
  frames: Frames,
  options: { readonly density: DensityGrid | undefined; readonly makePsf: boolean },
): Promise<MadeImage> {
  const imager = new FrameImager(spec, options.density?.toState());
  let [dirty, psf]: (WeightedImage | undefined)[] = [];
  let samples = 0;
  for await (const frame of frames()) {
    const used = samplesOf(frame);
    if (used === 0) continue;
    samples += used;
    dirty = added(dirty, imager.image(frame));
    if (options.makePsf) psf = added(psf, imager.psf(frame));
  }
  const beam = beamOf(spec, psf);
  return { dirty: dirty ?? emptyImage(spec), psf, beam, samples };
}

/** The image of nothing. */
function emptyImage({ geometry }: ImagingSpec): WeightedImage {
  return { pixels: new Float32Array(geometry.npixX * geometry.npixY), sumWeight: 0 };
}

/** The mean over frequencies of the images of channels, made as they come. */
export class FrequencyMean {
  readonly #spec: ImagingSpec;
  #dirty: WeightedImage | undefined;
  #psf: WeightedImage | undefined;
  #samples = 0;

  constructor(spec: ImagingSpec) {
    this.#spec = spec;
  }

  add({ dirty, psf, samples }: MadeImage): void {
    this.#samples += samples;
    if (!(dirty.sumWeight > 0)) return;
    this.#dirty = added(this.#dirty, dirty);
    if (psf !== undefined) this.#psf = added(this.#psf, psf);
  }

  result(): MadeImage {
    const beam = beamOf(this.#spec, this.#psf);
    return { dirty: this.#dirty ?? emptyImage(this.#spec), psf: this.#psf, beam, samples: this.#samples };
  }
}
