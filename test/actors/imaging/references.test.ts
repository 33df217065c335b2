/**
 * Images whole Measurement Sets and holds every probe pixel to the exact Fourier sums that other software
 * made of the same sets: natural, uniform and Briggs weights, each interval, each channel.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directImage } from '../../../actors/imaging/kernels/direct.ts';
import { gridImage } from '../../../actors/imaging/kernels/gridder.ts';
import { DensityGrid, imagingWeights, type Weighting } from '../../../actors/imaging/kernels/weighting.ts';
import {
  type MeasurementSet,
  openMeasurementSet,
} from '../../../actors/io/measurement-set/measurement-set.ts';
import type { ImageGeometry, VisibilityChunk } from '../../../actors/visibility.ts';
import {
  type ExactSums,
  geometryOf,
  type IntervalReference,
  type Probe,
  type ReferenceImages,
  type ReferenceSet,
  referenceSets,
} from '../../support/reference-images.ts';
import { sharedDataMissing } from '../../support/shared-data.ts';

const epsilons = [1e-3, 1e-4, 1e-5];

/** Every chunk of a field: one a data description. */
async function chunksOf(set: MeasurementSet, fieldId: number): Promise<Map<number, VisibilityChunk>> {
  const slots = await set.timeSlots(fieldId);
  const chunks = new Map<number, VisibilityChunk>();
  for (const { id, spectralWindow } of await set.bands(fieldId)) {
    const chunk = await set.readChunk({
      fieldId,
      dataDescriptionId: id,
      slots: [0, slots.length],
      channels: [0, spectralWindow.freq.length],
      stokes: 'I',
      dataColumn: 'auto',
    });
    chunks.set(id, chunk);
  }
  return chunks;
}

interface Image {
  readonly values: ArrayLike<number>;
  readonly sumWeight: number;
}

/** The sum of the chunks' images, each by its weights. */
function imageOf(
  chunks: Iterable<VisibilityChunk>,
  weights: (chunk: VisibilityChunk) => Float32Array,
  make: (chunk: VisibilityChunk) => Image,
): { values: Float64Array; sumWeight: number } {
  let values: Float64Array | undefined;
  let sumWeight = 0;
  for (const chunk of chunks) {
    const image = make({ ...chunk, weight: weights(chunk) });
    values ??= new Float64Array(image.values.length);
    for (let k = 0; k < values.length; k++) values[k]! += image.values[k]!;
    sumWeight += image.sumWeight;
  }
  return { values: values!, sumWeight };
}

const natural = (chunk: VisibilityChunk): Float32Array =>
  imagingWeights(chunk, undefined, { kind: 'natural' });

/** The weights of `weighting` by the density of all chunks together. */
function weightsBy(weighting: Weighting, chunks: Iterable<VisibilityChunk>, geometry: ImageGeometry) {
  const density = new DensityGrid(geometry);
  for (const chunk of chunks) density.add(chunk);
  return (chunk: VisibilityChunk): Float32Array => imagingWeights(chunk, density, weighting);
}

/** Part of a chunk: some rows and one channel or all. */
function partOf(chunk: VisibilityChunk, keep: (row: number) => boolean, channel?: number): VisibilityChunk {
  const mask = chunk.mask.slice();
  const channels = chunk.freq.length;
  for (let k = 0; k < mask.length; k++) {
    const wanted = channel === undefined || k % channels === channel;
    if (!wanted || !keep(Math.floor(k / channels))) mask[k] = 0;
  }
  return { ...chunk, mask };
}

/** At every probe within 2 epsilon of the peak of the image; the weights add up to the same. */
function agree(
  image: { values: Float64Array; sumWeight: number },
  exact: ExactSums,
  { probes, geometry, epsilon }: { probes: readonly Probe[]; geometry: ImageGeometry; epsilon: number },
  what: string,
): void {
  const { values, sumWeight } = image;
  const weight = exact.sum_of_weights;
  assert.ok(Math.abs(sumWeight - weight) <= 2e-6 * weight, `${what}: weights ${sumWeight}, not ${weight}`);
  if (weight === 0) return;
  const peak = values.reduce(
    (most, value) => (Number.isNaN(value) ? most : Math.max(most, Math.abs(value))),
    0,
  );
  probes.forEach(({ x, y, name }, k) => {
    const found = values[y * geometry.npixX + x]!;
    const error = Math.abs(found - exact.at_probe_pixels[k]! * sumWeight) / peak;
    assert.ok(error <= 2 * epsilon, `${what} at ${name}: off by ${error / epsilon} epsilon of the peak`);
  });
}

/** The part of the chunks that a reference covers, with what it says of it. */
interface Part {
  readonly what: string;
  readonly chunks: readonly VisibilityChunk[];
  readonly exact: ExactSums;
}

async function partsOf(
  set: MeasurementSet,
  { field, intervals = [], channels = [] }: ReferenceImages,
  chunks: ReadonlyMap<number, VisibilityChunk>,
): Promise<Part[]> {
  const slots = await set.timeSlots(field);
  const parts: Part[] = [];
  // Values are null only where there is no weight, and then not looked at.
  const exactOf = ({ exact_dft_at_probe_pixels, sum_of_weights }: IntervalReference): ExactSums => ({
    at_probe_pixels: exact_dft_at_probe_pixels as readonly number[],
    sum_of_weights: sum_of_weights!,
  });
  for (const interval of intervals) {
    const { time_mjd_s } = interval;
    if (time_mjd_s === undefined) continue;
    const slot = slots.find(({ timeMjdSeconds }) => Math.abs(timeMjdSeconds - time_mjd_s) < 1e-3)!;
    const keep = (time: number) => Math.abs(time - slot.timeMjdSeconds) < slot.intervalSeconds / 2;
    const kept = [...chunks.values()].map((chunk) => partOf(chunk, (row) => keep(chunk.time[row]!)));
    parts.push({ what: `interval ${time_mjd_s}`, chunks: kept, exact: exactOf(interval) });
  }
  for (const channel of channels) {
    const { dd, chan } = channel;
    if (dd === undefined || chan === undefined) continue;
    const kept = [partOf(chunks.get(dd)!, () => true, chan)];
    parts.push({ what: `channel ${dd}/${chan}`, chunks: kept, exact: exactOf(channel) });
  }
  return parts;
}

/** WSClean's image with uniform weights; there is no exact sum of them by others. */
function agreesWithWsclean(exact: Image, { images }: ReferenceImages): void {
  const values = images['uniform-dirty']?.at_probe_pixels;
  if (values === undefined) return;
  const peak = Math.max(...values.map((value) => Math.abs(value ?? 0)));
  values.forEach((value, k) => {
    if (value === null) return;
    const error = Math.abs(exact.values[k]! / exact.sumWeight - value) / peak;
    assert.ok(error < 1e-4, `uniform weights at probe ${k}: ${error} of the peak from WSClean`);
  });
}

async function check({ name, folder, path, references }: ReferenceSet): Promise<void> {
  const reference = references();
  const { probes } = reference;
  const geometry = geometryOf(reference);
  const set = await openMeasurementSet(path());
  try {
    const chunks = await chunksOf(set, reference.field);
    const all = [...chunks.values()];
    const briggs = weightsBy({ kind: 'briggs', robust: 0 }, all, geometry);
    const uniform = weightsBy({ kind: 'uniform' }, all, geometry);
    const pixels = probes.flatMap(({ x, y }) => [x, y]);
    const exactUniform = imageOf(all, uniform, (chunk) => directImage(chunk, geometry, { pixels }));
    agreesWithWsclean(exactUniform, reference);
    const ofUniform = {
      at_probe_pixels: Array.from(exactUniform.values, (value) => value / exactUniform.sumWeight),
      sum_of_weights: exactUniform.sumWeight,
    };
    for (const epsilon of epsilons) {
      const make = (chunk: VisibilityChunk): Image => gridImage(chunk, geometry, epsilon);
      const asked = { probes, geometry, epsilon };
      const at = `${name} at ${epsilon}`;
      agree(imageOf(all, natural, make), reference.exact_dft_natural, asked, `${at}, natural`);
      agree(imageOf(all, briggs, make), reference.exact_dft_briggs0, asked, `${at}, Briggs`);
      agree(imageOf(all, uniform, make), ofUniform, asked, `${at}, uniform`);
    }
    const parts = await partsOf(set, reference, chunks);
    assert.ok(folder === 'public' || parts.length > 10, `${name} has no intervals and channels`);
    for (const part of parts) {
      for (const epsilon of epsilons) {
        const image = imageOf(part.chunks, natural, (chunk) => gridImage(chunk, geometry, epsilon));
        agree(image, part.exact, { probes, geometry, epsilon }, `${name} at ${epsilon}, ${part.what}`);
      }
    }
  } finally {
    await set.close();
  }
}

for (const reference of referenceSets) {
  test(
    `${reference.name}: images agree with the exact Fourier sums at every probe`,
    { skip: sharedDataMissing },
    () => check(reference),
  );
}
