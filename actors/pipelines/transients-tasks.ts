/**
 * Owns the tasks of the transient search beyond imaging: the fit of all sources to the frames of a block, the
 * CLEAN of a mean residual, and detection in tiles. Must not know: the order in which they run, the cluster.
 */
import { task } from '../../scheduler/index.ts';
import { type Block, readBlock } from '../imaging/block.ts';
import { FrameImager, type ImagingSpec, meanImage, type WeightedImage } from '../imaging/frame-imager.ts';
import { type CleanComponent, hogbom } from '../imaging/kernels/hogbom.ts';
import type { DensityState } from '../imaging/kernels/weighting.ts';
import { sharedFloat32 } from '../shared-arrays.ts';
import { cleanMask, localNoise } from '../transient/clean-sources.ts';
import {
  addBands,
  cutTile,
  type Detection,
  type DetectOptions,
  detectInTile,
  type Tile,
  type WeighedTile,
  weigh,
} from '../transient/detect-tile.ts';
import { addNormal, fitFrame, type NormalEquations } from '../transient/fit-frame.ts';
import {
  expectedNoise,
  highestPixel,
  pixelScatter,
  sidelobesOf,
  unexplainedNoise,
} from '../transient/image-noise.ts';
import type { ModelSource } from '../transient/sky-model.ts';
import type { StokesVisibilities } from '../visibility.ts';
import { limits } from './limits.ts';

/** How much of a fit is wanted: fluxes, also the mean residual image, or the residual image of each frame. */
export type FitDepth = 'fluxes' | 'mean' | 'frames';

/** Numbers of a fitted block: small, they travel to the client. */
export interface BlockMeasures {
  /** `[frame, source]` Jy */
  readonly flux: Float64Array;
  /** `[frame, source]` Jy^2, by the weights */
  readonly variance: Float64Array;
  /** `[frame]` noise power over that of the weights */
  readonly scatter: Float64Array;
  /** `[frame]` unmasked samples */
  readonly samples: Float64Array;
  /** `[frame]` sum of their weights, 1/Jy^2 */
  readonly sumWeight: Float64Array;
  /** `[frame]` noise of the residual image, Jy/beam; only if it was made */
  readonly sigma: Float64Array;
  /** `[frame]` the same over what the visibilities' noise explains; at least 1 */
  readonly excess: Float64Array;
  readonly normal: NormalEquations | undefined;
}

/** A fitted block: images stay where they were made. */
export interface BlockFit {
  readonly measures: BlockMeasures;
  readonly mean: WeightedImage | undefined;
  readonly frames: readonly WeightedImage[];
}

export interface FitOptions {
  readonly imaging: ImagingSpec;
  readonly depth: FitDepth;
  readonly density: DensityState | undefined;
}

/** Fits all sources to each frame, and images what is left. */
export const fitBlock = task(
  'transients.fitBlock',
  async (
    context,
    block: Block,
    sources: readonly ModelSource[],
    { imaging, depth, density }: FitOptions,
  ): Promise<BlockFit> => {
    const { whole, frames } = await readBlock(context, block);
    const count = frames.length;
    const flux = new Float64Array(count * sources.length);
    const variance = new Float64Array(count * sources.length);
    const scatter = new Float64Array(count).fill(Number.NaN);
    const samples = new Float64Array(count);
    const sumWeight = new Float64Array(count);
    const sigma = new Float64Array(count).fill(Number.NaN);
    const excess = new Float64Array(count).fill(1);
    const residual = new Float32Array(whole.vis.length);
    const imager = new FrameImager(imaging, density);
    const images: WeightedImage[] = [];
    let normal: NormalEquations | undefined;
    let at = 0;
    // While sources move to their places, the slopes of their spectra are still being learned.
    const wishes = { normal: true, freeSpectra: depth !== 'fluxes' };
    frames.forEach((frame, k) => {
      const fit = fitFrame(frame, sources, wishes);
      flux.set(fit.flux, k * sources.length);
      variance.set(fit.variance, k * sources.length);
      scatter[k] = fit.scatter;
      samples[k] = fit.samples;
      sumWeight[k] = fit.sumWeight;
      if (fit.normal !== undefined)
        normal = normal === undefined ? fit.normal : addNormal(normal, fit.normal);
      residual.set(fit.residual, at);
      at += fit.residual.length;
      if (depth !== 'frames') return;
      const image = imager.image(frame, fit.residual);
      images.push(image);
      if (!(image.sumWeight > 0)) return;
      const expected = expectedNoise(frame, imager.weights(frame), fit.scatter);
      sigma[k] = frameNoise(frame, image, expected);
      // Sidelobes of what is not in the model are no noise to search in, but errors to reckon with.
      excess[k] = Math.max(1, pixelScatter(image.pixels) / expected);
    });
    const measures = { flux, variance, scatter, samples, sumWeight, sigma, excess, normal };
    if (depth === 'fluxes') return { measures, mean: undefined, frames: [] };
    const mean = depth === 'frames' ? meanImage(images) : imager.image(whole, residual);
    return { measures, mean, frames: images };
  },
);

/** Noise of a residual frame, Jy/beam. */
function frameNoise(frame: StokesVisibilities, { pixels }: WeightedImage, floor: number): number {
  return unexplainedNoise({
    scatter: pixelScatter(pixels),
    peak: highestPixel(pixels),
    sidelobes: sidelobesOf(frame),
    floor,
  });
}

/** What of a fit goes to the client. */
export const measuresOf = task('transients.measuresOf', (_context, fit: BlockFit) => fit.measures);

/** The mean residual of a fit. */
export const meanOf = task('transients.meanOf', (_context, { mean }: BlockFit): WeightedImage => {
  if (mean === undefined) throw new RangeError('the fit was made without images');
  return mean;
});

/** The residual images of a fit. */
export const framesOf = task('transients.framesOf', (_context, { frames }: BlockFit) => frames);

/** What CLEAN found in a mean residual. */
export interface MeanClean {
  readonly components: readonly CleanComponent[];
  /** Jy/beam, away from sources */
  readonly noise: number;
  /** Jy/beam, the highest pixel before CLEAN */
  readonly peak: number;
}

/** CLEANs the mean residual of a band where it stands out of its noise. */
export const cleanMean = task(
  'transients.cleanMean',
  (
    _context,
    mean: WeightedImage,
    psf: WeightedImage,
    how: { readonly imaging: ImagingSpec; readonly radius: number; readonly eager: boolean },
  ): MeanClean => {
    const { npixX, npixY } = how.imaging.geometry;
    const { pixels } = mean;
    if (!(mean.sumWeight > 0) || !(psf.sumWeight > 0)) return { components: [], noise: Number.NaN, peak: 0 };
    const peak = highestPixel(pixels);
    const scatter = pixelScatter(pixels);
    const noise = unexplainedNoise({ scatter, peak, sidelobes: pixelScatter(psf.pixels), floor: 0 });
    const local = localNoise(pixels, npixX, npixY);
    // With few antennas and many sources nothing stands out: the highest peak is tried then, if asked to.
    const least = how.eager
      ? Math.min(limits.cleanSeedSigma * noise, 0.7 * peak)
      : limits.cleanSeedSigma * noise;
    const { mask, seeds } = cleanMask({ pixels, npixX, npixY }, local, {
      level: least / scatter,
      radius: how.radius,
    });
    if (seeds === 0) return { components: [], noise, peak };
    const { components } = hogbom(
      { pixels, npixX, npixY },
      { pixels: psf.pixels, npixX, npixY },
      {
        mask,
        gain: limits.cleanGain,
        niter: limits.cleanIterations,
        threshold: limits.cleanDepthSigma * noise,
        stopFraction: limits.cleanStopFraction,
      },
    );
    return { components, noise, peak };
  },
);

/** What a tile sees of the residual frames of a block. */
export const sliceFrames = task(
  'transients.sliceFrames',
  (_context, { frames }: BlockFit, npixX: number, tile: Tile) => {
    const pixels = frames.map((frame) => frame.pixels);
    const cut = cutTile(pixels, npixX, tile);
    const shared = sharedFloat32(cut.length);
    shared.set(cut);
    return shared;
  },
);

/** Where the frames of a band lie: for each, its slice, its index there, its noise and its bin. */
export interface TileFrames {
  readonly slice: Int32Array;
  readonly index: Int32Array;
  readonly sigma: Float64Array;
  readonly bin: Int32Array;
  readonly bins: number;
}

/** Brings the slices of a band onto the common time axis, in units of noise. */
export const weighBand = task(
  'transients.weighBand',
  (_context, slices: readonly Float32Array[], frames: TileFrames, tile: Tile): WeighedTile => {
    const { seen } = tile;
    const size = (seen.x1 - seen.x0) * (seen.y1 - seen.y0);
    const values = new Float32Array(frames.slice.length * size);
    frames.slice.forEach((slice, k) => {
      const from = frames.index[k]! * size;
      values.set(slices[slice]!.subarray(from, from + size), k * size);
    });
    return weigh(tile, { values, sigma: frames.sigma, bin: frames.bin }, frames.bins);
  },
);

/** Bands added by inverse variance. */
export const addBandTiles = task('transients.addBandTiles', (_context, bands: readonly WeighedTile[]) =>
  addBands(bands),
);

/** Brightenings in a tile. */
export const detectTile = task(
  'transients.detectTile',
  (_context, weighed: WeighedTile, tile: Tile, options: DetectOptions): Detection[] =>
    detectInTile(tile, weighed, options),
);
