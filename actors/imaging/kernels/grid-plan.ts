/**
 * Owns the plan of a gridding: floats, padded sizes, kernels, w planes, tiles, and the bytes that all of it
 * takes. Of the plans that keep the asked accuracy it takes the one that should be fastest. Pure. Must not
 * know: visibilities, memory, the kernels' inner loops.
 *
 * With n - 1 counted from the middle of its range, half as many planes are needed. Each sample or its
 * conjugate is used, as the image is real: the one of w >= 0, which halves the planes, or the one of v >= 0,
 * which halves the rows to transform.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import type { ImageGeometry } from '../../visibility.ts';
import { nMinusOne } from './direct.ts';
import { esTaps, fewestNodes } from './es-kernel.ts';
import { goodFftLength } from './fft.ts';
import type { Precision } from './kernel-exports.ts';
import { amplificationOf, type Taps } from './taps.ts';

/** Bounds of a gridding. */
export const planLimits = {
  /** Asked accuracies below this need 64-bit floats. */
  singlePrecision: 4e-6,
  /**
   * Rounding of 32-bit floats leaves this part of the peak, times what the corrections along the three axes
   * amplify it by; it may take a third of the asked accuracy. Found on a wide field with large w, where
   * an image came out ten times too coarse without it.
   */
  singleRounding: 1e-8,
  /** The least that 64-bit grids are asked for: the visibilities themselves are 32-bit floats. */
  epsilon: 1e-7,
  /** Samples sorted at a time, in bytes of a record each: a third of a GiB or half of one. */
  batchSamples: 2 ** 23,
  /** Tiles times planes: a table of so many counts is always affordable. */
  slots: 2 ** 21,
  /** Planes that can be told apart at all. */
  planes: 2 ** 21,
} as const;

/** Cells around the grid, that kernels at its edges reach: half the largest support, in whole vectors. */
export const gridBorder = 16;

/** Which member of a pair of conjugate samples is used. */
export type FlipBy = 'v' | 'w';

/** What the samples are like, in wavelengths; ranges are of w after conjugation by v or by w. */
export interface SampleExtent {
  /** Of the rows in use. */
  readonly samples: number;
  readonly wRange: Readonly<Record<FlipBy, readonly [low: number, high: number]>>;
}

/** How w is dealt with. */
export interface PlanePlan {
  readonly taps: Taps;
  readonly planes: number;
  /** First planes that samples may have: 1 where every sample reaches every plane. */
  readonly firstPlanes: number;
  /** Coordinate of a sample among the planes: w scale + offset. */
  readonly scale: number;
  readonly offset: number;
  /** `[plane]` wavelengths */
  readonly w: (plane: number) => number;
  /** Wavelengths that the taps' unit is long. */
  readonly spacing: number;
}

export interface GridPlan {
  readonly geometry: ImageGeometry;
  readonly precision: Precision;
  readonly sizeU: number;
  readonly sizeV: number;
  readonly taps: Taps;
  readonly flipBy: FlipBy;
  readonly planes: PlanePlan;
  /** The middle of the range of n - 1 in the image, and how far it reaches from there. */
  readonly nCentre: number;
  readonly nHalf: number;
  /** Tiles are 2^tileShift cells wide and high. */
  readonly tileShift: number;
  readonly tilesU: number;
  readonly tilesV: number;
}

/** Paddings that are tried: more of it takes fewer taps, but a larger FFT. */
const paddings = [1.25, 1.5, 1.75, 2, 2.5];

/** Measured nanoseconds, in 32-bit floats on one core; only their ratios matter. */
const costNs = {
  /** a sample on a plane, before its cells */
  sample: 4,
  /** a vector of cells or of a polynomial's step */
  vector: 0.38,
  /** an element of a transform, each doubling of its length */
  fft: 0.22,
  /** a pixel that a plane is added to */
  pixel: 5,
} as const;

const asked = (epsilon: number): number => Math.max(epsilon, planLimits.epsilon);

/** Bits of the floats of a grid for the asked accuracy. */
function precisionFor(epsilon: number): Precision {
  return epsilon < planLimits.singlePrecision ? 64 : 32;
}

/** The kernel for images of 1/`sigma` of the padded size; undefined where rounding would spoil it. */
function tapsFor(sigma: number, epsilon: number): Taps | undefined {
  const taps = esTaps(Math.min(sigma, paddings.at(-1)!), asked(epsilon) / 3);
  if (taps === undefined || precisionFor(epsilon) === 64) return taps;
  const most = Math.cbrt(epsilon / 3 / planLimits.singleRounding);
  return amplificationOf(taps, 1 / (2 * sigma)) <= most ? taps : undefined;
}

/** The shape of the grid and its kernel: all that does not depend on the samples. */
interface Padding {
  readonly sizeU: number;
  readonly sizeV: number;
  readonly taps: Taps;
}

function paddingsFor({ npixX, npixY }: ImageGeometry, epsilon: number): Padding[] {
  const found: Padding[] = [];
  for (const padding of paddings) {
    const sizeU = goodFftLength(padding * npixX);
    const sizeV = goodFftLength(padding * npixY);
    const taps = tapsFor(Math.min(sizeU / npixX, sizeV / npixY), epsilon);
    if (taps !== undefined) found.push({ sizeU, sizeV, taps });
  }
  return found;
}

/** The least n - 1 in the image, clipped at the horizon. */
function leastN({ npixX, npixY, pixsizeX, pixsizeY }: ImageGeometry): number {
  const corner = nMinusOne((npixX / 2) * pixsizeX, (npixY / 2) * pixsizeY);
  return Number.isNaN(corner) ? -1 : corner;
}

function interpolated(range: readonly [number, number], nHalf: number, error: number): PlanePlan | undefined {
  const centre = (range[0] + range[1]) / 2;
  const half = (range[1] - range[0]) / 2;
  const taps = fewestNodes(half * nHalf, error);
  if (taps === undefined) return undefined;
  const scale = half > 0 ? 1 / half : 0;
  return {
    taps,
    planes: taps.count,
    firstPlanes: 1,
    scale,
    offset: -centre * scale,
    w: (plane) => centre + half * taps.offsets[plane]!,
    spacing: half,
  };
}

function stacked(range: readonly [number, number], nHalf: number, taps: Taps, sigma: number): PlanePlan {
  const spacing = 1 / (2 * nHalf * sigma);
  const half = taps.count / 2;
  // One more than fit, as the last sample may round up.
  const firstPlanes = Math.ceil((range[1] - range[0]) / spacing) + 2;
  return {
    taps,
    planes: firstPlanes + taps.count - 1,
    firstPlanes,
    scale: 1 / spacing,
    offset: half - range[0] / spacing,
    w: (plane) => range[0] + (plane - half) * spacing,
    spacing,
  };
}

function planePlans(range: readonly [number, number], nHalf: number, epsilon: number): PlanePlan[] {
  const error = asked(epsilon) / 3;
  const short = interpolated(range, nHalf, error);
  if (short?.planes === 1) return [short];
  const plans = short === undefined ? [] : [short];
  for (const sigma of paddings) {
    const taps = tapsFor(sigma, epsilon);
    if (taps !== undefined) plans.push(stacked(range, nHalf, taps, sigma));
  }
  return plans.filter(({ planes }) => planes <= planLimits.planes);
}

interface Choice {
  readonly padding: Padding;
  readonly planes: PlanePlan;
  readonly flipBy: FlipBy;
}

/** Expected nanoseconds. */
function costOf(
  { npixX, npixY }: ImageGeometry,
  choice: Choice,
  samples: number,
  precision: Precision,
): number {
  const { sizeU, sizeV, taps } = choice.padding;
  const wider = precision / 32;
  const vectors = wider === 1 ? Math.max(2, Math.ceil(taps.count / 2)) : taps.count;
  const evaluation = 2 * taps.degree * Math.ceil(vectors / 2);
  const sample = costNs.sample + costNs.vector * (taps.count * vectors + evaluation);
  const rows = choice.flipBy === 'v' ? sizeV / 2 : sizeV;
  const transform = rows * sizeU * Math.log2(sizeU) + npixX * sizeV * Math.log2(sizeV);
  const plane = costNs.fft * transform + costNs.pixel * npixX * npixY;
  return samples * choice.planes.taps.count * sample + choice.planes.planes * plane * wider;
}

/**
 * The fastest plan that keeps the asked accuracy. Throws `image-too-large` where w is so large that its
 * planes could not even be counted.
 */
export function planGrid(geometry: ImageGeometry, epsilon: number, extent: SampleExtent): GridPlan {
  const least = leastN(geometry);
  const precision = precisionFor(epsilon);
  const paddingPlans = paddingsFor(geometry, epsilon);
  const choices = (['v', 'w'] as const).flatMap((flipBy) =>
    planePlans(extent.wRange[flipBy], -least / 2, epsilon).flatMap((planes) =>
      paddingPlans.map((padding) => ({ padding, planes, flipBy })),
    ),
  );
  const costs = choices.map((choice) => costOf(geometry, choice, extent.samples, precision));
  const best = choices[costs.indexOf(Math.min(...costs))];
  if (best === undefined) {
    const [low, high] = extent.wRange.w;
    throw new AsperitasError(
      'image-too-large',
      `w from ${low.toPrecision(3)} to ${high.toPrecision(3)} wavelengths takes more than ` +
        `${planLimits.planes} planes over this field of view: ask for a smaller one`,
      { leastW: low, mostW: high },
    );
  }
  const { sizeU, sizeV, taps } = best.padding;
  const tiles = tiling(sizeU, sizeV, best.planes.firstPlanes);
  return {
    geometry,
    precision,
    nCentre: least / 2,
    nHalf: -least / 2,
    sizeU,
    sizeV,
    taps,
    ...tiles,
    ...best,
  };
}

function tiling(sizeU: number, sizeV: number, firstPlanes: number) {
  for (let tileShift = 5; ; tileShift++) {
    const tilesU = ((sizeU + 2 * gridBorder) >> tileShift) + 1;
    const tilesV = ((sizeV + 2 * gridBorder) >> tileShift) + 1;
    if (tilesU * tilesV === 1 || firstPlanes * tilesU * tilesV <= planLimits.slots) {
      return { tileShift, tilesU, tilesV };
    }
  }
}

/** Floats of a row of an image while it is worked on: whole vectors, with room for two of either kind. */
export const paddedRow = (npix: number): number => Math.ceil(npix / 8) * 8;

/**
 * The pixels of an axis that lie `distance` pixels, half a pixel more if their number is odd, from its
 * middle: two, or one where there is no second. n is the same at both.
 */
export function pixelsAt(npix: number, distance: number): number[] {
  const [below, above] = [Math.floor(npix / 2) - distance, Math.ceil(npix / 2) + distance];
  return above < npix && above !== below ? [below, above] : [below];
}

/** Bytes of a sorted sample. */
export const recordBytes = (precision: Precision): number => (precision === 32 ? 32 : 56);

/** Bytes that gridding `samples` visibilities by a plan takes at most, the image that it gives included. */
function bytesOf(plan: GridPlan, samples: number): number {
  const { sizeU, sizeV, precision, geometry } = plan;
  const float = precision / 8;
  const plane = 2 * float * (sizeU + 2 * gridBorder) * (sizeV + 2 * gridBorder);
  const transforms = 128 * Math.max(sizeU, sizeV) + 2 * float * (sizeU + sizeV);
  const images = float * geometry.npixY * (paddedRow(geometry.npixX) + geometry.npixX);
  const ns = 8 * (geometry.npixY / 2 + 1) * (paddedRow(geometry.npixX / 2 + 1) + 1);
  // A row of a single channel has its uvw for one sample.
  const batch = Math.min(samples, planLimits.batchSamples) * (recordBytes(precision) + 8 + 24);
  return plane + transforms + images + ns + batch + 4 * planLimits.slots;
}

/**
 * Bytes that imaging `samples` visibilities at once takes at most, whatever their w: the more planes there
 * are, the less padding pays.
 */
export function griddingBytes(geometry: ImageGeometry, epsilon: number, samples: number): number {
  const flat = [0, 0] as const;
  return bytesOf(planGrid(geometry, epsilon, { samples, wRange: { v: flat, w: flat } }), samples);
}
