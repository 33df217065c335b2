/**
 * Makes frames for tests of the transient search: an array of random antennas, point sources, normal noise
 * whose variance is what the weights say.
 */
import { directPredict, type PointComponent } from '../../actors/imaging/kernels/direct.ts';
import { type RandomStream, randomStream } from '../../actors/simulation/random.ts';
import type { StokesVisibilities } from '../../actors/visibility.ts';

export interface FramePlan {
  readonly antennas: number;
  readonly freq: Float64Array;
  /** metres, the size of the array */
  readonly extent: number;
  readonly sources: readonly PointComponent[];
  /** Jy, of real and imaginary part each; 0 for none. */
  readonly noise: number;
  readonly random: RandomStream;
}

/** Normal noise for pixels. */
export function normalNoise(length: number, seed: number): Float32Array {
  const random = randomStream(seed);
  return Float32Array.from({ length }, () => random.normal());
}

/** One frame; every seventh sample is masked and holds zeros, as chunks do. */
export function makeFrame({ antennas, freq, extent, sources, noise, random }: FramePlan): StokesVisibilities {
  const position = Array.from({ length: antennas }, () =>
    [extent, extent, extent / 10].map((size) => size * (random.uniform() - 0.5)),
  );
  const baselines: number[] = [];
  for (let p = 0; p < antennas; p++) {
    for (let q = p + 1; q < antennas; q++) {
      for (let axis = 0; axis < 3; axis++) baselines.push(position[q]![axis]! - position[p]![axis]!);
    }
  }
  const uvw = Float64Array.from(baselines);
  const vis = Float32Array.from(directPredict(sources, uvw, freq));
  const samples = vis.length / 2;
  const mask = new Uint8Array(samples);
  const weight = new Float32Array(samples);
  for (let k = 0; k < samples; k++) {
    const sigma = (noise || 1) * (1 + (k % 3) / 2);
    if (k % 7 === 6) {
      vis.fill(0, 2 * k, 2 * k + 2);
      continue;
    }
    mask[k] = 1;
    weight[k] = 1 / (2 * sigma ** 2);
    for (const at of noise === 0 ? [] : [2 * k, 2 * k + 1]) vis[at]! += sigma * random.normal();
  }
  return { uvw, freq, vis, weight, mask };
}
