/**
 * Owns forced photometry where it is exact: the fluxes of all sources in one frame, fitted together to the
 * visibilities by weighted least squares, with what that leaves. No grid, no beam, no sidelobe takes part.
 * Must not know: images, other frames, files.
 */
import type { StokesVisibilities } from '../visibility.ts';
import { ChannelProjections, fitChannels } from './channel-fluxes.ts';
import { limits } from './limits.ts';
import type { ModelSource } from './sky-model.ts';
import { cholesky, inverseDiagonal, solveCholesky } from './symmetric.ts';
import { Templates } from './templates.ts';

/** Normal equations for moving all sources by (dl, dm, change of index); `addNormal` sums them. */
export interface NormalEquations {
  /** `[3 source, 3 source]` */
  readonly matrix: Float64Array;
  /** `[3 source]` */
  readonly vector: Float64Array;
}

/** What the fit of one frame tells. */
export interface FrameFit {
  /** `[source]` Jy, mean over the band; NaN in a frame without data. */
  readonly flux: Float64Array;
  /** `[source]` Jy^2, if the weights are the inverse variances of real and imaginary parts, halved. */
  readonly variance: Float64Array;
  /** `[row, chan, 2]` Jy: the visibilities minus all sources. */
  readonly residual: Float32Array;
  /** Noise power of the residuals over that which the weights promise: 1 when the weights are right. */
  readonly scatter: number;
  /** Unmasked samples. */
  readonly samples: number;
  /** Sum of weights: a point's variance alone is 1 / (2 sumWeight). */
  readonly sumWeight: number;
  readonly normal?: NormalEquations;
}

/** What a fit is asked for beyond fluxes. */
export interface FitWishes {
  /** To also set up the refinement of places and spectra. */
  readonly normal?: boolean;
  /** To fit sources channel by channel where their spectrum in this frame is clearly no power law. Their
   * slopes then learn nothing from the frame. */
  readonly freeSpectra?: boolean;
}

/** Fits the fluxes of `sources` to a frame. */
export function fitFrame(
  frame: StokesVisibilities,
  sources: readonly ModelSource[],
  wishes: FitWishes = {},
): FrameFit {
  const templates = new Templates(frame, sources, wishes.normal === true);
  const count = sources.length;
  const gram = new Float64Array(count * count);
  const projection = new Float64Array(count);
  templates.forEachPiece(false, ({ length, data, values }) => {
    for (let i = 0; i < count; i++) {
      projection[i]! += dot(values[i]!, data, length);
      for (let j = 0; j <= i; j++) gram[i * count + j]! += dot(values[i]!, values[j]!, length);
    }
  });
  const { samples, sumWeight } = templates;
  if (samples === 0) return emptyFit(frame, count);
  fillUpper(gram, count);
  const lower = cholesky(gram, count);
  const flux = solveCholesky(lower, count, projection);
  const variance = inverseDiagonal(lower, count).map((value) => value / 2);
  const most = wishes.freeSpectra === true ? limits.freeSpectra : 0;
  const best = subtractBest(templates, { flux, lower, most });
  return { ...best, variance, samples, sumWeight };
}

/** Subtracts the sources; those whose spectrum proves to be no power law in this frame channel by channel, at
 * most `most`: one after the other, since the worst also spoils the spectra of the others. */
function subtractBest(
  templates: Templates,
  fitted: { readonly flux: Float64Array; readonly lower: Float64Array; readonly most: number },
): Pick<FrameFit, 'flux' | 'residual' | 'scatter' | 'normal'> {
  const count = fitted.flux.length;
  const channels = templates.frame.freq.length;
  const { samples, sumWeight, wantDerivatives } = templates;
  const affordable = samples / (limits.samplesPerFlux * channels);
  const most = channels < 2 ? 0 : Math.min(fitted.most, count, affordable);
  const free: number[] = [];
  let { flux } = fitted;
  let byChannel: Float64Array = new Float64Array(count * channels);
  for (let i = 0; i < count; i++) byChannel.fill(flux[i]!, i * channels, (i + 1) * channels);
  for (;;) {
    const left = subtract(templates, { flux, byChannel }, fitted.lower);
    const { residual, normal } = left;
    // Two reals a sample, one taken by each flux.
    const taken = count + free.length * (channels - 1);
    const scatter = (left.power / sumWeight) * ((2 * samples) / Math.max(1, 2 * samples - taken));
    const worst = free.length + 1 <= most ? left.spectra.worst(scatter) : -1;
    if (worst < 0 || free.includes(worst)) {
      return { flux, residual, scatter, ...(wantDerivatives ? { normal } : {}) };
    }
    free.push(worst);
    byChannel = fitChannels(templates, free, count);
    flux = left.spectra.means(byChannel);
  }
}

function emptyFit(frame: StokesVisibilities, count: number): FrameFit {
  return {
    flux: new Float64Array(count).fill(Number.NaN),
    variance: new Float64Array(count).fill(Number.NaN),
    residual: frame.vis,
    scatter: Number.NaN,
    samples: 0,
    sumWeight: 0,
  };
}

interface Subtraction {
  readonly residual: Float32Array;
  /** Sum of w^2 |residual|^2. */
  readonly power: number;
  readonly normal: NormalEquations;
  readonly spectra: ChannelProjections;
}

/** Jy */
interface Fluxes {
  /** `[source]` mean over the band */
  readonly flux: Float64Array;
  /** `[source, chan]` */
  readonly byChannel: Float64Array;
}

/** The second pass over the frame: residuals, and the derivatives' products with them. */
function subtract(templates: Templates, { flux, byChannel }: Fluxes, lower: Float64Array): Subtraction {
  const count = flux.length;
  const channels = templates.frame.freq.length;
  const spectra = new ChannelProjections(count, channels);
  const params = templates.wantDerivatives ? 3 * count : 0;
  const matrix = new Float64Array(params * params);
  const vector = new Float64Array(params);
  const coupling = new Float64Array(params * count);
  const residual = new Float32Array(templates.frame.vis.length);
  let power = 0;
  templates.forEachPiece(true, ({ length, data, values, derivatives, root, at }) => {
    for (let i = 0; i < count; i++)
      subtractScaled(data, values[i]!, byChannel.subarray(i * channels, (i + 1) * channels), length);
    for (let i = 0; i < count; i++) spectra.add(i, values[i]!, data, length);
    for (let k = 0; k < length; k++) {
      if (root[k] === 0) continue;
      residual[at + k] = data[k]! / root[k]!;
      power += (data[k]! * root[k]!) ** 2;
    }
    for (let p = 0; p < params; p++) {
      const scale = flux[Math.floor(p / 3)]!;
      vector[p]! += scale * dot(derivatives[p]!, data, length);
      for (let i = 0; i < count; i++) {
        coupling[p * count + i]! += scale * dot(derivatives[p]!, values[i]!, length);
      }
      for (let q = 0; q <= p; q++) {
        const both = scale * flux[Math.floor(q / 3)]!;
        matrix[p * params + q]! += both * dot(derivatives[p]!, derivatives[q]!, length);
      }
    }
  });
  fillUpper(matrix, params);
  marginaliseFluxes(matrix, coupling, lower, count);
  return { residual, power, normal: { matrix, vector }, spectra };
}

/** Takes from the derivatives what a change of fluxes would do as well (variable projection). */
function marginaliseFluxes(
  matrix: Float64Array,
  coupling: Float64Array,
  lower: Float64Array,
  count: number,
): void {
  const params = count === 0 ? 0 : coupling.length / count;
  for (let p = 0; p < params; p++) {
    const solved = solveCholesky(lower, count, coupling.subarray(p * count, (p + 1) * count));
    for (let q = 0; q < params; q++) {
      matrix[p * params + q]! -= dot(solved, coupling.subarray(q * count, (q + 1) * count), count);
    }
  }
}

/** Completes a symmetric matrix, with a ridge so that templates that coincide leave it solvable. */
function fillUpper(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    matrix[i * size + i]! *= 1 + limits.ridge;
    for (let j = 0; j < i; j++) matrix[j * size + i] = matrix[i * size + j]!;
  }
}

function dot(a: Float64Array, b: Float64Array, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** Subtracts rows of `[row, chan, 2]`, each channel times its scale. */
function subtractScaled(to: Float64Array, from: Float64Array, scale: Float64Array, length: number): void {
  for (let k = 0, c = 0; k < length; k += 2, c = c + 1 < scale.length ? c + 1 : 0) {
    to[k]! -= scale[c]! * from[k]!;
    to[k + 1]! -= scale[c]! * from[k + 1]!;
  }
}

/** The sum of two frames' equations. */
export function addNormal(a: NormalEquations, b: NormalEquations): NormalEquations {
  return {
    matrix: a.matrix.map((value, k) => value + b.matrix[k]!),
    vector: a.vector.map((value, k) => value + b.vector[k]!),
  };
}
