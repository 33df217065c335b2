/**
 * Compares images and predictions of the gridder with the direct sums, for tests of either build of the
 * kernels.
 */
import {
  directImage,
  directPredict,
  type PointComponent,
  pixelDirection,
} from '../../actors/imaging/kernels/direct.ts';
import { gridImage, predictVisibilities } from '../../actors/imaging/kernels/gridder.ts';
import type { ImageGeometry, StokesVisibilities } from '../../actors/visibility.ts';
import { seeded } from './noise.ts';
import { randomVisibilities } from './visibilities.ts';

export interface GriddingCase {
  readonly name: string;
  readonly geometry: ImageGeometry;
  readonly wLambda: number;
}

/** A square field, `radians` wide. */
const field = (npixX: number, npixY: number, radians: number): ImageGeometry => ({
  npixX,
  npixY,
  pixsizeX: radians / npixX,
  pixsizeY: radians / npixY,
});

export const griddingCases: readonly GriddingCase[] = [
  { name: 'a narrow field', geometry: field(64, 64, 0.004), wLambda: 5000 },
  { name: 'a co-planar array', geometry: field(48, 64, 0.1), wLambda: 0 },
  {
    name: 'a rectangle of no power of two',
    geometry: { ...field(30, 90, 0.05), pixsizeX: 2e-3 },
    wLambda: 300,
  },
  { name: 'odd sizes', geometry: field(33, 45, 0.2), wLambda: 60 },
  { name: 'the whole sky', geometry: field(64, 64, 2.1), wLambda: 20 },
  { name: 'the whole sky, oblong', geometry: field(40, 50, 2.4), wLambda: 20 },
  { name: 'a wide field and large w', geometry: field(32, 32, 1), wLambda: 5000 },
  { name: 'a few pixels', geometry: field(6, 2, 0.06), wLambda: 50 },
];

/** Random visibilities for a case, a fifth of them masked, also beyond the rate that the pixels resolve. */
export function visibilitiesOf({ geometry, wLambda }: GriddingCase): StokesVisibilities {
  return randomVisibilities({ rows: 250, channels: 3, geometry, fill: 0.6, wLambda, masked: 0.2, seed: 3 });
}

/** A flux of either sign for every pixel; those below the horizon hold none. */
export function modelOf({ npixX, npixY }: ImageGeometry): Float64Array {
  const next = seeded(4);
  return Float64Array.from({ length: npixX * npixY }, () => 2 * next() - 1);
}

/** The largest difference from `exact` in units of its largest value; NaN must match NaN. */
export function worstDifference(exact: ArrayLike<number>, found: ArrayLike<number>): number {
  let [worst, peak] = [0, 0];
  for (let k = 0; k < exact.length; k++) {
    if (Number.isNaN(exact[k]!) !== Number.isNaN(found[k]!)) return Number.POSITIVE_INFINITY;
    if (Number.isNaN(exact[k]!)) continue;
    worst = Math.max(worst, Math.abs(exact[k]! - found[k]!));
    peak = Math.max(peak, Math.abs(exact[k]!));
  }
  return worst / peak;
}

/** Direct sums of a case, made once for every epsilon. */
export function exactSums(one: GriddingCase) {
  const visibilities = visibilitiesOf(one);
  const { geometry } = one;
  const model = modelOf(geometry);
  const components: PointComponent[] = [];
  model.forEach((fluxJy, k) => {
    const [l, m] = pixelDirection(geometry, k % geometry.npixX, Math.floor(k / geometry.npixX));
    if (l * l + m * m <= 1) components.push({ l, m, fluxJy });
  });
  const predicted = directPredict(components, visibilities.uvw, visibilities.freq);
  // Masked samples are predicted as zeros.
  for (let k = 0; k < predicted.length; k++) if (visibilities.mask[k >> 1] === 0) predicted[k] = 0;
  return { visibilities, model, predicted, image: directImage(visibilities, geometry).values };
}

/** Errors of image and prediction in units of their peaks, and the relative failure to be adjoint. */
export function errorsOf(one: GriddingCase, exact: ReturnType<typeof exactSums>, epsilon: number) {
  const { visibilities, model } = exact;
  const { values } = gridImage(visibilities, one.geometry, epsilon);
  const predicted = predictVisibilities(model, one.geometry, visibilities, epsilon);
  let [imageSide, imageNorm, modelNorm, visibilitySide] = [0, 0, 0, 0];
  values.forEach((value: number, k: number) => {
    if (Number.isNaN(value)) return;
    imageSide += value * model[k]!;
    imageNorm += value * value;
    modelNorm += model[k]! * model[k]!;
  });
  // Re[conj(V) G m]: the image is the real part of the conjugate's phases.
  predicted.forEach((value, k) => {
    visibilitySide += visibilities.weight[k >> 1]! * visibilities.vis[k]! * value;
  });
  return {
    image: worstDifference(exact.image, values),
    prediction: worstDifference(exact.predicted, predicted),
    adjointness: Math.abs(imageSide - visibilitySide) / Math.sqrt(imageNorm * modelNorm),
  };
}
