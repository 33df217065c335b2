/** What light curves say: eta and V by hand, chances from tables, the three kinds of source. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomStream } from '../../../actors/simulation/random.ts';
import { type BandCurve, summarise } from '../../../actors/transient/light-curve.ts';
import { binTimes } from '../../../actors/transient/time-bins.ts';
import { chiSquareChance, etaOf, momentsOf, vOf } from '../../../actors/transient/variability.ts';

const close = (a: number, b: number, relative = 1e-12) =>
  assert.ok(Math.abs(a - b) <= relative * Math.abs(b), `${a} is not ${b}`);

test('eta and V are those of Swinbank et al., computed by hand', () => {
  // Fluxes 1, 2, 4 with errors 1, 0.5, 2: weights 1, 4, 1/4.
  const moments = momentsOf({ flux: [1, 2, Number.NaN, 4], error: [1, 0.5, 1, 2] });
  assert.equal(moments.count, 3);
  const meanW = 5.25 / 3;
  const meanWI = (1 + 8 + 1) / 3;
  const meanWI2 = (1 + 16 + 4) / 3;
  close(etaOf(moments), (3 / 2) * (meanWI2 - meanWI ** 2 / meanW));
  close(vOf(moments), (3 / 7) * Math.sqrt((3 / 2) * (21 / 3 - (7 / 3) ** 2)));
  close(moments.mean, 10 / 5.25);
  assert.ok(Number.isNaN(etaOf(momentsOf({ flux: [1], error: [1] }))));
});

test('chances of chi-square are those of the tables', () => {
  close(chiSquareChance(3.841458820694124, 1), 0.05, 1e-9);
  close(chiSquareChance(18.307038053275146, 10), 0.05, 1e-9);
  close(chiSquareChance(2, 2), Math.exp(-1), 1e-11);
  close(chiSquareChance(100, 2), Math.exp(-50), 1e-9);
  close(chiSquareChance(149.4492527, 100), 0.001, 1e-6);
  assert.equal(chiSquareChance(0, 5), 1);
});

/** Measurements with errors of 1 at 10 s spacing. */
function curve(flux: (t: number) => number, seed: number, count = 40): BandCurve {
  const random = randomStream(seed);
  return {
    timeS: Float64Array.from({ length: count }, (_, t) => 10 * t + 5),
    dtS: new Float64Array(count).fill(10),
    flux: Float64Array.from({ length: count }, (_, t) => flux(t) + random.normal()),
    error: new Float64Array(count).fill(1),
  };
}
const bins = binTimes([Array.from({ length: 40 }, (_, t) => ({ timeS: 10 * t + 5, dtS: 10 }))]);
const read = (...curves: BandCurve[]) => summarise(curves, bins, 6);

test('a flare out of nothing is a transient, seen for as long as it lasts', () => {
  const summary = read(curve((t) => (t >= 10 ? 30 * Math.exp(-(t - 10) / 4) : 0), 1));
  assert.equal(summary.kind, 'transient');
  assert.equal(summary.event!.start, 10);
  assert.equal(summary.event!.from, 10);
  assert.ok(summary.event!.to >= 17 && summary.event!.to <= 26, `${summary.event!.to}`);
  assert.equal(summary.peak.index, 10);
});

test('a source that appears and stays is a transient', () => {
  assert.equal(read(curve((t) => (t >= 20 ? 5 : 0), 2)).kind, 'transient');
});

test('a constant source is steady, bright or faint', () => {
  for (const flux of [0.5, 5, 500]) {
    const summary = read(curve(() => flux, 3));
    assert.equal(summary.kind, 'steady');
    assert.ok(Math.abs(summary.eta - 1) < 1);
    close(summary.meanSnr, flux * Math.sqrt(40), 0.5);
  }
});

test('a source that doubles is variable, and so is one that is eclipsed', () => {
  assert.equal(read(curve((t) => (t % 20 < 10 ? 10 : 20), 4)).kind, 'variable');
  assert.equal(read(curve((t) => (t > 17 && t < 20 ? 0 : 20), 5)).kind, 'variable');
});

test('a steady source seen in bands of different flux, one of which pauses, is steady', () => {
  const low = curve(() => 50, 6);
  const high = curve(() => 5, 7);
  high.flux.fill(Number.NaN, 0, 20);
  const summary = read(low, high);
  assert.equal(summary.kind, 'steady');
  assert.equal(summary.count, 60);
  assert.ok(summary.event!.snr < 6);
});

test('a flare too faint for either band is found in both', () => {
  const shape = (t: number) => (t >= 12 && t < 16 ? 3 : 0);
  const [low, high] = [curve(shape, 8), curve(shape, 9)];
  const summary = read(low, high);
  assert.equal(summary.event!.band, -1);
  assert.ok(summary.event!.snr > Math.max(read(low).event!.snr, read(high).event!.snr));
});
