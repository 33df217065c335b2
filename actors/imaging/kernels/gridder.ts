/**
 * Owns imaging and prediction: improved w-gridding (Arras, Reinecke, Westermann and Ensslin 2021) of
 * visibilities to an image of any field of view, and its transpose. Both keep the error relative to the sum
 * of the absolute inputs below the asked epsilon. Must not know: how plans are made, weights, files, tasks.
 */
import type { ImageGeometry, StokesVisibilities } from '../../visibility.ts';
import { type Arena, withArena } from './arena.ts';
import { nMinusOne, sumOfWeights } from './direct.ts';
import { type GridPlan, paddedRow, pixelsAt, planGrid, planLimits } from './grid-plan.ts';
import { PlaneGrid } from './plane-grid.ts';
import { placeRows, type SampleRows, sampleExtent, sortSamples } from './sorted-samples.ts';
import { correctionOf } from './taps.ts';

/** The unnormalised dirty image and the sum of weights that would normalise it. */
export interface GriddedImage {
  /** `[y, x]` sum of w Re[V exp(-2 pi i (u l + v m + w (n-1)) f/c)]; NaN below the horizon. The caller's. */
  readonly values: Float32Array | Float64Array;
  readonly sumWeight: number;
}

/** The samples that a model is predicted for. */
export interface PredictedSamples {
  /** `[row, 3]` metres */
  readonly uvw: Float64Array;
  /** `[chan]` Hz */
  readonly freq: Float64Array;
  /** `[row, chan]` 1 = wanted; absent: all are */
  readonly mask?: Uint8Array;
}

/**
 * The unnormalised dirty image, weights as they are in `visibilities`.
 * Throws `image-too-large`; `RangeError` where a row in use has no finite uvw.
 * @param epsilon asked relative accuracy, 1e-2 to 1e-6
 */
export function gridImage(
  visibilities: StokesVisibilities,
  geometry: ImageGeometry,
  epsilon: number,
): GriddedImage {
  const { uvw, freq, vis, weight, mask } = visibilities;
  const rows: SampleRows = { uvw, freq, used: (k) => mask[k] !== 0 && weight[k] !== 0 };
  const extent = sampleExtent(rows);
  const plan = planGrid(geometry, epsilon, extent);
  const values = withArena((arena) => {
    const image = allocateImage(arena, plan);
    if (extent.samples > 0) {
      const grid = new PlaneGrid(arena, plan);
      forBatches(arena, rows, (row0, row1) => {
        const batch = placeRows(arena, plan, rows, { row0, row1, empty: false });
        const start = row0 * freq.length;
        const weighted = arena.f32(batch.vis, 2 * (row1 - row0) * freq.length);
        for (let k = 0; 2 * k < weighted.length; k++) {
          // What lies under the mask may be no number.
          const factor = mask[start + k] === 0 ? 0 : weight[start + k]!;
          weighted[2 * k] = factor === 0 ? 0 : factor * vis[2 * (start + k)]!;
          weighted[2 * k + 1] = factor === 0 ? 0 : factor * vis[2 * (start + k) + 1]!;
        }
        const samples = sortSamples(arena, plan, batch);
        for (let plane = 0; plane < plan.planes.planes; plane++) grid.addToImage(samples, plane, image);
      });
    }
    return correctedImage(arena, plan, image);
  });
  return { values, sumWeight: sumOfWeights(visibilities) };
}

/**
 * Visibilities of a model, the transpose of `gridImage`: the sum over pixels of
 * S exp(+2 pi i (u l + v m + w (n-1)) f/c). Pixels below the horizon are left out, whatever they hold.
 * Throws as `gridImage`.
 * @param model `[y, x]` Jy/pixel
 * @param epsilon asked accuracy, relative to the sum of the absolute fluxes
 * @returns Float32 `[row, chan, 2]` Jy; zero where masked
 */
export function predictVisibilities(
  model: Float32Array | Float64Array,
  geometry: ImageGeometry,
  samples: PredictedSamples,
  epsilon: number,
): Float32Array {
  const { uvw, freq, mask } = samples;
  const rows: SampleRows = { uvw, freq, used: (k) => mask === undefined || mask[k] !== 0 };
  const channels = freq.length;
  const predicted = new Float32Array((2 * uvw.length * channels) / 3);
  const extent = sampleExtent(rows);
  if (extent.samples === 0) return predicted;
  const plan = planGrid(geometry, epsilon, extent);
  withArena((arena) => {
    const image = allocateImage(arena, plan);
    layModel(arena, plan, image, model);
    const grid = new PlaneGrid(arena, plan);
    forBatches(arena, rows, (row0, row1) => {
      const batch = placeRows(arena, plan, rows, { row0, row1, empty: true });
      const length = 2 * (row1 - row0) * channels;
      const wanted = arena.f32(batch.vis, length);
      for (let k = 0; 2 * k < length; k++) {
        wanted[2 * k] = rows.used(row0 * channels + k) ? 1 : 0;
        wanted[2 * k + 1] = 0;
      }
      const sorted = sortSamples(arena, plan, batch);
      for (let plane = 0; plane < plan.planes.planes; plane++) grid.addToSamples(sorted, plane, image);
      const { kernels } = arena;
      kernels.zero(batch.vis, 4 * length);
      (plan.precision === 32 ? kernels.gather32 : kernels.gather64)(sorted.records, sorted.count, batch.vis);
      kernels.unturn(batch.uvw, batch.freq, batch.vis, row1 - row0, channels, batch.parameters);
      predicted.set(arena.f32(batch.vis, length), 2 * row0 * channels);
    });
  });
  return predicted;
}

/** Divides the rows into batches of equal size within the limit; what a batch allocates is released. */
function forBatches(
  arena: Arena,
  { uvw, freq }: SampleRows,
  work: (row0: number, row1: number) => void,
): void {
  const rows = uvw.length / 3;
  const most = Math.max(1, Math.floor(planLimits.batchSamples / freq.length));
  const count = Math.ceil(rows / most);
  for (let batch = 0; batch < count; batch++) {
    const [row0, row1] = [batch, batch + 1].map((k) => Math.floor((k * rows) / count));
    arena.scope(() => work(row0!, row1!));
  }
}

/** Address of an image of zeros, rows of `paddedRow` floats. */
function allocateImage(arena: Arena, { geometry, precision }: GridPlan): number {
  const bytes = (geometry.npixY * paddedRow(geometry.npixX) * precision) / 8;
  const address = arena.allocate(bytes);
  arena.kernels.zero(address, bytes);
  return address;
}

/**
 * Calls `visit` for every row with what its pixels are multiplied by: the correction for the kernels and the
 * checkerboard that moves the centre of the uv plane to the middle of the grid; NaN below the horizon.
 */
function eachCorrectedRow(plan: GridPlan, visit: (y: number, factors: Float64Array) => void): void {
  const { geometry, sizeU, sizeV, taps, planes, nCentre, nHalf } = plan;
  const { npixX, npixY, pixsizeX, pixsizeY } = geometry;
  const along = (npix: number, size: number): Float64Array => {
    const at = correctionOf(taps, npix / 2 / size);
    const centre = Math.floor(npix / 2);
    return Float64Array.from(
      { length: npix },
      (_, k) => at((k - centre) / size) * (1 - 2 * ((k + centre) % 2)),
    );
  };
  const [alongX, alongY] = [along(npixX, sizeU), along(npixY, sizeV)];
  const alongW = correctionOf(planes.taps, planes.spacing * nHalf);
  const half = new Float64Array(Math.floor(npixX / 2) + 1);
  const factors = new Float64Array(npixX);
  for (let distance = 0; distance <= Math.floor(npixY / 2); distance++) {
    const m = (distance + (npixY % 2) / 2) * pixsizeY;
    for (let x = 0; x < half.length; x++) {
      const n = nMinusOne((x + (npixX % 2) / 2) * pixsizeX, m);
      half[x] = Number.isNaN(n) ? n : alongW(planes.spacing * (n - nCentre));
    }
    for (const y of pixelsAt(npixY, distance)) {
      for (let x = 0; x < npixX; x++) {
        factors[x] = alongX[x]! * alongY[y]! * half[Math.abs(2 * x - npixX) >> 1]!;
      }
      visit(y, factors);
    }
  }
}

function viewImage(
  arena: Arena,
  { geometry, precision }: GridPlan,
  image: number,
): Float32Array | Float64Array {
  const length = geometry.npixY * paddedRow(geometry.npixX);
  return precision === 32 ? arena.f32(image, length) : arena.f64(image, length);
}

function correctedImage(arena: Arena, plan: GridPlan, image: number): Float32Array | Float64Array {
  const { npixX, npixY } = plan.geometry;
  const from = viewImage(arena, plan, image);
  const values = plan.precision === 32 ? new Float32Array(npixX * npixY) : new Float64Array(npixX * npixY);
  const stride = paddedRow(npixX);
  eachCorrectedRow(plan, (y, factors) => {
    for (let x = 0; x < npixX; x++) values[y * npixX + x] = from[y * stride + x]! * factors[x]!;
  });
  return values;
}

/** Lays a model into the arena, corrected, zero below the horizon. */
function layModel(arena: Arena, plan: GridPlan, image: number, model: Float32Array | Float64Array): void {
  const { npixX } = plan.geometry;
  const to = viewImage(arena, plan, image);
  const stride = paddedRow(npixX);
  eachCorrectedRow(plan, (y, factors) => {
    for (let x = 0; x < npixX; x++) {
      to[y * stride + x] = Number.isNaN(factors[x]!) ? 0 : model[y * npixX + x]! * factors[x]!;
    }
  });
}
