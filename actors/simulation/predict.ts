/**
 * Owns the measurement equation for point sources: the visibilities that an ideal array records, as a direct
 * sum over sources, and the noise on top. The sign is that of Measurement Sets in practice: V = sum S exp(+2
 * pi i (u l + v m + w (n - 1)) f / c). No primary beam, no smearing in time or frequency. Must not know:
 * files, antennas, the rotation of the Earth.
 */
import { assert } from '../../runtime/index.ts';
import { lmFromSky } from '../io/wcs.ts';
import type { Correlation, Direction } from '../visibility.ts';
import { type LightCurve, lightCurveFactor } from './light-curves.ts';
import type { RandomStream } from './random.ts';

const speedOfLight = 299792458;

/** A point source. */
export interface SkySource extends Direction {
  readonly name: string;
  /** Stokes I at `referenceHz`, at light curve factor 1. */
  readonly fluxJy: number;
  readonly referenceHz: number;
  /** alpha in S ~ f^alpha */
  readonly spectralIndex: number;
  readonly lightCurve: LightCurve;
  /** Stokes Q, U, V as shares of I; unpolarised where left out. */
  readonly polarization?: readonly [q: number, u: number, v: number];
}

/** Stokes I of a source at a time (seconds since the start of the observation) and frequency, Jy. */
export function fluxDensity(source: SkySource, seconds: number, frequencyHz: number): number {
  const { fluxJy, referenceHz, spectralIndex, lightCurve } = source;
  return (
    fluxJy * (frequencyHz / referenceHz) ** spectralIndex * lightCurveFactor(lightCurve, seconds, frequencyHz)
  );
}

/** `[re, im]` of a correlation of a source of unit Stokes I. */
function coherence(correlation: Correlation, [q, u, v]: readonly [number, number, number]): [number, number] {
  switch (correlation) {
    case 'I':
      return [1, 0];
    case 'Q':
      return [q, 0];
    case 'U':
      return [u, 0];
    case 'V':
      return [v, 0];
    case 'XX':
      return [1 + q, 0];
    case 'YY':
      return [1 - q, 0];
    case 'XY':
      return [u, v];
    case 'YX':
      return [u, -v];
    case 'RR':
      return [1 + v, 0];
    case 'LL':
      return [1 - v, 0];
    case 'RL':
      return [q, u];
    case 'LR':
      return [q, -u];
  }
}

/** What `predictVisibilities` needs: rows of one time. */
export interface Prediction {
  readonly sources: readonly SkySource[];
  readonly phaseCentre: Direction;
  /** `[row, 3]` metres */
  readonly uvw: Float64Array;
  /** `[chan]` Hz */
  readonly freq: Float64Array;
  readonly correlations: readonly Correlation[];
  /** Seconds since the start of the observation, at which light curves are taken. */
  readonly seconds: number;
}

/** `[row, chan, corr, 2]` Jy. Sources more than 90 degrees away are left out. */
export function predictVisibilities(prediction: Prediction): Float32Array {
  const { sources, phaseCentre, uvw, freq, correlations, seconds } = prediction;
  const rowCount = uvw.length / 3;
  assert(Number.isInteger(rowCount), 'uvw holds three numbers a row');
  const stride = 2 * correlations.length;
  const sum = new Float64Array(rowCount * freq.length * stride);
  for (const source of sources) {
    const cosines = lmFromSky(phaseCentre, source);
    if (cosines === undefined) continue;
    const { l, m } = cosines;
    const fluxes = Array.from(freq, (hz) => fluxDensity(source, seconds, hz));
    if (fluxes.every((flux) => flux === 0)) continue;
    const coherences = correlations.map((name) => coherence(name, source.polarization ?? [0, 0, 0]));
    // n - 1 loses its digits near the centre; this form keeps them.
    const nMinus1 = -(l * l + m * m) / (1 + Math.sqrt(Math.max(0, 1 - l * l - m * m)));
    for (let row = 0; row < rowCount; row++) {
      const metres = uvw[3 * row]! * l + uvw[3 * row + 1]! * m + uvw[3 * row + 2]! * nMinus1;
      for (let chan = 0; chan < freq.length; chan++) {
        const phase = (2 * Math.PI * metres * freq[chan]!) / speedOfLight;
        const re = fluxes[chan]! * Math.cos(phase);
        const im = fluxes[chan]! * Math.sin(phase);
        let at = (row * freq.length + chan) * stride;
        for (const [a, b] of coherences) {
          sum[at++]! += re * a - im * b;
          sum[at++]! += re * b + im * a;
        }
      }
    }
  }
  return Float32Array.from(sum);
}

/**
 * Adds Gaussian noise of standard deviation `sigma` (Jy) to the real and the imaginary part of every value.
 */
export function addNoise(values: Float32Array, sigma: number, random: RandomStream): void {
  for (let k = 0; k < values.length; k++) values[k] = values[k]! + sigma * random.normal();
}
