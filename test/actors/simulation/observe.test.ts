/** A simulated observation, written as a Measurement Set and read back: what was put in comes out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type MeasurementSet,
  openMeasurementSet,
} from '../../../actors/io/measurement-set/measurement-set.ts';
import { writeMeasurementSet } from '../../../actors/io/measurement-set/write.ts';
import { lmFromSky, skyFromLm } from '../../../actors/io/wcs.ts';
import { arrayLayouts } from '../../../actors/simulation/layouts.ts';
import { evenBand, type SimulationPlan, simulateObservation } from '../../../actors/simulation/observe.ts';
import { makeUvw, sineOfElevation, transitTime } from '../../../actors/simulation/uvw.ts';
import type { VisibilityChunk } from '../../../actors/visibility.ts';
import { isAsperitasError } from '../../../runtime/index.ts';
import { sharedDataMissing, sharedSet } from '../../support/shared-data.ts';

const centre = { raRad: 0.5, decRad: 0.6 };
const steady = {
  name: 'STEADY',
  ...skyFromLm(centre, { l: 0.001, m: -0.0007 })!,
  fluxJy: 1,
  spectralIndex: -0.7,
};
const burst = {
  name: 'BURST',
  ...skyFromLm(centre, { l: -0.0012, m: 0.0004 })!,
  fluxJy: 2,
  spectralIndex: 0,
};
const plan: SimulationPlan = {
  telescope: 'SIMULATED',
  stations: arrayLayouts['vla-d'].slice(0, 12),
  field: { name: 'TARGET', phaseCentre: centre },
  bands: [
    evenBand({ name: 'low', firstHz: 1.3e9, channelWidthHz: 4e6, channels: 8, correlations: ['RR', 'LL'] }),
    evenBand({
      name: 'high',
      firstHz: 1.7e9,
      channelWidthHz: -2e6,
      channels: 5,
      correlations: ['XX', 'XY', 'YX', 'YY'],
    }),
  ],
  sources: [
    { ...steady, referenceHz: 1.4e9, lightCurve: { kind: 'steady' }, polarization: [0.2, 0, 0] },
    { ...burst, referenceHz: 1.4e9, lightCurve: { kind: 'box', start: 25, end: 45 } },
  ],
  startMjdSeconds: 59215 * 86400,
  integrationSeconds: 10,
  integrations: 6,
  noiseJy: 0.05,
  flaggedShare: 0.05,
  seed: 1,
};

let folder: string;
let set: MeasurementSet;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-simulation-'));
  await writeMeasurementSet(join(folder, 'sim.ms'), simulateObservation(plan));
  set = await openMeasurementSet(join(folder, 'sim.ms'));
});
after(async () => {
  await set.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * The flux density that the visibilities show in a direction: the weighted mean of what a source there would.
 */
function fluxTowards(chunk: VisibilityChunk, direction: { readonly raRad: number; readonly decRad: number }) {
  const { l, m } = lmFromSky(chunk.phaseCentre, direction)!;
  const n = Math.sqrt(1 - l * l - m * m);
  let [sum, weights] = [0, 0];
  for (let at = 0; at < chunk.mask.length; at++) {
    const row = Math.floor(at / chunk.freq.length);
    const metres = chunk.uvw[3 * row]! * l + chunk.uvw[3 * row + 1]! * m + chunk.uvw[3 * row + 2]! * (n - 1);
    const phase = (2 * Math.PI * metres * chunk.freq[at % chunk.freq.length]!) / 299792458;
    sum +=
      chunk.weight[at]! * (chunk.vis[2 * at]! * Math.cos(phase) + chunk.vis[2 * at + 1]! * Math.sin(phase));
    weights += chunk.weight[at]!;
  }
  return sum / weights;
}

const read = (band: number, slots: readonly [number, number], stokes: 'I' | 'Q' = 'I') =>
  set.readChunk({
    fieldId: 0,
    dataDescriptionId: band,
    slots,
    channels: [0, plan.bands[band]!.freq.length],
    stokes,
    dataColumn: 'auto',
  });

test('what the set says of itself is what was observed', async () => {
  const { telescope, timeRange } = await set.observation();
  assert.deepEqual([telescope, timeRange], ['SIMULATED', [plan.startMjdSeconds, plan.startMjdSeconds + 60]]);
  const slots = await set.timeSlots(0);
  assert.deepEqual(
    slots.map(({ timeMjdSeconds }) => timeMjdSeconds - plan.startMjdSeconds),
    [5, 15, 25, 35, 45, 55],
  );
  assert.deepEqual(
    [...slots[0]!.rows],
    [
      [0, 66],
      [1, 66],
    ],
  );
  const bands = await set.bands(0);
  assert.deepEqual(bands[1]!.correlations, ['XX', 'XY', 'YX', 'YY']);
  assert.deepEqual([...bands[1]!.spectralWindow.freq], [...plan.bands[1]!.freq]);
  assert.equal(bands[1]!.spectralWindow.frame, 'TOPO');
  const { phaseCentre, name } = await set.field('TARGET');
  assert.deepEqual([name, phaseCentre], ['TARGET', centre]);
  const [first] = await set.antennas();
  assert.deepEqual(first!.position, plan.stations[0]!.position);
});

test('a transient is there while it is on, a steady source always, rubbish under flags never', async () => {
  for (const band of [0, 1]) {
    const chunks = await Promise.all([0, 1, 2, 3, 4, 5].map((slot) => read(band, [slot, slot + 1])));
    const on = chunks.map((chunk) => fluxTowards(chunk, burst) > 1.2);
    // The box opens at 25 s after the first centre: integrations at 30 and 40 s.
    assert.deepEqual(on, [false, false, false, true, true, false]);
    const flux = fluxTowards(await read(band, [0, 6]), steady);
    assert.ok(Math.abs(flux - 1) < 0.35, `band ${band}: ${flux} Jy`);
  }
});

test('flags are where they were put, and the noise is what was asked', async () => {
  const chunk = await read(0, [0, 6]);
  const used = chunk.mask.reduce((sum, value) => sum + value, 0) / chunk.mask.length;
  assert.ok(Math.abs(used - 0.95) < 0.01, `${used} of the samples are used`);
  assert.ok(chunk.vis.every(Number.isFinite));
  const weight = Math.fround(1 / 0.05 ** 2);
  chunk.mask.forEach((use, at) => {
    assert.equal(chunk.weight[at], use * weight);
    if (use === 0) assert.deepEqual([chunk.vis[2 * at], chunk.vis[2 * at + 1]], [0, 0]);
  });
});

test('polarised light shows in Stokes Q', async () => {
  const flux = fluxTowards(await read(1, [0, 3], 'Q'), steady);
  assert.ok(Math.abs(flux - 0.2 * (1.7e9 / 1.4e9) ** -0.7) < 0.05, `${flux} Jy`);
});

test('the same seed gives the same visibilities; an existing set is not overwritten', async () => {
  const again = simulateObservation(plan);
  assert.deepEqual(again.blocks, simulateObservation(plan).blocks);
  await assert.rejects(writeMeasurementSet(set.path, again), (error) =>
    isAsperitasError(error, 'already-exists'),
  );
});

test('a field is highest at its transit', () => {
  const { position } = plan.stations[0]!;
  const transit = transitTime(position, centre, plan.startMjdSeconds);
  assert.ok(transit >= plan.startMjdSeconds && transit < plan.startMjdSeconds + 86400);
  const height = (time: number) => sineOfElevation(position, centre, time);
  assert.ok(height(transit) > Math.max(height(transit - 60), height(transit + 60)));
});

test('uvw turn with the Earth as those of a set made with IAU precession, to 20 years of precession', {
  skip: sharedDataMissing,
}, async () => {
  const vlay27 = await openMeasurementSet(sharedSet('dev', 'vlay27.ms.tgz'));
  try {
    const { phaseCentre } = await vlay27.field('TARGET');
    const positions = (await vlay27.antennas()).map(({ position }) => position);
    const request = {
      fieldId: 1,
      dataDescriptionId: 0,
      channels: [0, 1],
      stokes: 'I',
      dataColumn: 'auto',
    } as const;
    for (const slot of [0, 59]) {
      const { antenna1, antenna2, uvw, time } = await vlay27.readChunk({
        ...request,
        slots: [slot, slot + 1],
      });
      const timeMjdSeconds = time[0]!;
      const made = makeUvw({ positions, antenna1, antenna2, phaseCentre: phaseCentre!, timeMjdSeconds });
      for (let row = 0; row < antenna1.length; row++) {
        const [a, b] = [made, uvw].map((from) => from.subarray(3 * row, 3 * row + 3));
        // That set has position 1 minus position 2, as VLA sets do; 20 years turn the axis by 0.0049 rad.
        const apart = Math.hypot(a![0]! + b![0]!, a![1]! + b![1]!, a![2]! + b![2]!);
        assert.ok(apart < 0.0055 * Math.hypot(...b!), `row ${row}: ${apart} m apart`);
      }
    }
  } finally {
    await vlay27.close();
  }
});

test('a field below the horizon is refused', () => {
  const below = { ...plan, startMjdSeconds: plan.startMjdSeconds + 43200 };
  assert.throws(
    () => simulateObservation(below),
    (error) => isAsperitasError(error, 'source-below-horizon'),
  );
});
