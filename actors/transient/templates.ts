/**
 * Owns the visibilities that sources of unit flux would give in a frame, and their derivatives by place and
 * spectral index, weighted by the square root of the weights and handed out in pieces of bounded size. Sign:
 * V = sum S exp(+2 pi i (u l + v m + w (n - 1)) f / c). Must not know: fluxes, what the pieces are used for.
 */
import type { StokesVisibilities } from '../visibility.ts';
import { limits } from './limits.ts';
import type { ModelSource } from './sky-model.ts';

const speedOfLight = 299_792_458;

/** Some rows of a frame as long vectors of reals, re and im in turn, all weighted. Only valid in the call. */
export interface TemplatePiece {
  /** Index of the first value in `[row, chan, 2]`. */
  readonly at: number;
  /** Values in the piece. */
  readonly length: number;
  /** Square root of the weight of each value; 0 where masked. */
  readonly root: Float64Array;
  readonly data: Float64Array;
  /** `[source]` of vectors */
  readonly values: readonly Float64Array[];
  /** `[3 source]` of vectors: by l, m, index; empty unless asked for. */
  readonly derivatives: readonly Float64Array[];
}

export class Templates {
  readonly frame: StokesVisibilities;
  readonly wantDerivatives: boolean;
  readonly samples: number;
  readonly sumWeight: number;
  readonly #sources: readonly ModelSource[];
  /** `[source][chan]` the spectrum, of weighted mean 1. */
  readonly #spectra: readonly Float64Array[];
  /** `[chan]` ln(f / f0) about its weighted mean. */
  readonly #logFreq: Float64Array;
  /** Between channels that are evenly spaced, Hz; 0 if they are not. */
  readonly #step: number;

  constructor(frame: StokesVisibilities, sources: readonly ModelSource[], wantDerivatives: boolean) {
    this.frame = frame;
    this.wantDerivatives = wantDerivatives;
    this.#sources = sources;
    const { freq, weight, mask } = frame;
    const channelWeight = new Float64Array(freq.length);
    let samples = 0;
    for (let k = 0; k < weight.length; k++) {
      if (mask[k] === 0 || weight[k] === 0) continue;
      samples++;
      channelWeight[k % freq.length]! += weight[k]!;
    }
    this.samples = samples;
    this.sumWeight = channelWeight.reduce((sum, value) => sum + value, 0);
    const mean = (values: Float64Array): number =>
      this.sumWeight > 0
        ? values.reduce((sum, value, c) => sum + value * channelWeight[c]!, 0) / this.sumWeight
        : 0;
    const log = Float64Array.from(freq, (hz) => Math.log(hz / freq[0]!));
    const middle = mean(log);
    this.#logFreq = log.map((value) => value - middle);
    this.#spectra = sources.map(({ spectralIndex }) => {
      const shape = this.#logFreq.map((value) => Math.exp(spectralIndex * value));
      const norm = mean(shape) || 1;
      return shape.map((value) => value / norm);
    });
    this.#step = evenStep(freq);
  }

  /** Calls `use` for consecutive pieces of the frame. */
  forEachPiece(derivatives: boolean, use: (piece: TemplatePiece) => void): void {
    const { frame } = this;
    const channels = frame.freq.length;
    const rows = frame.uvw.length / 3;
    const rowsAtOnce = Math.max(1, Math.floor(limits.samplesAtOnce / channels));
    const room = 2 * channels * Math.min(rows, rowsAtOnce);
    const vectors = (count: number) => Array.from({ length: count }, () => new Float64Array(room));
    const wanted = derivatives && this.wantDerivatives;
    const data = new Float64Array(room);
    const root = new Float64Array(room);
    const values = vectors(this.#sources.length);
    const slopes = vectors(wanted ? 3 * this.#sources.length : 0);
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const end = Math.min(rows, row + rowsAtOnce);
      const at = 2 * row * channels;
      const length = 2 * (end - row) * channels;
      for (let k = 0; k < length; k++) {
        const sample = (at + k) >> 1;
        root[k] = frame.mask[sample] === 0 ? 0 : Math.sqrt(frame.weight[sample]!);
        data[k] = root[k]! === 0 ? 0 : root[k]! * frame.vis[at + k]!;
      }
      for (let i = 0; i < values.length; i++) {
        const slope = wanted ? slopes.slice(3 * i, 3 * i + 3) : [];
        this.#fill(i, [row, end], { root, value: values[i]!, slope });
      }
      use({ at, length, root, data, values, derivatives: slopes });
    }
  }

  #fill(
    index: number,
    [row, end]: readonly [number, number],
    into: { root: Float64Array; value: Float64Array; slope: readonly Float64Array[] },
  ): void {
    const { uvw, freq } = this.frame;
    const channels = freq.length;
    const { components } = this.#sources[index]!;
    const spectrum = this.#spectra[index]!;
    const { root, value, slope } = into;
    const length = 2 * (end - row) * channels;
    value.fill(0, 0, length);
    for (const vector of slope) vector.fill(0, 0, length);
    for (let c = 0; c < components.length; c += 3) {
      const [l, m, share] = [components[c]!, components[c + 1]!, components[c + 2]!];
      const n = Math.sqrt(Math.max(1e-12, 1 - l * l - m * m));
      const nMinus1 = -(l * l + m * m) / (1 + n);
      for (let r = row, k = 0; r < end; r++, k += 2 * channels) {
        const [u, v, w] = [uvw[3 * r]!, uvw[3 * r + 1]!, uvw[3 * r + 2]!];
        const turn = (2 * Math.PI * (u * l + v * m + w * nMinus1)) / speedOfLight;
        const toL = (2 * Math.PI * (u - (w * l) / n)) / speedOfLight;
        const toM = (2 * Math.PI * (v - (w * m) / n)) / speedOfLight;
        this.#fillRow({ k, turn, toL, toM, share, spectrum, root, value, slope });
      }
    }
    const [, , byIndex] = slope;
    if (byIndex === undefined) return;
    for (let k = 0; k < length; k++) byIndex[k] = value[k]! * this.#logFreq[(k >> 1) % channels]!;
  }

  #fillRow(request: {
    readonly k: number;
    readonly turn: number;
    readonly toL: number;
    readonly toM: number;
    readonly share: number;
    readonly spectrum: Float64Array;
    readonly root: Float64Array;
    readonly value: Float64Array;
    readonly slope: readonly Float64Array[];
  }): void {
    const { turn, toL, toM, share, spectrum, root, value, slope } = request;
    const { freq } = this.frame;
    const [byL, byM] = slope;
    let re = Math.cos(turn * freq[0]!);
    let im = Math.sin(turn * freq[0]!);
    // Evenly spaced channels are reached by turning on: two multiplications for a sine and a cosine.
    const stepRe = Math.cos(turn * this.#step);
    const stepIm = Math.sin(turn * this.#step);
    for (let channel = 0, k = request.k; channel < freq.length; channel++, k += 2) {
      const amplitude = share * spectrum[channel]! * root[k]!;
      value[k]! += amplitude * re;
      value[k + 1]! += amplitude * im;
      if (byL !== undefined && byM !== undefined) {
        const [l, m] = [toL * freq[channel]! * amplitude, toM * freq[channel]! * amplitude];
        byL[k]! -= l * im;
        byL[k + 1]! += l * re;
        byM[k]! -= m * im;
        byM[k + 1]! += m * re;
      }
      if (this.#step !== 0) {
        const turned = re * stepRe - im * stepIm;
        im = re * stepIm + im * stepRe;
        re = turned;
      } else if (channel + 1 < freq.length) {
        re = Math.cos(turn * freq[channel + 1]!);
        im = Math.sin(turn * freq[channel + 1]!);
      }
    }
  }
}

/** The spacing of evenly spaced channels, 0 for others. */
function evenStep(freq: Float64Array): number {
  if (freq.length < 2) return 0;
  const step = (freq[freq.length - 1]! - freq[0]!) / (freq.length - 1);
  // A thousandth of a turn over the longest thinkable delay needs the spacing to this accuracy.
  const even = freq.every((hz, channel) => Math.abs(hz - freq[0]! - channel * step) < 1e-3);
  return even ? step : 0;
}
