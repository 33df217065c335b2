/**
 * Owns the fit of sources whose spectrum in one frame is no power law: a dispersed pulse that crosses the
 * band, a strong line, gains that differ from channel to channel. Such a source gets a flux of its own in
 * each channel, all others keep one over the band, all fitted together. Left in, the mismatch would scatter
 * over the image in the pattern of sidelobes, and look like other sources. Must not know: images, other
 * frames.
 */
import { limits } from './limits.ts';
import { cholesky, solveCholesky } from './symmetric.ts';
import type { Templates } from './templates.ts';
import { chiSquareChance } from './variability.ts';

/** What a residual still holds of each source in each channel, `[source, chan]`. */
export class ChannelProjections {
  readonly channels: number;
  /** Template times residual, and template times template. */
  readonly projection: Float64Array;
  readonly power: Float64Array;

  constructor(sources: number, channels: number) {
    this.channels = channels;
    this.projection = new Float64Array(sources * channels);
    this.power = new Float64Array(sources * channels);
  }

  /** Adds rows of `[row, chan, 2]`. */
  add(source: number, template: Float64Array, residual: Float64Array, length: number): void {
    const { channels, projection, power } = this;
    const at = source * channels;
    for (let k = 0, c = 0; k < length; k += 2, c = c + 1 < channels ? c + 1 : 0) {
      const [re, im] = [template[k]!, template[k + 1]!];
      projection[at + c]! += re * residual[k]! + im * residual[k + 1]!;
      power[at + c]! += re * re + im * im;
    }
  }

  /** The source whose fluxes by channel would take most from the residual, if by more than noise explains;
   * -1 if there is none.
   * @param scatter noise power over that of the weights */
  worst(scatter: number): number {
    const { channels, projection, power } = this;
    let [worst, most] = [-1, 0];
    for (let i = 0; i * channels < projection.length; i++) {
      let [gain, used] = [0, 0];
      for (let k = i * channels; k < (i + 1) * channels; k++) {
        if (!(power[k]! > 0)) continue;
        used++;
        gain += (2 * projection[k]! ** 2) / (power[k]! * scatter);
      }
      if (gain <= most || chiSquareChance(gain, used - 1) >= limits.constantChance) continue;
      [worst, most] = [i, gain];
    }
    return worst;
  }

  /** The mean over the band of fluxes by channel, each channel as it counts in a fit. */
  means(byChannel: Float64Array): Float64Array {
    const { channels, power } = this;
    return Float64Array.from({ length: power.length / channels }, (_, i) => {
      let [sum, weight] = [0, 0];
      for (let k = i * channels; k < (i + 1) * channels; k++) {
        sum += power[k]! * byChannel[k]!;
        weight += power[k]!;
      }
      return sum / weight;
    });
  }
}

/** Sums of one channel over the rows, for the sources `free` and all sources. */
interface ChannelSums {
  /** `[free, source]` */
  readonly gram: Float64Array;
  /** `[free]` */
  readonly projection: Float64Array;
}

/** Fits all sources, those in `free` with a flux a channel.
 * @returns `[source, chan]` Jy, over the spectra of the templates */
export function fitChannels(templates: Templates, free: readonly number[], count: number): Float64Array {
  const channels = templates.frame.freq.length;
  const others = Array.from({ length: count }, (_, i) => i).filter((i) => !free.includes(i));
  const sums = Array.from({ length: channels }, (): ChannelSums => {
    return { gram: new Float64Array(free.length * count), projection: new Float64Array(free.length) };
  });
  const size = others.length;
  const gram = new Float64Array(size * size);
  const projection = new Float64Array(size);
  templates.forEachPiece(false, ({ length, data, values }) => {
    others.forEach((i, a) => {
      projection[a]! += dot(values[i]!, data, 0, length);
      for (let b = 0; b <= a; b++) gram[a * size + b]! += dot(values[i]!, values[others[b]!]!, 0, length);
    });
    for (let k = 0; k < length; k += 2) {
      const channel = sums[(k / 2) % channels]!;
      free.forEach((i, f) => {
        channel.projection[f]! += dot(values[i]!, data, k, k + 2);
        for (let j = 0; j < count; j++) {
          channel.gram[f * count + j]! += dot(values[i]!, values[j]!, k, k + 2);
        }
      });
    }
  });
  for (let a = 0; a < size; a++) {
    gram[a * size + a]! *= 1 + limits.ridge;
    for (let b = 0; b < a; b++) gram[b * size + a] = gram[a * size + b]!;
  }
  return solve({ free, others, count }, sums, { gram, projection });
}

interface Split {
  readonly free: readonly number[];
  readonly others: readonly number[];
  readonly count: number;
}

/** One channel's equations of the free sources, solved but for what the others have. */
interface Block {
  readonly lower: Float64Array;
  /** `[other][free]` */
  readonly coupling: readonly (readonly number[])[];
  /** `[free]` */
  readonly projection: Float64Array;
}

/** The equations of a channel; undefined if it holds no data. */
function blockOf({ free, others, count }: Split, { gram, projection }: ChannelSums): Block | undefined {
  const size = free.length;
  const own = new Float64Array(size * size);
  for (let f = 0; f < size; f++) {
    for (let g = 0; g < size; g++) own[f * size + g] = gram[f * count + free[g]!]!;
    if (!(own[f * size + f]! > 0)) return undefined;
    own[f * size + f]! *= 1 + limits.ridge;
  }
  const coupling = others.map((j) => free.map((_, f) => gram[f * count + j]!));
  return { lower: cholesky(own, size), coupling, projection };
}

/** The fluxes by channel are eliminated (Schur complement), so that the matrix stays as small as the number
 * of sources. */
function solve(
  split: Split,
  sums: readonly ChannelSums[],
  { gram, projection }: { readonly gram: Float64Array; readonly projection: Float64Array },
): Float64Array {
  const { free, others, count } = split;
  const size = others.length;
  const channels = sums.length;
  const blocks = sums.map((channel) => blockOf(split, channel));
  for (const block of blocks) {
    if (block === undefined) continue;
    const given = solveCholesky(block.lower, free.length, block.projection);
    for (let a = 0; a < size; a++) {
      const solved = solveCholesky(block.lower, free.length, block.coupling[a]!);
      for (let f = 0; f < free.length; f++) projection[a]! -= block.coupling[a]![f]! * given[f]!;
      for (let b = 0; b < size; b++) {
        for (let f = 0; f < free.length; f++) gram[a * size + b]! -= block.coupling[b]![f]! * solved[f]!;
      }
    }
  }
  const shared = solveCholesky(cholesky(gram, size), size, projection);
  const flux = new Float64Array(count * channels);
  for (let a = 0; a < size; a++) flux.fill(shared[a]!, others[a]! * channels, (others[a]! + 1) * channels);
  for (let c = 0; c < channels; c++) {
    const block = blocks[c];
    if (block === undefined) continue;
    const left = block.projection.slice();
    for (let a = 0; a < size; a++) {
      for (let f = 0; f < free.length; f++) left[f]! -= block.coupling[a]![f]! * shared[a]!;
    }
    const own = solveCholesky(block.lower, free.length, left);
    for (let f = 0; f < free.length; f++) flux[free[f]! * channels + c] = own[f]!;
  }
  return flux;
}

function dot(a: Float64Array, b: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let k = from; k < to; k++) sum += a[k]! * b[k]!;
  return sum;
}
