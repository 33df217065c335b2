/**
 * Owns the noise of a residual image. With few antennas the sidelobes of one bright source that is not yet
 * known fill the image; they are no noise, and taking them for noise would hide that very source. So what the
 * highest peak explains by its sidelobes is taken off. Must not know: how images are made.
 */
import type { Beam, ImageGeometry, StokesVisibilities } from '../visibility.ts';
import { limits } from './limits.ts';
import { robustSigma } from './robust.ts';
import { distanceInBeams } from './select-detections.ts';

/** This many full widths at half maximum away from the peak the main lobe has ended. */
const lobeBeams = 1.2;

/** What is known of an image's noise. */
export interface NoiseKnowledge {
  /** Jy/beam: the median deviation of the pixels, as a standard deviation. */
  readonly scatter: number;
  /** Jy/beam: the highest pixel. */
  readonly peak: number;
  /** Standard deviation of the point spread function away from its peak of 1. */
  readonly sidelobes: number;
  /** Jy/beam: noise that the visibilities themselves have, below which no image can be. */
  readonly floor: number;
}

/** The noise that the sidelobes of the highest peak don't explain, Jy/beam. */
export function unexplainedNoise({ scatter, peak, sidelobes, floor }: NoiseKnowledge): number {
  const unexplained = Math.sqrt(Math.max(0, scatter ** 2 - (peak * sidelobes) ** 2));
  // Without a floor of its own a tenth is left: the estimate of the sidelobes is not exact.
  return Math.min(scatter, Math.max(unexplained, floor, 0.1 * scatter));
}

/** The median deviation of an image's pixels, from enough of them. */
export function pixelScatter(pixels: Float32Array): number {
  return robustSigma(pixels, 0, Math.max(1, Math.floor(pixels.length / limits.noiseSamples)));
}

/** The highest pixel; 0 if none is positive. */
export function highestPixel(pixels: Float32Array): number {
  let peak = 0;
  for (const value of pixels) if (value > peak) peak = value;
  return peak;
}

/** The standard deviation that the point spread function of a frame has far from its peak: baselines add with
 * random phases, channels of one baseline in phase. */
export function sidelobesOf({ weight, mask, freq }: StokesVisibilities): number {
  const channels = freq.length;
  let [sum, squares] = [0, 0];
  for (let k = 0; k < weight.length; k += channels) {
    let row = 0;
    for (let channel = k; channel < k + channels; channel++) if (mask[channel] !== 0) row += weight[channel]!;
    sum += row;
    squares += row * row;
  }
  return sum > 0 ? Math.sqrt(squares / 2) / sum : 0;
}

/** The largest absolute value of a point spread function outside of its main lobe, over its peak; 0 if the
 * main lobe fills the image.
 * @param psf `[y, x]`, its peak at (floor(npixX/2), floor(npixY/2)) */
export function highestSidelobe(
  psf: Float32Array,
  { npixX, npixY, ...pixel }: ImageGeometry,
  beam: Beam,
): number {
  const [cx, cy] = [Math.floor(npixX / 2), Math.floor(npixY / 2)];
  let highest = 0;
  for (let y = 0, k = 0; y < npixY; y++) {
    for (let x = 0; x < npixX; x++, k++) {
      if (!(Math.abs(psf[k]!) > highest)) continue;
      const place = { l: (cx - x) * pixel.pixsizeX, m: (y - cy) * pixel.pixsizeY };
      if (distanceInBeams(place, { l: 0, m: 0 }, beam) > lobeBeams) highest = Math.abs(psf[k]!);
    }
  }
  return highest / psf[cy * npixX + cx]!;
}

/** The noise that an image of a frame has if its visibilities have theirs: weights `imaging` over
 * samples whose real and imaginary parts have variance `power / (2 weight)`. Jy/beam */
export function expectedNoise(
  { weight, mask }: StokesVisibilities,
  imaging: Float32Array,
  power: number,
): number {
  let [sum, variance] = [0, 0];
  for (let k = 0; k < weight.length; k++) {
    if (mask[k] === 0 || !(weight[k]! > 0)) continue;
    sum += imaging[k]!;
    variance += (imaging[k]! ** 2 * power) / (2 * weight[k]!);
  }
  return sum > 0 ? Math.sqrt(variance) / sum : Number.NaN;
}
