/**
 * Holds the gridder to the direct sum: images and predictions within the asked accuracy for any field, w and
 * shape, each the exact transpose of the other; and to what it does with little, nothing or nonsense.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directImage } from '../../../../actors/imaging/kernels/direct.ts';
import { planLimits } from '../../../../actors/imaging/kernels/grid-plan.ts';
import { gridImage, predictVisibilities } from '../../../../actors/imaging/kernels/gridder.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';
import {
  errorsOf,
  exactSums,
  griddingCases,
  modelOf,
  visibilitiesOf,
  worstDifference,
} from '../../../support/gridding.ts';

const epsilons = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

for (const one of griddingCases) {
  test(`${one.name}: image and prediction keep the asked accuracy and are adjoint`, () => {
    const exact = exactSums(one);
    for (const epsilon of epsilons) {
      const { image, prediction, adjointness } = errorsOf(one, exact, epsilon);
      assert.ok(image <= epsilon, `image at ${epsilon}: ${image / epsilon} of what is allowed`);
      assert.ok(
        prediction <= epsilon,
        `prediction at ${epsilon}: ${prediction / epsilon} of what is allowed`,
      );
      // Only rounding: visibilities leave as 32-bit floats even of 64-bit grids.
      assert.ok(adjointness < (epsilon < 5e-6 ? 3e-8 : 5e-7), `adjoint at ${epsilon} but for ${adjointness}`);
    }
  });
}

const [narrow] = griddingCases;
const { geometry } = narrow!;

test('an epsilon beyond what visibilities hold is served as well as they allow', () => {
  const { image } = errorsOf(narrow!, exactSums(narrow!), 1e-12);
  assert.ok(image < 2e-7, `${image}`);
});

test('channels may come in descending order', () => {
  const made = visibilitiesOf(narrow!);
  const descending = { ...made, freq: made.freq.slice().reverse() };
  const exact = directImage(descending, geometry).values;
  assert.ok(worstDifference(exact, gridImage(descending, geometry, 1e-4).values) <= 1e-4);
});

test('masked samples count for nothing, whatever lies under the mask', () => {
  const made = visibilitiesOf(narrow!);
  const uvw = made.uvw.slice();
  const mask = made.mask.slice();
  uvw.fill(Number.NaN, 0, 3);
  mask.fill(0, 0, made.freq.length);
  const clean = gridImage({ ...made, mask }, geometry, 1e-4);
  const vis = made.vis.map((value, k) => (mask[k >> 1] === 0 ? Number.NaN : value));
  const poisoned = gridImage({ ...made, uvw, mask, vis }, geometry, 1e-4);
  assert.deepEqual(poisoned, clean);
  const predicted = predictVisibilities(modelOf(geometry), geometry, { ...made, uvw, mask }, 1e-4);
  assert.ok(predicted.every((value, k) => (mask[k >> 1] === 0 ? value === 0 : Number.isFinite(value))));
});

test('pixels below the horizon add nothing to a prediction, whatever they hold', () => {
  const sky = griddingCases.find(({ name }) => name === 'the whole sky')!;
  const made = visibilitiesOf(sky);
  const image = directImage(made, sky.geometry).values;
  const model = modelOf(sky.geometry);
  const poisoned = model.map((flux, k) => (Number.isNaN(image[k]!) ? Number.NaN : flux));
  const clean = predictVisibilities(model, sky.geometry, made, 1e-3);
  assert.deepEqual(predictVisibilities(poisoned, sky.geometry, made, 1e-3), clean);
});

test('without samples the image is zero and has no weight', () => {
  const made = visibilitiesOf(narrow!);
  const none = { uvw: new Float64Array(0), vis: new Float32Array(0), weight: new Float32Array(0) };
  for (const nothing of [
    { ...made, ...none, mask: new Uint8Array(0) },
    { ...made, mask: new Uint8Array(made.mask.length) },
    { ...made, weight: new Float32Array(made.weight.length) },
  ]) {
    const { values, sumWeight } = gridImage(nothing, geometry, 1e-4);
    assert.equal(sumWeight, 0);
    assert.ok(values.length === 64 * 64 && values.every((value) => value === 0));
  }
  assert.equal(predictVisibilities(modelOf(geometry), geometry, { ...made, ...none }, 1e-4).length, 0);
});

test('one row of one channel is imaged to the asked accuracy, even far out in w', () => {
  const one = {
    freq: Float64Array.of(1.5e8),
    vis: Float32Array.of(0.6, -0.8),
    weight: Float32Array.of(2),
    mask: Uint8Array.of(1),
  };
  const sky = { npixX: 32, npixY: 32, pixsizeX: 0.06, pixsizeY: 0.06 };
  for (const w of [0, 17, -1e5, 1e7]) {
    const row = { ...one, uvw: Float64Array.of(5, -7, w) };
    const exact = directImage(row, sky).values;
    for (const epsilon of [1e-2, 1e-4, 1e-6]) {
      const error = worstDifference(exact, gridImage(row, sky, epsilon).values);
      assert.ok(error <= epsilon, `w ${w} at ${epsilon}: ${error / epsilon} of what is allowed`);
    }
  }
});

test('samples on the very edges of uv wrap around them', () => {
  const freq = Float64Array.of(299_792_458);
  const edge = 0.5 / geometry.pixsizeX;
  const uvw = Float64Array.of(edge, 1234.5, 0, -edge, 777, 0, 4321 - 1e-9, -edge, 0, 99, edge - 1e-9, 0);
  const vis = Float32Array.of(1, 2, -3, 1, 2, 2, 0, -1);
  const row = { uvw, freq, vis, weight: new Float32Array(4).fill(1), mask: new Uint8Array(4).fill(1) };
  const exact = directImage(row, geometry).values;
  for (const epsilon of epsilons) {
    const error = worstDifference(exact, gridImage(row, geometry, epsilon).values);
    assert.ok(error <= epsilon, `${error / epsilon}`);
  }
});

test('more samples than are sorted at a time go by batches, to the same end', () => {
  const made = visibilitiesOf(narrow!);
  const model = modelOf(geometry);
  const whole = gridImage(made, geometry, 1e-6);
  const predicted = predictVisibilities(model, geometry, made, 1e-6);
  const limits = planLimits as { batchSamples: number };
  const { batchSamples } = planLimits;
  limits.batchSamples = 100;
  try {
    const image = gridImage(made, geometry, 1e-6);
    assert.ok(worstDifference(whole.values, image.values) < 1e-12);
    assert.deepEqual(predictVisibilities(model, geometry, made, 1e-6), predicted);
  } finally {
    limits.batchSamples = batchSamples;
  }
});

test('baselines without place, and fields that no planes can serve, are refused', () => {
  const made = visibilitiesOf(narrow!);
  const uvw = made.uvw.slice();
  uvw[3] = Number.NaN;
  assert.throws(() => gridImage({ ...made, uvw }, geometry, 1e-4), /row 1 has no finite uvw/);
  const far = { ...made, uvw: made.uvw.map((metres, k) => (k % 3 === 2 ? metres * 1e9 : metres)) };
  assert.throws(
    () => gridImage(far, { ...geometry, pixsizeX: 0.03 }, 1e-4),
    (error) => isAsperitasError(error, 'image-too-large') && /planes over this field/.test(error.message),
  );
});
