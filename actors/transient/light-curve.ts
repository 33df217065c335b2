/**
 * Owns what a light curve over several bands says: its most significant brightening, what remains in
 * quiescence, eta and V, and the kind of source that follows. Must not know: images, visibilities, files.
 */
import type { SourceKind } from '../products/catalogue.ts';
import { limits } from './limits.ts';
import { BoxFilter, filterDurations } from './matched-filter.ts';
import { binOf, type TimeBins } from './time-bins.ts';
import { chiSquareChance, etaOf, type Moments, momentsOf, vOf } from './variability.ts';

/** One band's forced measurements, in order of time. NaN flux where there are no data. */
export interface BandCurve {
  readonly timeS: Float64Array;
  readonly dtS: Float64Array;
  /** Jy */
  readonly flux: Float64Array;
  /** Jy */
  readonly error: Float64Array;
}

/** A brightening. */
export interface CurveEvent {
  readonly snr: number;
  /** Jy over the rest of the light curve, in the band where it is most significant, or over all bands. */
  readonly amplitude: number;
  /** Bins `[start, end)` of the box of highest signal-to-noise ratio. */
  readonly start: number;
  readonly end: number;
  /** Bins `[from, to)` in which the source is seen: the box and what rises to it and falls from it. */
  readonly from: number;
  readonly to: number;
  /** Index of the band; -1 for all together. */
  readonly band: number;
}

/** What a light curve says. */
export interface CurveSummary {
  readonly kind: SourceKind;
  /** Of the mean flux: the highest of any band and of all together. */
  readonly meanSnr: number;
  readonly event: CurveEvent | undefined;
  /** Reduced chi-square about each band's weighted mean, all bands together. */
  readonly eta: number;
  /** Of the band whose mean is most significant. */
  readonly v: number;
  /** Usable measurements. */
  readonly count: number;
  /** The measurement of the highest signal-to-noise ratio. */
  readonly peak: { readonly fluxJy: number; readonly band: number; readonly index: number };
}

/** A series of values and weights on the common bins. */
interface Binned {
  readonly weighted: Float64Array;
  readonly weight: Float64Array;
}

function bin(curve: BandCurve, bins: TimeBins, offset: number): Binned {
  const weighted = new Float64Array(bins.startS.length);
  const weight = new Float64Array(bins.startS.length);
  curve.flux.forEach((flux, k) => {
    const error = curve.error[k]!;
    if (!Number.isFinite(flux) || !(error > 0)) return;
    const at = binOf(bins, curve.timeS[k]!);
    const w = 1 / error ** 2;
    weight[at]! += w;
    weighted[at]! += w * (flux - offset);
  });
  return { weighted, weight };
}

function add(series: readonly Binned[]): Binned {
  const sum = (pick: (one: Binned) => Float64Array): Float64Array =>
    series.slice(1).reduce((total, one) => total.map((value, k) => value + pick(one)[k]!), pick(series[0]!));
  return { weighted: sum((one) => one.weighted), weight: sum((one) => one.weight) };
}

/** The most significant brightening in any band or in all together. Each band's mean is taken out first: a
 * band that pauses must not look like a change of flux. */
function findEvent(curves: readonly BandCurve[], moments: readonly Moments[], bins: TimeBins) {
  const binned = curves.map((curve, b) => bin(curve, bins, moments[b]!.mean || 0));
  const durations = filterDurations(Math.floor(limits.longestEvent * bins.startS.length));
  let best: Omit<CurveEvent, 'from' | 'to'> | undefined;
  const candidates = binned.length > 1 ? [...binned, add(binned)] : binned;
  candidates.forEach((series, index) => {
    const filter = new BoxFilter(series.weight, durations);
    filter.load(series.weighted);
    const event = filter.best();
    if (event === undefined || (best !== undefined && event.snr <= best.snr)) return;
    best = { ...event, band: index < binned.length ? index : -1 };
  });
  if (best === undefined) return undefined;
  return { ...best, ...grow(best, candidates[best.band < 0 ? binned.length : best.band]!) };
}

/** How far an event reaches: until two bins in a row are at the level of what lies outside. */
function grow(
  { start, end }: { readonly start: number; readonly end: number },
  { weighted, weight }: Binned,
): { from: number; to: number } {
  let [outside, outsideWeight] = [0, 0];
  for (let t = 0; t < weight.length; t++) {
    if (t >= start && t < end) continue;
    outside += weighted[t]!;
    outsideWeight += weight[t]!;
  }
  const level = outsideWeight > 0 ? outside / outsideWeight : 0;
  const raised = (t: number): boolean =>
    weight[t]! > 0 && (weighted[t]! / weight[t]! - level) * Math.sqrt(weight[t]!) > limits.eventEdgeSigma;
  let [from, to] = [start, end];
  for (let t = start - 1; t >= 0 && t >= from - 2; t--) if (raised(t)) from = t;
  for (let t = end; t < weight.length && t < to + 2; t++) if (raised(t)) to = t + 1;
  return { from, to };
}

/** Flux outside of the event over its error, and over the amplitude of the event: of the band in which it
 * matters most. */
function quiescence(curves: readonly BandCurve[], event: CurveEvent, bins: TimeBins) {
  let [sigma, share] = [0, 0];
  for (const curve of curves) {
    const inside = (k: number, from: number, to: number): boolean => {
      const at = binOf(bins, curve.timeS[k]!);
      return at >= from && at < to;
    };
    const pick = (keep: (k: number) => boolean): Moments =>
      momentsOf({ flux: curve.flux.map((flux, k) => (keep(k) ? flux : Number.NaN)), error: curve.error });
    const out = pick((k) => !inside(k, event.from, event.to));
    const on = pick((k) => inside(k, event.start, event.end));
    if (out.count === 0 || on.count === 0) continue;
    const significance = out.mean / out.meanError;
    if (significance <= sigma) continue;
    sigma = significance;
    share = out.mean / Math.max(on.mean, Number.MIN_VALUE);
  }
  return { sigma, share };
}

/** Reads a light curve.
 * @param threshold signal-to-noise ratio from which a brightening is one */
export function summarise(curves: readonly BandCurve[], bins: TimeBins, threshold: number): CurveSummary {
  const moments = curves.map((curve) => momentsOf(curve));
  const used = moments.filter(({ count }) => count > 0);
  const count = used.reduce((sum, one) => sum + one.count, 0);
  const freedom = used.reduce((sum, one) => sum + one.count - 1, 0);
  const chiSquare = used.reduce((sum, one) => sum + one.chiSquare, 0);
  const eta = used.length === 1 ? etaOf(used[0]!) : freedom > 0 ? chiSquare / freedom : Number.NaN;
  const snr = (one: Moments): number => one.mean / one.meanError;
  const strongest = used.reduce<Moments | undefined>(
    (best, one) => (best === undefined || snr(one) > snr(best) ? one : best),
    undefined,
  );
  // Of any band, or of all at a flat spectrum.
  const together = used.reduce((sum, one) => sum + one.mean * one.weight, 0);
  const weight = used.reduce((sum, one) => sum + one.weight, 0);
  const meanSnr = Math.max(strongest === undefined ? 0 : snr(strongest), together / Math.sqrt(weight || 1));
  const event = findEvent(curves, moments, bins);
  const excess = used.reduce((sum, one) => Math.max(sum, modulation(one)), 0);
  const varies =
    chiSquareChance(chiSquare, freedom) < limits.constantChance && excess > limits.leastModulation;
  const kind = kindOf(curves, bins, { event, threshold, varies });
  const v = strongest === undefined ? Number.NaN : vOf(strongest);
  return { kind, meanSnr, event, eta, v, count, peak: peakOf(curves) };
}

/** Scatter beyond the errors over the mean. */
function modulation({ count, weight, mean, chiSquare }: Moments): number {
  if (count < 2) return 0;
  const excess = (chiSquare - (count - 1)) / weight;
  return excess > 0 ? Math.sqrt(excess * (count / (count - 1))) / Math.abs(mean) : 0;
}

function kindOf(
  curves: readonly BandCurve[],
  bins: TimeBins,
  about: { readonly event: CurveEvent | undefined; readonly threshold: number; readonly varies: boolean },
): SourceKind {
  const { event, threshold, varies } = about;
  if (event !== undefined && event.snr >= threshold) {
    const { sigma, share } = quiescence(curves, event, bins);
    if (sigma < limits.quiescentSigma || share * limits.transientContrast < 1) return 'transient';
  }
  return varies ? 'variable' : 'steady';
}

function peakOf(curves: readonly BandCurve[]): CurveSummary['peak'] {
  let peak = { fluxJy: Number.NaN, band: 0, index: 0 };
  let best = Number.NEGATIVE_INFINITY;
  curves.forEach(({ flux, error }, band) => {
    flux.forEach((value, index) => {
      const snr = value / error[index]!;
      if (!(snr > best)) return;
      best = snr;
      peak = { fluxJy: value, band, index };
    });
  });
  return peak;
}
