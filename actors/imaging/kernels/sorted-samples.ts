/**
 * Owns the way of visibilities into the arena: their extent, the table of parameters that the inner loops
 * read, and the sorting of a batch of samples by plane and tile. Must not know: how samples are gridded,
 * images.
 */
import type { Arena } from './arena.ts';
import { speedOfLight } from './direct.ts';
import { type GridPlan, gridBorder, recordBytes, type SampleExtent } from './grid-plan.ts';
import { ofPrecision, type PrecisionKernels } from './kernel-exports.ts';

/** Rows of samples to locate. */
export interface SampleRows {
  /** `[row, 3]` metres */
  readonly uvw: Float64Array;
  /** `[chan]` Hz */
  readonly freq: Float64Array;
  /** Whether the sample `row * channels + channel` counts. */
  readonly used: (sample: number) => boolean;
}

/** Samples in the arena, sorted. */
export interface SortedSamples {
  /** Address of the first record. */
  readonly records: number;
  readonly count: number;
  /** `[first plane + 1]` the number of the first record of each first plane; the last is `count`. */
  readonly starts: Float64Array;
  /** First cells of the samples. */
  readonly minU: number;
  readonly maxU: number;
  readonly minV: number;
  readonly maxV: number;
}

/** Addresses of a batch of visibilities in the arena. */
export interface BatchAddresses {
  readonly uvw: number;
  readonly freq: number;
  /** f32 pairs, `[row, chan, 2]` */
  readonly vis: number;
  readonly parameters: number;
  readonly rows: number;
  readonly channels: number;
}

/** Places in the table of parameters, in f64; see locate.lib.ts. */
const parameterCount = 20;
const extentAt = 18;

/** What of the samples a plan depends on. Throws `RangeError` where a used row has no finite uvw. */
export function sampleExtent({ uvw, freq, used }: SampleRows): SampleExtent {
  const channels = freq.length;
  const perMetre = Float64Array.from(freq, (hz) => hz / speedOfLight);
  const [least, most] = [Math.min(...perMetre), Math.max(...perMetre)];
  let usedRows = 0;
  const byV: [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const byW: [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < uvw.length / 3; row++) {
    let channel = 0;
    while (channel < channels && !used(row * channels + channel)) channel++;
    if (channel === channels) continue;
    usedRows++;
    const [u, v, w] = [uvw[3 * row]!, uvw[3 * row + 1]!, uvw[3 * row + 2]!];
    if (!Number.isFinite(u + v + w)) throw new RangeError(`row ${row} has no finite uvw: ${u}, ${v}, ${w}`);
    const flipped = v < 0 ? -w : w;
    byV[0] = Math.min(byV[0], flipped * least, flipped * most);
    byV[1] = Math.max(byV[1], flipped * least, flipped * most);
    byW[0] = Math.min(byW[0], Math.abs(w) * least);
    byW[1] = Math.max(byW[1], Math.abs(w) * most);
  }
  return usedRows === 0
    ? { samples: 0, wRange: { v: [0, 0], w: [0, 0] } }
    : { samples: usedRows * channels, wRange: { v: byV, w: byW } };
}

/** The table of parameters that locate.lib.ts describes. */
function parametersOf(plan: GridPlan, empty: boolean): number[] {
  const { geometry, sizeU, sizeV, planes } = plan;
  const { npixX, npixY, pixsizeX, pixsizeY } = geometry;
  // The centre of an odd size lies between two pixels, half a pixel from the one that the FFT takes for it.
  return [
    -pixsizeX,
    pixsizeY,
    sizeU,
    sizeV,
    plan.taps.count / 2,
    planes.scale,
    planes.offset,
    planes.firstPlanes === 1 ? 0 : planes.taps.count / 2,
    npixX % 2 === 1 ? -pixsizeX / 2 : 0,
    npixY % 2 === 1 ? pixsizeY / 2 : 0,
    -plan.nCentre,
    plan.flipBy === 'v' ? 1 : 2,
    plan.tileShift,
    plan.tilesU,
    plan.tilesU * plan.tilesV,
    rowBytes(plan),
    gridBorder,
    empty ? 1 : 0,
  ];
}

/** Bytes of a row of a plane with its borders. */
export function rowBytes({ sizeU, precision }: GridPlan): number {
  return (sizeU + 2 * gridBorder) * (precision / 4);
}

/**
 * Puts rows `row0` to `row1` into the arena, their visibilities still undefined.
 * @param empty records start at zero, whatever the visibilities are
 */
export function placeRows(
  arena: Arena,
  plan: GridPlan,
  rows: SampleRows,
  { row0, row1, empty }: { row0: number; row1: number; empty: boolean },
): BatchAddresses {
  const channels = rows.freq.length;
  const count = row1 - row0;
  const batch = {
    uvw: arena.allocate(24 * count),
    freq: arena.allocate(8 * channels),
    vis: arena.allocate(8 * count * channels),
    parameters: arena.allocate(8 * parameterCount),
    rows: count,
    channels,
  };
  // Rows that are not used may lie anywhere, or nowhere.
  const uvw = rows.uvw.subarray(3 * row0, 3 * row1);
  arena.f64(batch.uvw, 3 * count).set(uvw.map((metres) => (Number.isFinite(metres) ? metres : 0)));
  arena.f64(batch.freq, channels).set(rows.freq.map((hz) => hz / speedOfLight));
  arena.f64(batch.parameters, parameterCount).set(parametersOf(plan, empty));
  const extent = arena.i32(batch.parameters + 8 * extentAt, 4);
  extent.set([2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, -(2 ** 31)]);
  return batch;
}

/** Sorts the samples of a batch whose `vis` is not zero. */
export function sortSamples(arena: Arena, plan: GridPlan, batch: BatchAddresses): SortedSamples {
  const { locate }: PrecisionKernels = ofPrecision(arena.kernels, plan.precision);
  const { uvw, freq, vis, rows, channels, parameters } = batch;
  const tiles = plan.tilesU * plan.tilesV;
  const slotCount = plan.planes.firstPlanes * tiles;
  const slots = arena.allocate(4 * slotCount);
  arena.kernels.zero(slots, 4 * slotCount);
  locate(0, 1, uvw, freq, vis, rows, channels, parameters, slots, 0, 0);
  const count = arena.kernels.firstRecords(slots, slotCount) >>> 0;
  const records = arena.allocate(count * recordBytes(plan.precision));
  locate(1, 1, uvw, freq, vis, rows, channels, parameters, slots, records, 0);
  // Placing has moved each slot on to the first record of the next one.
  const ends = arena.i32(slots, slotCount);
  const starts = new Float64Array(plan.planes.firstPlanes + 1);
  for (let plane = 1; plane < starts.length; plane++) starts[plane] = ends[plane * tiles - 1]!;
  const [minU, maxU, minV, maxV] = arena.i32(parameters + 8 * extentAt, 4);
  return { records, count, starts, minU: minU!, maxU: maxU!, minV: minV!, maxV: maxV! };
}
