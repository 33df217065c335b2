/**
 * The simulated sky: light curves, geometry, and visibilities that give the sources back where they were put.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skyFromLm } from '../../../actors/io/wcs.ts';
import { arrayLayouts, parseLayout } from '../../../actors/simulation/layouts.ts';
import { lightCurveFactor } from '../../../actors/simulation/light-curves.ts';
import { addNoise, fluxDensity, predictVisibilities } from '../../../actors/simulation/predict.ts';
import { randomStream } from '../../../actors/simulation/random.ts';
import { makeUvw, sineOfElevation } from '../../../actors/simulation/uvw.ts';
import type { Correlation } from '../../../actors/visibility.ts';
import { isAsperitasError } from '../../../runtime/index.ts';

const centre = { raRad: 6.2, decRad: -0.7 };

test('uvw are a rotation of the baseline, with w along the line of sight', () => {
  const positions = [
    [0, 0, 0],
    [300, -400, 1200],
    [0, 0, 100],
  ] as const;
  const request = { positions, antenna1: [0, 0], antenna2: [1, 2], phaseCentre: centre };
  const [u, v, w, poleU, poleV, poleW] = makeUvw({ ...request, timeMjdSeconds: 5.1e9 });
  assert.ok(Math.abs(Math.hypot(u!, v!, w!) - 1300) < 1e-9);
  // A baseline along the Earth's axis has no u, and shows its length by the declination alone.
  assert.deepEqual(
    [poleU, poleV, poleW].map((value) => Math.round(value! * 1e9)),
    [0, 100 * Math.cos(centre.decRad), 100 * Math.sin(centre.decRad)].map((value) => Math.round(value * 1e9)),
  );
  // Elevation is what w says of the way from the Earth's centre to the antenna.
  const [first] = arrayLayouts['kat-7'];
  const outward = makeUvw({
    ...request,
    positions: [[0, 0, 0], first!.position],
    antenna2: [1],
    antenna1: [0],
    timeMjdSeconds: 5.1e9,
  });
  const sine = sineOfElevation(first!.position, centre, 5.1e9);
  assert.ok(Math.abs(outward[2]! / Math.hypot(...first!.position) - sine) < 1e-12);
});

test('a point source is a fringe of the sign of Measurement Sets, with its flux at every frequency', () => {
  const source = {
    name: 'A',
    ...skyFromLm(centre, { l: 0.01, m: -0.02 })!,
    fluxJy: 3,
    referenceHz: 1e9,
    spectralIndex: -0.7,
    lightCurve: { kind: 'steady' },
  } as const;
  const uvw = Float64Array.of(100, 200, 300);
  const freq = Float64Array.of(1e9, 1.2e9);
  const correlations: Correlation[] = ['XX', 'YY'];
  const vis = predictVisibilities({
    sources: [source],
    phaseCentre: centre,
    uvw,
    freq,
    correlations,
    seconds: 0,
  });
  const n = Math.sqrt(1 - 0.01 ** 2 - 0.02 ** 2);
  freq.forEach((hz, chan) => {
    const phase = (2 * Math.PI * hz * (100 * 0.01 - 200 * 0.02 + 300 * (n - 1))) / 299792458;
    const flux = 3 * (hz / 1e9) ** -0.7;
    assert.ok(Math.abs(fluxDensity(source, 0, hz) - flux) < 1e-12);
    for (const corr of [0, 1]) {
      const at = 2 * (2 * chan + corr);
      assert.ok(Math.hypot(vis[at]! - flux * Math.cos(phase), vis[at + 1]! - flux * Math.sin(phase)) < 1e-5);
    }
  });
});

test('polarised sources and sources behind the observer', () => {
  const base = {
    name: 'P',
    fluxJy: 2,
    referenceHz: 1e9,
    spectralIndex: 0,
    lightCurve: { kind: 'steady' },
  } as const;
  const at = { uvw: new Float64Array(3), freq: Float64Array.of(1e9), seconds: 0, phaseCentre: centre };
  const predict = (correlations: Correlation[]) => [
    ...predictVisibilities({
      ...at,
      sources: [{ ...base, ...centre, polarization: [0.25, 0.5, -0.125] }],
      correlations,
    }),
  ];
  assert.deepEqual(predict(['XX', 'XY', 'YX', 'YY']), [2.5, 0, 1, -0.25, 1, 0.25, 1.5, 0]);
  assert.deepEqual(predict(['RR', 'RL', 'LR', 'LL']), [1.75, 0, 0.5, 1, 0.5, -1, 2.25, 0]);
  const behind = { ...base, raRad: centre.raRad + Math.PI, decRad: 0 };
  assert.deepEqual([...predictVisibilities({ ...at, sources: [behind], correlations: ['I'] })], [0, 0]);
});

test('light curves rise, fall, end and disperse', () => {
  const at = (curve: Parameters<typeof lightCurveFactor>[0], ...seconds: number[]) =>
    seconds.map((time) => Math.round(1000 * lightCurveFactor(curve, time, 1e8)) / 1000);
  assert.deepEqual(at({ kind: 'box', start: 1, end: 2 }, 0, 1, 1.9, 2), [0, 1, 1, 0]);
  assert.deepEqual(at({ kind: 'ramp', start: 10, end: 20 }, 0, 15, 30), [0, 0.5, 1]);
  assert.deepEqual(at({ kind: 'flare', peak: 10, rise: 1, decay: 10 }, 0, 10, 20, 100), [0, 1, 0.368, 0]);
  assert.deepEqual(at({ kind: 'sine', amplitude: 0.5, period: 4 }, 0, 1, 3), [1, 1.5, 0.5]);
  // DM 1 at 100 MHz comes 0.415 s late.
  assert.deepEqual(at({ kind: 'dispersed', peak: 0, sigma: 0.01, dm: 1 }, 0.4149, 0), [1, 0]);
});

test('noise is reproducible and normal', () => {
  const values = new Float32Array(40_000);
  addNoise(values, 2, randomStream(5));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const beyond = values.filter((value) => Math.abs(value) > 4).length / values.length;
  assert.ok(Math.abs(mean) < 0.04 && Math.abs(variance - 4) < 0.12 && Math.abs(beyond - 0.0455) < 0.004);
  const again = new Float32Array(40_000);
  addNoise(again, 2, randomStream(5));
  assert.deepEqual(again, values);
  assert.notDeepEqual(randomStream(6).normal(), randomStream(5).normal());
});

test('layouts come from CSV, and bad ones say which line is wrong', () => {
  const [one] = parseLayout('# a comment\nname,x_m,y_m,z_m,e_m,diameter_m\nA1,1,2,3,9,25\n');
  assert.deepEqual(one, { name: 'A1', position: [1, 2, 3], diameterMetres: 25 });
  assert.throws(
    () => parseLayout('name,x_m\n'),
    (error) => isAsperitasError(error, 'bad-layout'),
  );
  assert.throws(
    () => parseLayout('name,x_m,y_m,z_m\nA1,1,,\nA2,1,2\n'),
    (error) => isAsperitasError(error, 'bad-layout') && /A2/.test(error.message),
  );
});
