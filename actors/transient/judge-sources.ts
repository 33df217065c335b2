/**
 * Owns the last word on sources: which are listed, as what. Statistics alone would list what calibration and
 * model get wrong beside bright sources, where errors are larger than the noise. Must not know: how light
 * curves were measured, images, clusters.
 */
import { type BandCurve, type CurveSummary, summarise } from './light-curve.ts';
import { limits } from './limits.ts';
import type { TimeBins } from './time-bins.ts';
import { type Moments, momentsOf } from './variability.ts';

/** What is known beside the sources. */
export interface Circumstances {
  readonly bins: TimeBins;
  /** `[band]` noise of the mean image, Jy/beam */
  readonly meanNoise: readonly number[];
  /** Signal-to-noise ratio from which something is one. */
  readonly threshold: number;
  /** Flux over that of the brightest source below which nothing can be seen. */
  readonly range: number;
  /** False if frames have too few baselines to tell a change from a sidelobe. */
  readonly tellsChanges: boolean;
}

/** A source's light curve read, and whether the source is real beyond doubt. */
export interface Verdict {
  readonly summary: CurveSummary;
  readonly listed: boolean;
}

/** Judges all sources together.
 * @param curves `[source][band]` */
export function judgeSources(curves: readonly (readonly BandCurve[])[], about: Circumstances): Verdict[] {
  const { bins, meanNoise, threshold, range, tellsChanges } = about;
  const means = curves.map((list) => list.map((curve) => momentsOf(curve)));
  const faintest = meanNoise.map((_, band) => range * brightest(means.map((list) => list[band]!)));
  const readings = curves.map((list) => summarise(list, bins, threshold));
  const steady = (_: unknown, i: number): boolean => readings[i]!.kind === 'steady';
  const flicker = limits.doubtShare * Math.max(0, ...readings.filter(steady).map(brightening(threshold)));
  const scatter = meanNoise.map((_, band) => {
    const most = Math.max(0, ...curves.filter(steady).map((list) => unexplainedScatter(list[band]!)));
    return limits.doubtSigma * most;
  });
  return readings.map((read, i) => {
    const { event } = read;
    // An event of all bands together needs what the band that asks for least asks for.
    const seen = event === undefined || event.band < 0 ? Math.min(...faintest) : faintest[event.band]!;
    const believed = tellsChanges && event !== undefined && event.amplitude >= Math.max(flicker, seen);
    const varies = curves[i]!.some((curve, band) => unexplainedScatter(curve) > scatter[band]!);
    let summary = believed ? read : summarise(curves[i]!, bins, Number.POSITIVE_INFINITY);
    if (!(varies && tellsChanges) && summary.kind === 'variable') summary = { ...summary, kind: 'steady' };
    const brightened = believed && event.snr >= threshold;
    const listed = brightened || means[i]!.some((one, band) => standsOut(one, meanNoise[band]!, threshold));
    return { summary, listed: listed && bright(means[i]!, event?.amplitude, faintest) };
  });
}

/** Whether a mean flux stands out of the mean image too, where errors that all frames share do not average
 * out. */
function standsOut({ mean, meanError }: Moments, noise: number, threshold: number): boolean {
  return mean >= threshold * Math.max(meanError, noise);
}

/** Whether a source is within reach of what the brightest one leaves visible, in any band. */
function bright(
  means: readonly Moments[],
  amplitude: number | undefined,
  faintest: readonly number[],
): boolean {
  return faintest.some((least, band) => Math.max(means[band]!.mean || 0, amplitude ?? 0) >= least);
}

function brightest(means: readonly Moments[]): number {
  return Math.max(0, ...means.map(({ mean }) => mean).filter(Number.isFinite));
}

/** The amplitude of a source's brightening, Jy; 0 where there is none. What errors of calibration, or
 * sidelobes of what the model lacks, do to the flux of a steady source they do in much the same measure
 * elsewhere. */
const brightening =
  (threshold: number) =>
  ({ event }: CurveSummary): number =>
    event !== undefined && event.snr >= threshold ? event.amplitude : 0;

/** By how much a flux scatters beyond its errors, Jy. */
function unexplainedScatter(curve: BandCurve): number {
  const { count, weight, chiSquare } = momentsOf(curve);
  if (count < 2) return 0;
  return Math.sqrt(Math.max(0, (chiSquare / (count - 1) - 1) * (count / weight)));
}
