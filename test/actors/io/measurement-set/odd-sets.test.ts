/**
 * Sets made odd on purpose: two fields taking turns, FLAG_ROW against FLAG, unused bands, autocorrelations.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type ChunkSelection,
  type MeasurementSet,
  openMeasurementSet,
} from '../../../../actors/io/measurement-set/measurement-set.ts';
import type {
  ObservationBlock,
  ObservationToWrite,
} from '../../../../actors/io/measurement-set/observation.ts';
import { writeMeasurementSet } from '../../../../actors/io/measurement-set/write.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';

const antennas = [0, 1, 2].map((k) => ({
  name: `A${k}`,
  position: [6.4e6, 100 * k, 10 * k] as const,
  diameterMetres: 25,
}));

/** Six rows, three of them autocorrelations; every value tells its row, channel and field. */
function block(step: number, change: Partial<ObservationBlock> = {}): ObservationBlock {
  const fieldId = step % 2;
  const samples = 6 * 4 * 2;
  return {
    fieldId,
    dataDescriptionId: 1,
    scanNumber: step,
    timeMjdSeconds: 5e9 + 10 * step,
    intervalSeconds: 10,
    antenna1: Int32Array.of(0, 0, 0, 1, 1, 2),
    antenna2: Int32Array.of(0, 1, 2, 1, 2, 2),
    uvw: Float64Array.from({ length: 18 }, (_, k) => 100 * step + k),
    data: Float32Array.from({ length: 2 * samples }, (_, k) => 1000 * step + k),
    flag: new Uint8Array(samples),
    weight: new Float32Array(samples).fill(4),
    ...change,
  };
}

const observation: ObservationToWrite = {
  telescope: 'ODD',
  observer: 'a test',
  project: '',
  antennas,
  fields: [
    { name: 'CAL', phaseCentre: { raRad: -0.25, decRad: 0.5 } },
    { name: 'TARGET', phaseCentre: { raRad: -0.2, decRad: 0.5 } },
  ],
  bands: [
    { name: 'unused', freq: new Float64Array(0), channelWidthHz: 1, correlations: ['XX', 'YY'] },
    {
      name: 'used',
      freq: Float64Array.of(4e8, 3e8, 2e8, 1e8),
      channelWidthHz: -1e8,
      correlations: ['RR', 'LL'],
    },
  ],
  blocks: [
    block(0),
    block(1),
    block(2),
    block(3, { flagRow: Uint8Array.of(0, 1, 0, 0, 0, 0) }),
    block(5, { uvw: Float64Array.from({ length: 18 }, (_, k) => (k === 7 ? Number.NaN : k)) }),
  ],
};

let folder: string;
let set: MeasurementSet;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-odd-sets-'));
  await writeMeasurementSet(join(folder, 'odd.ms'), observation);
  set = await openMeasurementSet(join(folder, 'odd.ms'));
});
after(async () => {
  await set.close();
  rmSync(folder, { recursive: true, force: true });
});

const selection: ChunkSelection = {
  fieldId: 1,
  dataDescriptionId: 1,
  slots: [0, 3],
  channels: [0, 4],
  stokes: 'I',
  dataColumn: 'auto',
};

test('fields that take turns are counted apart, without their autocorrelations', async () => {
  const slots = await set.timeSlots(1);
  assert.deepEqual(
    slots.map(({ index, timeMjdSeconds, rows }) => [index, timeMjdSeconds - 5e9, rows.get(1)]),
    [
      [0, 10, 3],
      [1, 30, 3],
      [2, 50, 3],
    ],
  );
  assert.equal((await set.timeSlots(0)).length, 2);
  assert.equal(await set.countVisibilities(selection), 36);
});

test('each row of a chunk is the row it says it is', async () => {
  const chunk = await set.readChunk({ ...selection, slots: [0, 1], channels: [1, 3] });
  assert.deepEqual([...chunk.antenna1], [0, 0, 1]);
  assert.deepEqual([...chunk.antenna2], [1, 2, 2]);
  assert.deepEqual([...chunk.freq], [3e8, 2e8]);
  // Rows 1, 2 and 4 of the block, channels 1 and 2: re is 1000 + 2 x (sample) + 1, the mean of RR and LL.
  const expected = [1, 2, 4].flatMap((row) =>
    [1, 2].flatMap((chan) => {
      const first = 1000 + 2 * (row * 8 + chan * 2);
      return [first + 1, first + 2];
    }),
  );
  assert.deepEqual([...chunk.vis], expected);
  assert.deepEqual(
    [...chunk.uvw],
    [1, 2, 4].flatMap((row) => [0, 1, 2].map((axis) => 100 + 3 * row + axis)),
  );
  assert.equal(chunk.phaseCentre.raRad, 2 * Math.PI - 0.2);
});

test('FLAG_ROW counts only when asked for', async () => {
  const used = async (useFlagRow: boolean) =>
    (await set.readChunk({ ...selection, slots: [1, 2], useFlagRow })).mask.reduce(
      (sum, use) => sum + use,
      0,
    );
  assert.deepEqual([await used(false), await used(true)], [12, 8]);
});

test('a row without a finite uvw is left out', async () => {
  const chunk = await set.readChunk({ ...selection, slots: [2, 3] });
  assert.deepEqual([...chunk.mask], [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
  assert.ok(chunk.uvw.every(Number.isFinite));
  assert.deepEqual([...chunk.vis.subarray(8, 16)], [0, 0, 0, 0, 0, 0, 0, 0]);
});

test('a band that no row uses disturbs nothing until it is asked for', async () => {
  assert.deepEqual(
    (await set.bands(1)).map(({ id }) => id),
    [1],
  );
  await assert.rejects(
    set.readChunk({ ...selection, dataDescriptionId: 0 }),
    (error) => isAsperitasError(error, 'damaged-measurement-set') && /CHAN_FREQ/.test(error.message),
  );
});

test('slots beyond the last give a chunk without rows', async () => {
  const chunk = await set.readChunk({ ...selection, slots: [3, 9] });
  assert.deepEqual([chunk.time.length, chunk.vis.length, chunk.freq.length], [0, 0, 4]);
});

test('a lost subtable, or a lost file of one column, is named', async () => {
  const path = join(folder, 'broken.ms');
  await writeMeasurementSet(path, observation);
  rmSync(join(path, 'POLARIZATION'), { recursive: true });
  for (const name of readdirSync(path)) if (/^table\.f5_TSM/.test(name)) unlinkSync(join(path, name));
  const broken = await openMeasurementSet(path);
  try {
    assert.equal((await broken.timeSlots(1)).length, 3);
    assert.equal(broken.table.column('DATA').storageNumber, 5);
    await assert.rejects(
      broken.readChunk(selection),
      (error) => isAsperitasError(error, 'damaged-measurement-set') && /POLARIZATION/.test(error.message),
    );
    await assert.rejects(
      broken.table.column('DATA').read({ start: 0, count: 1 }),
      (error) => isAsperitasError(error, 'missing-file') && /DATA.*table\.f5_TSM/.test(error.message),
    );
    assert.equal((await broken.table.column('FLAG').read({ start: 0, count: 30 })).values.length, 240);
  } finally {
    await broken.close();
  }
});
