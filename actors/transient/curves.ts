/**
 * Owns the way from fits of single frames to light curves with honest errors. Must not know: how frames were
 * fitted, images.
 */
import type { BandCurve } from './light-curve.ts';
import { median } from './robust.ts';

/** One frame's fit of all sources. */
export interface FrameMeasures {
  readonly timeS: number;
  readonly dtS: number;
  /** `[source]` Jy */
  readonly flux: ArrayLike<number>;
  /** `[source]` Jy^2, as the weights promise */
  readonly variance: ArrayLike<number>;
  /** Noise power over that promised; NaN without data. */
  readonly scatter: number;
  readonly samples: number;
  /** 1/Jy^2 */
  readonly sumWeight: number;
  /** Noise of the residual image over that of the visibilities, at least 1: errors of calibration and of the
   *  model show as such. */
  readonly excess: number;
}

/** Noise power of a band over that which its weights promise: the median of frames; NaN without data. */
export function noisePowerOf(frames: readonly FrameMeasures[]): number {
  return median(Float64Array.from(frames, ({ scatter }) => scatter));
}

/** By how much a frame's own scatter must stand out of the band's, in its errors, to be taken for itself. */
const noisyFrameSigma = 5;

/** The noise power of each frame: the band's, which is known best, or its own where that is clearly higher,
 * as in interference. */
function frameNoise(frames: readonly FrameMeasures[]): Float64Array {
  const usual = noisePowerOf(frames);
  return Float64Array.from(frames, ({ scatter, samples }) => {
    const spread = usual * Math.sqrt(2 / Math.max(1, samples));
    return scatter > usual + noisyFrameSigma * spread ? scatter : usual;
  });
}

/** The light curves of all sources in one band, frames in order of time.
 * @param honest whether errors are to hold what the residual images show beyond the visibilities' noise */
export function curvesOf(frames: readonly FrameMeasures[], sources: number, honest: boolean): BandCurve[] {
  const noise = frameNoise(frames).map((power, k) => power * (honest ? frames[k]!.excess ** 2 : 1));
  const timeS = Float64Array.from(frames, (frame) => frame.timeS);
  const dtS = Float64Array.from(frames, (frame) => frame.dtS);
  return Array.from({ length: sources }, (_, i) => ({
    timeS,
    dtS,
    flux: Float64Array.from(frames, ({ flux }) => flux[i]!),
    error: Float64Array.from(frames, ({ variance }, k) => Math.sqrt(variance[i]! * noise[k]!)),
  }));
}
