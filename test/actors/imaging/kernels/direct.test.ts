/**
 * Holds the oracle itself to what can be said in closed form: point sources, conventions of sign and pixel.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  directImage,
  directPoints,
  directPredict,
  nMinusOne,
  pixelDirection,
} from '../../../../actors/imaging/kernels/direct.ts';
import { randomVisibilities } from '../../../support/visibilities.ts';

const geometry = { npixX: 24, npixY: 16, pixsizeX: 0.02, pixsizeY: 0.03 };
const made = randomVisibilities({ rows: 300, channels: 3, geometry, fill: 0.4, wLambda: 30, seed: 1 });

test('the image of a predicted point source has its flux at its pixel, times the sum of weights', () => {
  const [l, m] = pixelDirection(geometry, 5, 12);
  const vis = Float32Array.from(directPredict([{ l, m, fluxJy: 3 }], made.uvw, made.freq));
  const { values, sumWeight } = directImage({ ...made, vis }, geometry);
  assert.ok(Math.abs(values[12 * 24 + 5]! / sumWeight - 3) < 1e-5);
  assert.equal(values.indexOf(Math.max(...values)), 12 * 24 + 5);
});

test('the first column lies east, the first row south, and the phase centre at half the size', () => {
  assert.deepEqual(pixelDirection(geometry, 12, 8), [0, 0]);
  assert.ok(pixelDirection(geometry, 0, 8)[0] > 0);
  assert.ok(pixelDirection(geometry, 12, 0)[1] < 0);
});

test('one visibility gives the cosine of its phase, with the sign of the Measurement Set', () => {
  const freq = Float64Array.of(299_792_458);
  const one = { freq, weight: Float32Array.of(2), mask: Uint8Array.of(1) };
  const { values } = directPoints(
    { ...one, uvw: Float64Array.of(3, 0, 0), vis: Float32Array.of(0, 1) },
    Float64Array.of(1 / 24, 0),
  );
  // Re[i exp(-2 pi i 3/24)] = sin(pi/4), times the weight
  assert.ok(Math.abs(values[0]! - 2 * Math.SQRT1_2) < 1e-12);
});

test('n - 1 keeps its digits near the centre and is no number below the horizon', () => {
  assert.ok(Math.abs(nMinusOne(1e-9, 0) + 5e-19) < 1e-33);
  assert.equal(nMinusOne(0.6, 0.8), -1);
  assert.ok(Number.isNaN(nMinusOne(0.8, 0.8)));
  assert.ok(Number.isNaN(directPoints(made, Float64Array.of(0.8, 0.8)).values[0]!));
});

test('masked samples count for nothing, whatever lies under the mask', () => {
  const mask = Uint8Array.from(made.mask, (_, k) => k % 2);
  const clean = directPoints({ ...made, mask }, Float64Array.of(0.1, 0.2));
  const vis = Float32Array.from(made.vis, (value, k) => (Math.floor(k / 2) % 2 === 0 ? Number.NaN : value));
  const poisoned = directPoints({ ...made, mask, vis }, Float64Array.of(0.1, 0.2));
  assert.deepEqual(poisoned, clean);
  assert.ok(clean.sumWeight < directPoints(made, Float64Array.of(0, 0)).sumWeight);
});
