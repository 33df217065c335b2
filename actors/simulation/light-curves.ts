/**
 * Owns the shapes in which simulated sources vary: a factor on the flux density at a time and a frequency.
 * Pure. Must not know: sources' positions, visibilities.
 */
import { assertNever } from '../../runtime/index.ts';

/** Times are seconds since the start of the observation (the centre of its first integration). */
export type LightCurve =
  | { readonly kind: 'steady' }
  /** On from `start` to `end`. */
  | { readonly kind: 'box'; readonly start: number; readonly end: number }
  /** A flare: exponential rise until `peak`, exponential decay after. */
  | { readonly kind: 'flare'; readonly peak: number; readonly rise: number; readonly decay: number }
  | { readonly kind: 'gaussian'; readonly peak: number; readonly sigma: number }
  /**
   * A Gaussian pulse, at `peak` for infinite frequency and later below by the dispersion measure (pc/cm^3).
   */
  | { readonly kind: 'dispersed'; readonly peak: number; readonly sigma: number; readonly dm: number }
  /** Off before `start`, linear, on from `end`. */
  | { readonly kind: 'ramp'; readonly start: number; readonly end: number }
  | { readonly kind: 'sine'; readonly amplitude: number; readonly period: number; readonly phase?: number };

/**
 * The delay of a pulse at frequency f is this times DM / f^2, in s MHz^2 cm^3 / pc, as pulsar astronomers
 * agreed.
 */
const dispersionConstant = 1 / 2.41e-4;
/** Below this share of the maximum a flare counts as over, so that it has an end. */
const flareFloor = 1e-3;

/** The factor on a source's flux density. */
export function lightCurveFactor(curve: LightCurve, seconds: number, frequencyHz: number): number {
  switch (curve.kind) {
    case 'steady':
      return 1;
    case 'box':
      return seconds >= curve.start && seconds < curve.end ? 1 : 0;
    case 'flare': {
      const since = seconds - curve.peak;
      const factor = Math.exp(since < 0 ? since / curve.rise : -since / curve.decay);
      return factor < flareFloor ? 0 : factor;
    }
    case 'gaussian':
      return Math.exp(-0.5 * ((seconds - curve.peak) / curve.sigma) ** 2);
    case 'dispersed': {
      const peak = curve.peak + (dispersionConstant * curve.dm) / (frequencyHz / 1e6) ** 2;
      return Math.exp(-0.5 * ((seconds - peak) / curve.sigma) ** 2);
    }
    case 'ramp':
      return Math.min(1, Math.max(0, (seconds - curve.start) / (curve.end - curve.start)));
    case 'sine':
      return 1 + curve.amplitude * Math.sin((2 * Math.PI * seconds) / curve.period + (curve.phase ?? 0));
    default:
      return assertNever(curve);
  }
}
