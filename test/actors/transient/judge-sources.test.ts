/** Which sources are listed, as what, where errors are larger than the noise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomStream } from '../../../actors/simulation/random.ts';
import { type Circumstances, judgeSources } from '../../../actors/transient/judge-sources.ts';
import type { BandCurve } from '../../../actors/transient/light-curve.ts';
import { binTimes } from '../../../actors/transient/time-bins.ts';

const count = 40;
const bins = binTimes([Array.from({ length: count }, (_, t) => ({ timeS: 10 * t + 5, dtS: 10 }))]);
const about: Circumstances = { bins, meanNoise: [0.2], threshold: 6, range: 1e-4, tellsChanges: true };

/** A light curve with noise of 1. */
function curve(flux: (t: number) => number, seed: number): BandCurve[] {
  const random = randomStream(seed);
  return [
    {
      timeS: Float64Array.from({ length: count }, (_, t) => 10 * t + 5),
      dtS: new Float64Array(count).fill(10),
      flux: Float64Array.from({ length: count }, (_, t) => flux(t) + random.normal()),
      error: new Float64Array(count).fill(1),
    },
  ];
}
const flare = (size: number) => (t: number) => (t >= 10 && t < 14 ? size : 0);
const kinds = (curves: readonly BandCurve[][], changes: Partial<Circumstances> = {}) =>
  judgeSources(curves, { ...about, ...changes }).map(({ summary, listed }) => (listed ? summary.kind : 'no'));

test('beside a steady source that is well calibrated a faint transient is one', () => {
  assert.deepEqual(kinds([curve(() => 1000, 1), curve(flare(8), 2)]), ['steady', 'transient']);
});

test('what also happens to a steady source is no transient, a much larger brightening is', () => {
  const wrong = (t: number): number => 1000 * (t >= 20 && t < 30 ? 1.01 : 1);
  assert.deepEqual(kinds([curve(wrong, 1), curve(flare(8), 2), curve(flare(40), 3)]), [
    'steady',
    'no',
    'transient',
  ]);
});

test('a source that scatters no more than calibration does is not variable', () => {
  const gains = randomStream(9);
  const gain = Array.from({ length: count }, () => 1 + 0.02 * gains.normal());
  const bright = curve((t) => 500 * gain[t]!, 4);
  const faint = (depth: number) => curve((t) => 60 + depth * (t % 20 < 10 ? 1 : -1), 5);
  assert.deepEqual(kinds([bright, faint(20)]), ['steady', 'steady']);
  assert.deepEqual(kinds([bright, faint(38)]), ['steady', 'variable']);
  assert.deepEqual(kinds([curve(() => 500, 4), faint(20)]), ['steady', 'variable']);
});

test('nothing is listed that is fainter than images are accurate', () => {
  assert.deepEqual(kinds([curve(() => 1e6, 1), curve(() => 50, 2)]), ['steady', 'no']);
  assert.deepEqual(kinds([curve(() => 1e6, 1), curve(() => 50, 2)], { range: 1e-5 }), ['steady', 'steady']);
});

test('frames of too few baselines tell of no changes', () => {
  const two = [curve(() => 100, 1), curve(flare(60), 2)];
  assert.deepEqual(kinds(two), ['steady', 'transient']);
  assert.deepEqual(kinds(two, { tellsChanges: false }), ['steady', 'steady']);
  const fainter = [curve(() => 100, 1), curve(flare(8), 2)];
  assert.deepEqual(kinds(fainter, { tellsChanges: false, meanNoise: [1] }), ['steady', 'no']);
});
