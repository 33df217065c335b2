/**
 * Owns one w plane in the arena and its way to and from an image: filling it with samples, borders, the
 * pruned FFT, the phase screen. Must not know: where samples and images come from, the order of planes.
 *
 * Only what can differ from zero is transformed: the rows and columns that samples reach on one side, the
 * image's on the other.
 */
import type { Arena } from './arena.ts';
import { nMinusOne } from './direct.ts';
import { allocateTwiddles, allocateWork } from './fft.ts';
import { type GridPlan, gridBorder, paddedRow, pixelsAt, recordBytes } from './grid-plan.ts';
import { ofPrecision, type PrecisionKernels } from './kernel-exports.ts';
import { rowBytes, type SortedSamples } from './sorted-samples.ts';
import type { Taps } from './taps.ts';

/** Cells of a plane that the samples reach. */
interface Region {
  readonly row0: number;
  readonly row1: number;
  readonly column0: number;
  readonly column1: number;
  /** Whether samples reach beyond the edges, to the opposite side. */
  readonly wrapsU: boolean;
  readonly wrapsV: boolean;
}

const evenDown = (n: number): number => n - (n & 1);
const evenUp = (n: number): number => n + (n & 1);
const lanesUp = (n: number): number => Math.ceil(n / 8) * 8;

/** The cells under the samples' taps; in u also those that whole vectors of taps touch. */
function regionOf(plan: GridPlan, samples: SortedSamples): Region {
  const { sizeU, sizeV, taps } = plan;
  const wrapsU = samples.minU < 0 || evenUp(samples.maxU + taps.count + 3) > sizeU;
  const wrapsV = samples.minV < 0 || samples.maxV + taps.count > sizeV;
  return {
    wrapsU,
    wrapsV,
    row0: wrapsV ? 0 : samples.minV,
    row1: wrapsV ? sizeV : samples.maxV + taps.count,
    column0: wrapsU ? 0 : evenDown(samples.minU),
    column1: wrapsU ? sizeU : evenUp(samples.maxU + taps.count + 3),
  };
}

export class PlaneGrid {
  readonly #arena: Arena;
  readonly #plan: GridPlan;
  readonly #kernels: PrecisionKernels;
  readonly #stride: number;
  /** Address of cell (0, 0), inside the border. */
  readonly #cells: number;
  readonly #work: readonly [number, number];
  readonly #twiddlesU: number;
  readonly #twiddlesV: number;
  readonly #tapsUV: number;
  readonly #tapsW: number;
  readonly #scratch: number;
  readonly #n: number;
  readonly #halfX: number;
  readonly #halfScreen: readonly [number, number];
  readonly #screen: readonly [number, number];

  constructor(arena: Arena, plan: GridPlan) {
    const { precision, sizeU, sizeV, geometry, taps, planes } = plan;
    this.#arena = arena;
    this.#plan = plan;
    this.#kernels = ofPrecision(arena.kernels, precision);
    this.#stride = rowBytes(plan);
    const plane = arena.allocate(this.#stride * (sizeV + 2 * gridBorder));
    this.#cells = plane + gridBorder * (this.#stride + precision / 4);
    this.#work = allocateWork(arena, Math.max(sizeU, sizeV));
    this.#twiddlesU = allocateTwiddles(arena, sizeU, precision);
    this.#twiddlesV = allocateTwiddles(arena, sizeV, precision);
    this.#tapsUV = this.#allocateTapsUV(taps);
    this.#tapsW = this.#floats(planes.taps.coefficients);
    this.#scratch = arena.allocate(8 * 128);
    this.#halfX = paddedRow(Math.floor(geometry.npixX / 2) + 1);
    const float = precision / 8;
    this.#halfScreen = [arena.allocate(float * this.#halfX), arena.allocate(float * this.#halfX)];
    const row = float * paddedRow(geometry.npixX);
    this.#screen = [arena.allocate(row), arena.allocate(row)];
    // What lies beyond an odd row's end stays zero.
    for (const address of this.#screen) arena.kernels.zero(address, row);
    this.#n = this.#allocateN();
  }

  /** Floats of the plan's precision. */
  #floats(values: Float64Array): number {
    const { precision } = this.#plan;
    const address = this.#arena.allocate((values.length * precision) / 8);
    if (precision === 32) this.#arena.f32(address, values.length).set(values);
    else this.#arena.f64(address, values.length).set(values);
    return address;
  }

  /** `[degree + 1][taps in whole vectors]`; every other tap is negative, which moves the image's centre to
   * the middle of the transform. */
  #allocateTapsUV({ count, degree, coefficients }: Taps): number {
    const lanes = 128 / this.#plan.precision;
    // The inner loop of few taps reads whole pairs of vectors.
    const padded = Math.ceil(count / lanes) * lanes;
    const table = new Float64Array((degree + 2) * padded);
    for (let tap = 0; tap < count; tap++) {
      for (let d = 0; d <= degree; d++) {
        table[d * padded + tap] = (tap % 2 === 0 ? 1 : -1) * coefficients[tap * (degree + 1) + d]!;
      }
    }
    return this.#floats(table);
  }

  /** `[distance from the centre in y, in x]` n - 1 from the middle of its range; 0 below the horizon. */
  #allocateN(): number {
    const { geometry, nCentre } = this.#plan;
    const { npixX, npixY, pixsizeX, pixsizeY } = geometry;
    const halfY = Math.floor(npixY / 2) + 1;
    const address = this.#arena.allocate(8 * halfY * this.#halfX);
    const table = this.#arena.f64(address, halfY * this.#halfX);
    const [oddX, oddY] = [(npixX % 2) / 2, (npixY % 2) / 2];
    for (let y = 0; y < halfY; y++) {
      for (let x = 0; x < this.#halfX; x++) {
        const n = nMinusOne((x + oddX) * pixsizeX, (y + oddY) * pixsizeY);
        table[y * this.#halfX + x] = Number.isNaN(n) ? 0 : n - nCentre;
      }
    }
    return address;
  }

  /** Addresses of the first record and behind the last, of the samples that reach a plane. */
  #recordsOn({ starts, records }: SortedSamples, plane: number): readonly [number, number] {
    const last = Math.min(plane, starts.length - 2);
    const first = Math.max(0, plane - this.#plan.planes.taps.count + 1);
    const bytes = recordBytes(this.#plan.precision);
    return [records + starts[first]! * bytes, records + starts[last + 1]! * bytes];
  }

  /** Grids the samples that reach `plane` and adds what it gives to `image`, rows of `paddedRow` floats. */
  addToImage(samples: SortedSamples, plane: number, image: number): void {
    const [first, last] = this.#recordsOn(samples, plane);
    if (first === last) return;
    const region = regionOf(this.#plan, samples);
    const [row0, row1] = this.#bordered(region);
    this.#arena.kernels.zero(
      this.#cells + row0 * this.#stride - this.#borderBytes,
      (row1 - row0) * this.#stride,
    );
    this.#spread(this.#kernels.grid, first, last, plane);
    const { sizeU, sizeV } = this.#plan;
    if (region.wrapsU) {
      this.#kernels.foldColumns(this.#cells, this.#stride, sizeU, gridBorder, row0, row1);
    }
    if (region.wrapsV) this.#kernels.foldRows(this.#cells, this.#stride, sizeU, sizeV, gridBorder);
    this.#toImage(region);
    this.#eachRow(plane, (cells, cosines, sines, y) => {
      const row = image + y * this.#imageStride;
      this.#kernels.addRow(cells, cosines, sines, row, this.#plan.geometry.npixX);
    });
  }

  /** Fills `plane` from `image` and adds the cells under the samples that it reaches to their records. */
  addToSamples(samples: SortedSamples, plane: number, image: number): void {
    const [first, last] = this.#recordsOn(samples, plane);
    if (first === last) return;
    const region = regionOf(this.#plan, samples);
    const [left, right] = this.#imageColumns;
    const bytes = this.#plan.precision / 4;
    this.#eachRow(plane, (cells, cosines, sines, y) => {
      // Columns beside an image of odd size or place are transformed too.
      const row = this.#cells + (this.#imageRow0 + y) * this.#stride;
      this.#arena.kernels.zero(row + left * bytes, (lanesUp(right - left) + 8) * bytes);
      const from = image + y * this.#imageStride;
      this.#kernels.setRow(cells, cosines, sines, from, this.#plan.geometry.npixX);
    });
    this.#fromImage(region);
    const { sizeU, sizeV } = this.#plan;
    if (region.wrapsV) this.#kernels.unfoldRows(this.#cells, this.#stride, sizeU, sizeV, gridBorder);
    const [row0, row1] = this.#bordered(region);
    if (region.wrapsU) {
      this.#kernels.unfoldColumns(this.#cells, this.#stride, sizeU, gridBorder, row0, row1);
    }
    this.#spread(this.#kernels.degrid, first, last, plane);
  }

  #spread(kernel: PrecisionKernels['grid'], first: number, last: number, plane: number): void {
    const { taps, planes } = this.#plan;
    const { degree } = planes.taps;
    const uv = [this.#tapsUV, taps.count, taps.degree] as const;
    kernel(first, last, plane, this.#cells, this.#stride, ...uv, this.#tapsW, degree, this.#scratch);
  }

  get #borderBytes(): number {
    return (gridBorder * this.#plan.precision) / 4;
  }

  /** The region's rows, with the border above and below where it matters. */
  #bordered({ wrapsV, row0, row1 }: Region): readonly [number, number] {
    return wrapsV ? [-gridBorder, this.#plan.sizeV + gridBorder] : [row0, row1];
  }

  /** Bytes of an image row in the arena. */
  get #imageStride(): number {
    return (paddedRow(this.#plan.geometry.npixX) * this.#plan.precision) / 8;
  }

  get #imageRow0(): number {
    return this.#plan.sizeV / 2 - Math.floor(this.#plan.geometry.npixY / 2);
  }

  get #imageColumn0(): number {
    return this.#plan.sizeU / 2 - Math.floor(this.#plan.geometry.npixX / 2);
  }

  /** Columns of the image in whole pairs, as the FFT writes them. */
  get #imageColumns(): readonly [number, number] {
    const first = this.#imageColumn0;
    return [evenDown(first), evenUp(first + this.#plan.geometry.npixX)];
  }

  #toImage({ row0, row1, column0, column1 }: Region): void {
    const { sizeU, sizeV, geometry } = this.#plan;
    const [left, right] = this.#imageColumns;
    const rows = [row0, row0 + lanesUp(row1 - row0), column0, column1, left, right] as const;
    this.#kernels.rows(this.#cells, sizeU, this.#stride, ...rows, ...this.#work, this.#twiddlesU);
    const top = this.#imageRow0;
    const columns = [left, left + lanesUp(right - left), row0, row1, top, top + geometry.npixY] as const;
    this.#kernels.columns(this.#cells, sizeV, this.#stride, ...columns, ...this.#work, this.#twiddlesV);
  }

  #fromImage({ row0, row1, column0, column1 }: Region): void {
    const { sizeU, sizeV, geometry } = this.#plan;
    const [left, right] = this.#imageColumns;
    const top = this.#imageRow0;
    const columns = [left, left + lanesUp(right - left), top, top + geometry.npixY, row0, row1] as const;
    this.#kernels.columns(this.#cells, sizeV, this.#stride, ...columns, ...this.#work, this.#twiddlesV);
    const rows = [row0, row0 + lanesUp(row1 - row0), left, right, column0, column1] as const;
    this.#kernels.rows(this.#cells, sizeU, this.#stride, ...rows, ...this.#work, this.#twiddlesU);
  }

  /** Calls `visit` for every image row with the address of its first cell and its screen for `plane`. */
  #eachRow(plane: number, visit: (cells: number, cosines: number, sines: number, y: number) => void): void {
    const { geometry, planes } = this.#plan;
    const { npixX, npixY } = geometry;
    const w = planes.w(plane);
    const visitRow = (y: number): void => {
      const row = this.#cells + (this.#imageRow0 + y) * this.#stride;
      visit(row + (this.#imageColumn0 * this.#plan.precision) / 4, ...this.#screen, y);
    };
    const halfX = Math.floor(npixX / 2) + 1;
    for (let distance = 0; distance <= Math.floor(npixY / 2); distance++) {
      const n = this.#n + 8 * distance * this.#halfX;
      this.#kernels.screen(n, paddedRow(halfX), w, ...this.#halfScreen);
      this.#kernels.mirror(this.#halfScreen[0], this.#screen[0], npixX);
      this.#kernels.mirror(this.#halfScreen[1], this.#screen[1], npixX);
      for (const y of pixelsAt(npixY, distance)) visitRow(y);
    }
  }
}
