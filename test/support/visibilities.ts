/**
 * Makes visibilities for tests of kernels: random baselines of a given extent, random noise, some samples
 * masked with the poison that real data hold there.
 */
import type { ImageGeometry, StokesVisibilities } from '../../actors/visibility.ts';
import { seeded } from './noise.ts';

export interface RandomVisibilities {
  readonly rows: number;
  readonly channels: number;
  readonly geometry: ImageGeometry;
  /** The largest |u| pixsizeX and |v| pixsizeY; 0.5 is the Nyquist rate. */
  readonly fill: number;
  /** The largest |w|, wavelengths. */
  readonly wLambda: number;
  /** The part of the samples that is masked. */
  readonly masked?: number;
  readonly seed: number;
}

/** Random visibilities of amplitude about 1 and weights 0.5 to 1.5 at 100 to 110 MHz. */
export function randomVisibilities(options: RandomVisibilities): StokesVisibilities {
  const { rows, channels, geometry, fill, wLambda, masked = 0 } = options;
  const next = seeded(options.seed);
  const signed = () => 2 * next() - 1;
  const freq = Float64Array.from({ length: channels }, (_, k) => 1e8 + (1e7 * k) / channels);
  const metres = 299_792_458 / 1.1e8;
  const uvw = new Float64Array(3 * rows);
  for (let row = 0; row < rows; row++) {
    uvw[3 * row] = (signed() * fill * metres) / geometry.pixsizeX;
    uvw[3 * row + 1] = (signed() * fill * metres) / geometry.pixsizeY;
    uvw[3 * row + 2] = signed() * wLambda * metres;
  }
  const samples = rows * channels;
  const vis = Float32Array.from({ length: 2 * samples }, signed);
  const weight = Float32Array.from({ length: samples }, () => 0.5 + next());
  const mask = Uint8Array.from({ length: samples }, () => (next() < masked ? 0 : 1));
  for (let k = 0; k < samples; k++) {
    if (mask[k] === 1) continue;
    weight[k] = 0;
    vis[2 * k] = 0;
    vis[2 * k + 1] = 0;
  }
  return { uvw, freq, vis, weight, mask };
}
