/**
 * Owns imaging weights: natural, uniform and Briggs (D. Briggs 1995), with the density grid counted exactly
 * as WSClean counts it, so that images of the two can be compared pixel by pixel. A density grid is plain
 * data: grids of chunks are counted apart and merged, in any order, before the weights are taken. Must not
 * know: gridding, files, tasks.
 */
import type { ImageGeometry, StokesVisibilities } from '../../visibility.ts';
import { speedOfLight } from './direct.ts';

/** How samples are weighted: by their noise, by how empty their uv cell is, or in between (robust -2..2). */
export type Weighting =
  | { readonly kind: 'natural' }
  | { readonly kind: 'uniform' }
  | { readonly kind: 'briggs'; readonly robust: number };

/** What travels between nodes: the counted weights of a density grid. */
export interface DensityState {
  readonly geometry: ImageGeometry;
  /** `[v, u]` sum of weights a uv cell, of the half plane v >= 0 */
  readonly cells: Float64Array;
}

/** Where WSClean pads an image of `npix` pixels to; its density grid has one cell a padded pixel. */
export function densityGridSize(npix: number): number {
  return Math.ceil(Math.ceil(1.2 * npix) / 4) * 4;
}

/** The summed weights of the samples in every uv cell, as uniform and Briggs weighting need them. */
export class DensityGrid {
  readonly geometry: ImageGeometry;
  readonly sizeU: number;
  readonly sizeV: number;
  /** `[v, u]`, `sizeV / 2` rows: the half plane v >= 0 */
  readonly cells: Float64Array;
  /** Factors made of the cells, while these don't change. */
  #made: { readonly key: string | number; readonly values: Float64Array } | undefined;

  constructor(geometry: ImageGeometry) {
    this.geometry = geometry;
    this.sizeU = densityGridSize(geometry.npixX);
    this.sizeV = densityGridSize(geometry.npixY);
    this.cells = new Float64Array((this.sizeU * this.sizeV) / 2);
  }

  /** Counts the weights of a block of visibilities; masked samples and those beyond the grid are left out. */
  add(visibilities: Omit<StokesVisibilities, 'vis'>): void {
    const { uvw, freq, weight, mask } = visibilities;
    const channels = freq.length;
    this.#made = undefined;
    for (let row = 0, k = 0; row < uvw.length / 3; row++) {
      for (let channel = 0; channel < channels; channel++, k++) {
        if (mask[k] === 0) continue;
        const perMetre = freq[channel]! / speedOfLight;
        const cell = this.cellOf(uvw[3 * row]! * perMetre, uvw[3 * row + 1]! * perMetre);
        if (cell >= 0) this.cells[cell]! += weight[k]!;
      }
    }
  }

  /** Adds the counts of another grid of the same geometry. */
  merge(other: DensityState): void {
    if (other.cells.length !== this.cells.length) {
      throw new RangeError(
        `density grids of ${other.cells.length} and ${this.cells.length} cells do not add`,
      );
    }
    this.#made = undefined;
    for (let cell = 0; cell < this.cells.length; cell++) this.cells[cell]! += other.cells[cell]!;
  }

  /** The counts as plain data; the array is not copied. */
  toState(): DensityState {
    return { geometry: this.geometry, cells: this.cells };
  }

  /** A grid with the counts of `state`, which are copied. */
  static fromState(state: DensityState): DensityGrid {
    const grid = new DensityGrid(state.geometry);
    grid.merge(state);
    return grid;
  }

  /** Index of the cell that holds (u, v) in wavelengths; -1 outside the grid. */
  cellOf(u: number, v: number): number {
    const sign = v < 0 ? -1 : 1;
    const { sizeU, sizeV, geometry } = this;
    const x = Math.floor(sign * u * sizeU * geometry.pixsizeX + sizeU / 2);
    const y = Math.floor(sign * v * sizeV * geometry.pixsizeY);
    return x >= 0 && x < sizeU && y < sizeV / 2 ? y * sizeU + x : -1;
  }

  /**
   * What the weights of the samples of every cell are multiplied by, `[v, u]`. Not to be changed. As in
   * WSClean, no factor exceeds three times the mean around it: a lone sample in an empty region would
   * otherwise bring all its noise.
   */
  factors(weighting: Weighting): Float64Array {
    const key = weighting.kind === 'briggs' ? weighting.robust : weighting.kind;
    if (this.#made?.key !== key) {
      const values = this.cells.map(this.#factor(weighting));
      this.#made = { key, values: lowerOutliers(values, this.sizeU) };
    }
    return this.#made.values;
  }

  /** The factor of a cell by itself, as a function of its summed weight. */
  #factor(weighting: Weighting): (summed: number) => number {
    if (weighting.kind === 'natural') return () => 1;
    if (weighting.kind === 'uniform') return (summed) => (summed > 0 ? 1 / summed : 0);
    let sum = 0;
    let squares = 0;
    for (const summed of this.cells) {
      sum += summed;
      squares += summed * summed;
    }
    const scale = squares > 0 ? ((5 * 10 ** -weighting.robust) ** 2 * sum) / squares : 0;
    return (summed) => 1 / (1 + summed * scale);
  }
}

/** WSClean's rank filter: cells on each side of one, and how far it may stand out of their mean. */
const filterReach = 8;
const filterLimit = 3;

/** Factors, none of them above `filterLimit` times the mean of those that are not zero around it.
 * @param values `[v, u]` @param sizeU cells a row */
function lowerOutliers(values: Float64Array, sizeU: number): Float64Array {
  const sizeV = values.length / sizeU;
  const lowered = values.slice();
  // Sums over the rows of the window, moved along with it.
  const sums = new Float64Array(sizeU);
  const counts = new Float64Array(sizeU);
  const addRow = (y: number, sign: 1 | -1) => {
    if (y < 0 || y >= sizeV) return;
    for (let x = 0, k = y * sizeU; x < sizeU; x++, k++) {
      if (values[k] === 0) continue;
      sums[x]! += sign * values[k]!;
      counts[x]! += sign;
    }
  };
  for (let y = 0; y < filterReach - 1; y++) addRow(y, 1);
  for (let y = 0; y < sizeV; y++) {
    addRow(y + filterReach - 1, 1);
    addRow(y - filterReach - 1, -1);
    for (let x = 0, k = y * sizeU; x < sizeU; x++, k++) {
      if (values[k] === 0) continue;
      let [sum, count] = [0, 0];
      for (let at = Math.max(0, x - filterReach); at < Math.min(sizeU, x + filterReach); at++) {
        sum += sums[at]!;
        count += counts[at]!;
      }
      lowered[k] = Math.min(values[k]!, (filterLimit * sum) / count);
    }
  }
  return lowered;
}

/**
 * The weights to image with: `weight` times the factor of `weighting`; zero where masked, and, unless
 * natural, zero outside the density grid, as in WSClean.
 * @param density counted over every sample of the image; not needed for natural weighting
 * @returns Float32 `[row, chan]`
 */
export function imagingWeights(
  visibilities: Omit<StokesVisibilities, 'vis'>,
  density: DensityGrid | undefined,
  weighting: Weighting,
): Float32Array {
  const { uvw, freq, weight, mask } = visibilities;
  const weights = new Float32Array(weight.length);
  if (weighting.kind === 'natural') {
    for (let k = 0; k < weights.length; k++) weights[k] = mask[k] === 0 ? 0 : weight[k]!;
    return weights;
  }
  if (density === undefined) throw new RangeError(`${weighting.kind} weights need the density grid`);
  const factors = density.factors(weighting);
  const channels = freq.length;
  for (let row = 0, k = 0; row < uvw.length / 3; row++) {
    for (let channel = 0; channel < channels; channel++, k++) {
      if (mask[k] === 0) continue;
      const perMetre = freq[channel]! / speedOfLight;
      const cell = density.cellOf(uvw[3 * row]! * perMetre, uvw[3 * row + 1]! * perMetre);
      if (cell >= 0) weights[k] = weight[k]! * factors[cell]!;
    }
  }
  return weights;
}
