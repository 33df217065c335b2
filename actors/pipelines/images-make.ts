/**
 * Owns the making of images from visibilities: weights counted over all samples of an image, its blocks added
 * up, its beam; and the mean over frequencies. Must not know: Measurement Sets, output files.
 */
import { FrameImager, type ImagingSpec, meanImage, type WeightedImage } from '../imaging/frame-imager.ts';
import { fitBeam } from '../imaging/kernels/beam.ts';
import { speedOfLight } from '../imaging/kernels/direct.ts';
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
  /** Wavelengths, of those; 0 for none. */
  readonly longestBaseline: number;
}

/** Counts the samples of a block that are not flagged, and their longest baseline in wavelengths. */
function surveyOf({ uvw, freq, mask }: StokesVisibilities): Pick<MadeImage, 'samples' | 'longestBaseline'> {
  let samples = 0;
  let longest = 0;
  for (let row = 0, k = 0; row < uvw.length / 3; row++) {
    let highest = 0;
    for (let channel = 0; channel < freq.length; channel++, k++) {
      if (mask[k] === 0) continue;
      samples++;
      if (freq[channel]! > highest) highest = freq[channel]!;
    }
    if (highest === 0) continue;
    const metres = Math.hypot(uvw[3 * row]!, uvw[3 * row + 1]!, uvw[3 * row + 2]!);
    longest = Math.max(longest, (metres * highest) / speedOfLight);
  }
  return { samples, longestBaseline: longest };
}

/** The mean of two images by their weights, where there may be only one yet. */
function added(sum: WeightedImage | undefined, image: WeightedImage): WeightedImage {
  return sum === undefined ? image : meanImage([sum, image]);
}

/** The beam of a point spread function, fitted from WSClean's first guess. */
function beamOf(spec: ImagingSpec, psf: WeightedImage | undefined, longestBaseline: number) {
  if (psf === undefined || !(psf.sumWeight > 0) || !(longestBaseline > 0)) return undefined;
  const { geometry } = spec;
  return fitBeam({ pixels: psf.pixels, ...geometry }, geometry, 1 / longestBaseline);
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
  let [samples, longestBaseline] = [0, 0];
  for await (const frame of frames()) {
    const survey = surveyOf(frame);
    if (survey.samples === 0) continue;
    samples += survey.samples;
    longestBaseline = Math.max(longestBaseline, survey.longestBaseline);
    dirty = added(dirty, imager.image(frame));
    if (options.makePsf) psf = added(psf, imager.psf(frame));
  }
  const beam = beamOf(spec, psf, longestBaseline);
  return { dirty: dirty ?? emptyImage(spec), psf, beam, samples, longestBaseline };
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
  #longestBaseline = 0;

  constructor(spec: ImagingSpec) {
    this.#spec = spec;
  }

  add({ dirty, psf, samples, longestBaseline }: MadeImage): void {
    this.#samples += samples;
    if (!(dirty.sumWeight > 0)) return;
    this.#dirty = added(this.#dirty, dirty);
    if (psf !== undefined) this.#psf = added(this.#psf, psf);
    this.#longestBaseline = Math.max(this.#longestBaseline, longestBaseline);
  }

  result(): MadeImage {
    const [samples, longestBaseline] = [this.#samples, this.#longestBaseline];
    const beam = beamOf(this.#spec, this.#psf, longestBaseline);
    return { dirty: this.#dirty ?? emptyImage(this.#spec), psf: this.#psf, beam, samples, longestBaseline };
  }
}
