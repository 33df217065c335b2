/**
 * Owns the direct Fourier sum: the slow, exact oracle that every fast imaging kernel is held to, in 64-bit
 * floats. Useful on its own for a handful of directions (forced photometry, checks of single pixels).
 * Must not know: grids, FFTs, files, tasks.
 */
import type { ImageGeometry, StokesVisibilities } from '../../visibility.ts';

/** metres per second */
export const speedOfLight = 299_792_458;

/** Values of the unnormalised dirty image and the sum of weights that would normalise it. */
export interface DirectSum {
  /** A direction or pixel each: sum of w Re[V exp(-2 pi i (u l + v m + w (n-1)) f/c)], Jy times weight. */
  readonly values: Float64Array;
  readonly sumWeight: number;
}

/** A point source for prediction: direction cosines and its flux density in Jy, flat over frequency. */
export interface PointComponent {
  readonly l: number;
  readonly m: number;
  readonly fluxJy: number;
}

/** n - 1 = sqrt(1 - l^2 - m^2) - 1 without cancellation; NaN below the horizon (l^2 + m^2 > 1). */
export function nMinusOne(l: number, m: number): number {
  const r2 = l * l + m * m;
  return -r2 / (Math.sqrt(1 - r2) + 1);
}

/** Direction cosines of pixel (x, y), as `[l, m]`. */
export function pixelDirection(geometry: ImageGeometry, x: number, y: number): [l: number, m: number] {
  return [(geometry.npixX / 2 - x) * geometry.pixsizeX, (y - geometry.npixY / 2) * geometry.pixsizeY];
}

/** The sum of `weight` over the samples that `mask` admits: the unnormalised PSF at its centre. */
export function sumOfWeights({ weight, mask }: Pick<StokesVisibilities, 'weight' | 'mask'>): number {
  let sum = 0;
  for (let k = 0; k < mask.length; k++) if (mask[k] !== 0) sum += weight[k]!;
  return sum;
}

/**
 * The unnormalised dirty image at the given directions, by direct summation.
 * @param directions `[point, 2]` direction cosines l, m. Directions below the horizon give NaN.
 */
export function directPoints(visibilities: StokesVisibilities, directions: Float64Array): DirectSum {
  const values = new Float64Array(directions.length / 2);
  for (let point = 0; point < values.length; point++) {
    values[point] = directPoint(visibilities, directions[2 * point]!, directions[2 * point + 1]!);
  }
  return { values, sumWeight: sumOfWeights(visibilities) };
}

function directPoint({ uvw, freq, vis, weight, mask }: StokesVisibilities, l: number, m: number): number {
  const channels = freq.length;
  const rows = uvw.length / 3;
  const n1 = nMinusOne(l, m);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const path = uvw[3 * row]! * l + uvw[3 * row + 1]! * m + uvw[3 * row + 2]! * n1;
    const turn = (-2 * Math.PI * path) / speedOfLight;
    for (let channel = 0, k = row * channels; channel < channels; channel++, k++) {
      if (mask[k] === 0 || weight[k] === 0) continue;
      const phase = turn * freq[channel]!;
      sum += weight[k]! * (vis[2 * k]! * Math.cos(phase) - vis[2 * k + 1]! * Math.sin(phase));
    }
  }
  return Number.isNaN(n1) ? Number.NaN : sum;
}

/**
 * The unnormalised dirty image by direct summation: of every pixel, `[y, x]`, or of the pixels asked for.
 * @param options.pixels `[point, 2]` pixel coordinates x, y (0-based)
 */
export function directImage(
  visibilities: StokesVisibilities,
  geometry: ImageGeometry,
  options: { readonly pixels?: ArrayLike<number> } = {},
): DirectSum {
  const { npixX, npixY } = geometry;
  const { pixels } = options;
  const count = pixels === undefined ? npixX * npixY : pixels.length / 2;
  const directions = new Float64Array(2 * count);
  for (let point = 0; point < count; point++) {
    const x = pixels === undefined ? point % npixX : pixels[2 * point]!;
    const y = pixels === undefined ? Math.floor(point / npixX) : pixels[2 * point + 1]!;
    directions.set(pixelDirection(geometry, x, y), 2 * point);
  }
  return directPoints(visibilities, directions);
}

/**
 * Visibilities of point sources: V = sum of S exp(+2 pi i (u l + v m + w (n-1)) f/c).
 * @returns Float64 `[row, chan, 2]` Jy, re/im interleaved
 */
export function directPredict(
  components: readonly PointComponent[],
  uvw: Float64Array,
  freq: Float64Array,
): Float64Array {
  const channels = freq.length;
  const rows = uvw.length / 3;
  const predicted = new Float64Array(rows * channels * 2);
  for (const { l, m, fluxJy } of components) {
    const n1 = nMinusOne(l, m);
    for (let row = 0; row < rows; row++) {
      const path = uvw[3 * row]! * l + uvw[3 * row + 1]! * m + uvw[3 * row + 2]! * n1;
      const turn = (2 * Math.PI * path) / speedOfLight;
      for (let channel = 0, k = 2 * row * channels; channel < channels; channel++, k += 2) {
        const phase = turn * freq[channel]!;
        predicted[k]! += fluxJy * Math.cos(phase);
        predicted[k + 1]! += fluxJy * Math.sin(phase);
      }
    }
  }
  return predicted;
}
