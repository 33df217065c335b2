/** Measurement Sets as telescopes and pipelines write them: what they say of themselves, and their traps. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeSet } from '../../../../actors/io/measurement-set/describe.ts';
import { countFlags } from '../../../../actors/io/measurement-set/flag-count.ts';
import {
  type ChunkSelection,
  type MeasurementSet,
  openMeasurementSet,
} from '../../../../actors/io/measurement-set/measurement-set.ts';
import type { VisibilityChunk } from '../../../../actors/visibility.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';
import { sharedDataMissing, sharedFile, sharedSet } from '../../../support/shared-data.ts';

const skip = sharedDataMissing;
const devSets = ['vlay27', 'nenu24', 'mwa16', 'twoband', 'dysco20'];

async function withSet<T>(
  folder: 'dev' | 'public',
  archive: string,
  use: (set: MeasurementSet) => Promise<T>,
): Promise<T> {
  const set = await openMeasurementSet(sharedSet(folder, archive));
  try {
    return await use(set);
  } finally {
    await set.close();
  }
}

/** Everything of a field's data description, unless told otherwise. */
async function selectionOf(
  set: MeasurementSet,
  fieldId: number,
  dataDescriptionId: number,
  change: Partial<ChunkSelection> = {},
): Promise<ChunkSelection> {
  const { freq } = (await set.band(dataDescriptionId)).spectralWindow;
  const slots = (await set.timeSlots(fieldId)).length;
  return {
    fieldId,
    dataDescriptionId,
    slots: [0, slots],
    channels: [0, freq.length],
    stokes: 'I',
    dataColumn: 'auto',
    ...change,
  };
}

const rejectsWith = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(isAsperitasError(error, code), String(error));
  assert.match(error.message, words);
  assert.ok(!error.message.includes('\n'));
  return true;
};

interface Truth {
  readonly fields: readonly {
    readonly id: number;
    readonly name: string;
    readonly ra_deg: number;
    readonly dec_deg: number;
    readonly times_mjd_s: readonly number[];
  }[];
}

for (const name of devSets) {
  test(`${name}: fields, positions and time steps are those that were put in`, { skip }, () =>
    withSet('dev', `${name}.ms.tgz`, async (set) => {
      const truth = JSON.parse(readFileSync(sharedFile('dev', `${name}.truth.json`), 'utf8')) as Truth;
      for (const field of truth.fields) {
        const { id, phaseCentre } = await set.field(field.name);
        assert.equal(id, field.id);
        assert.ok(Math.abs((phaseCentre!.raRad * 180) / Math.PI - field.ra_deg) < 1e-9);
        assert.ok(Math.abs((phaseCentre!.decRad * 180) / Math.PI - field.dec_deg) < 1e-9);
        const times = (await set.timeSlots(id)).map(({ timeMjdSeconds }) => timeMjdSeconds);
        assert.equal(times.length, field.times_mjd_s.length);
        assert.ok(times.every((time, k) => Math.abs(time - field.times_mjd_s[k]!) < 1e-4));
      }
    }),
  );
}

/** archive, then time steps of each field that has rows. */
const publicSets: readonly (readonly [archive: string, steps: Readonly<Record<number, number>>])[] = [
  ['alma_X5707.ms.tgz', { 2: 40 }],
  ['vla_simple.ms.tgz', { 1: 4 }],
  ['atca_0332-391.NODATA.ms.tgz', { 0: 1561 }],
  ['dp3_tDish.MS.tgz', { 0: 5 }],
  ['dp3_tNDPPP_WSRT.MS.tgz', { 0: 18 }],
  ['dp3_tNDPPP-generic.MS.tgz', { 0: 6 }],
  ['dp3_tDDECal.MS.tgz', { 0: 6 }],
  ['dp3_tOSKAR.in_MS.tgz', { 0: 600 }],
  ['ovrolwa_352.NODATA.ms.tgz', { 0: 1 }],
  ['lwasv_adp.ms.tgz', { 0: 1 }],
  ['mwa_birli_trunc.ms.tgz', { 0: 3 }],
  ['skalow_sdc3.ms.tgz', { 0: 1 }],
  ['mojave_from_uvfits.ms.tgz', { 0: 87 }],
];
for (const [archive, steps] of publicSets) {
  test(`${archive}: time steps of each observed field`, { skip }, () =>
    withSet('public', archive, async (set) => {
      const found: Record<number, number> = {};
      for (const id of await set.observedFieldIds()) found[id] = (await set.timeSlots(id)).length;
      assert.deepEqual(found, steps);
    }),
  );
}

test('a chunk read in parts is the chunk read at once, slice by slice', { skip }, () =>
  withSet('dev', 'nenu24.ms.tgz', async (set) => {
    const whole = await set.readChunk(await selectionOf(set, 0, 0));
    const [channels, rows] = [whole.freq.length, whole.time.length];
    assert.equal(rows * channels, await set.countVisibilities(await selectionOf(set, 0, 0)));
    const part = await set.readChunk(await selectionOf(set, 0, 0, { slots: [7, 9], channels: [3, 5] }));
    const first = 7 * (rows / 60);
    assert.deepEqual(part.time, whole.time.slice(first, first + part.time.length));
    assert.deepEqual(part.uvw, whole.uvw.slice(3 * first, 3 * (first + part.time.length)));
    part.mask.forEach((use, at) => {
      const from = (first + Math.floor(at / 2)) * channels + 3 + (at % 2);
      assert.deepEqual(
        [use, part.weight[at], part.vis[2 * at], part.vis[2 * at + 1]],
        [whole.mask[from], whole.weight[from], whole.vis[2 * from], whole.vis[2 * from + 1]],
      );
    });
  }),
);

test('row runs taken beforehand give the same chunk, and sizes are known beforehand', { skip }, () =>
  withSet('dev', 'twoband.ms.tgz', async (set) => {
    const selection = await selectionOf(set, 0, 1, { slots: [2, 5] });
    const rowRuns = await set.rowRuns(selection);
    const chunk = await set.readChunk(selection);
    assert.deepEqual(await set.readChunk({ ...selection, rowRuns }), chunk);
    const { uvw, freq, vis, weight, mask, time, antenna1, antenna2 } = chunk;
    const arrays = [uvw, freq, vis, weight, mask, time, antenna1, antenna2];
    assert.ok(arrays.every(({ buffer }) => buffer instanceof SharedArrayBuffer));
    const bytes = arrays.reduce((total, { byteLength }) => total + byteLength, 0);
    assert.equal(await set.chunkBytes(selection), bytes);
  }),
);

/** The mean over used samples of |V|, to tell columns and Stokes parameters apart. */
function meanAmplitude({ vis, mask }: VisibilityChunk): number {
  let sum = 0;
  mask.forEach((use, at) => {
    sum += use * Math.hypot(vis[2 * at]!, vis[2 * at + 1]!);
  });
  return sum / mask.reduce((total, use) => total + use, 0);
}

test('corrected data come before data unless told otherwise', { skip }, () =>
  withSet('public', 'dp3_tNDPPP-generic.MS.tgz', async (set) => {
    assert.deepEqual(set.dataColumns, ['DATA', 'CORRECTED_DATA']);
    const read = async (dataColumn: string) => set.readChunk(await selectionOf(set, 0, 0, { dataColumn }));
    const [auto, corrected, raw] = [await read('auto'), await read('CORRECTED_DATA'), await read('DATA')];
    assert.deepEqual(auto, corrected);
    assert.ok(meanAmplitude(raw) < 0.01 * meanAmplitude(corrected));
    await assert.rejects(read('MODEL_DATA'), rejectsWith('no-data-column', /it has DATA, CORRECTED_DATA/));
  }),
);

test('no NaN comes out, and autocorrelations stay out, where both are in the set', { skip }, async () => {
  for (const name of devSets) {
    await withSet('dev', `${name}.ms.tgz`, async (set) => {
      for (const { id } of await set.bands((await set.observedFieldIds()).at(-1)!)) {
        const field = (await set.observedFieldIds()).at(-1)!;
        const chunk = await set.readChunk(await selectionOf(set, field, id));
        assert.ok(chunk.vis.every(Number.isFinite) && chunk.weight.every(Number.isFinite));
        assert.ok(chunk.antenna1.every((antenna, row) => antenna !== chunk.antenna2[row]));
        chunk.mask.forEach((use, at) => {
          if (use === 0) assert.ok(chunk.vis[2 * at] === 0 && chunk.weight[at] === 0);
          else assert.ok(chunk.weight[at]! > 0);
        });
      }
    });
  }
});

test('descending frequencies stay in stored order', { skip }, () =>
  withSet('public', 'dp3_tNDPPP_WSRT.MS.tgz', async (set) => {
    const { freq } = await set.readChunk(await selectionOf(set, 0, 0));
    assert.ok(freq[0]! > freq[15]!);
    assert.deepEqual([...freq], [...(await set.spectralWindows())[0]!.freq]);
  }),
);

test('bands of different channel counts, interleaved in one column', { skip }, () =>
  withSet('public', 'dp3_tNDPPP-bda.MS.tgz', async (set) => {
    const bands = await set.bands(0);
    const counts = bands.map(({ spectralWindow }) => spectralWindow.freq.length);
    assert.deepEqual(counts, [3, 4, 1, 8].slice(0, counts.length));
    for (const { id, spectralWindow } of bands) {
      const chunk = await set.readChunk(await selectionOf(set, 0, id));
      assert.equal(chunk.vis.length, 2 * chunk.time.length * spectralWindow.freq.length);
    }
  }),
);

test('a set that is flagged throughout gives a chunk of zeros', { skip }, () =>
  withSet('public', 'dp3_tDish.MS.tgz', async (set) => {
    const chunk = await set.readChunk(await selectionOf(set, 0, 0));
    assert.ok(chunk.time.length > 0);
    assert.ok(chunk.mask.every((use) => use === 0) && chunk.vis.every((value) => value === 0));
    assert.equal((await countFlags(set)).percent, 100);
  }),
);

test('an empty POLARIZATION table is named; the rest of the set can still be described', { skip }, () =>
  withSet('public', 'dp3_tNDPPP_bda_WSRT.MS.tgz', async (set) => {
    await assert.rejects(
      set.readChunk(await selectionOf(set, 0, 0).catch(() => fallbackSelection)),
      rejectsWith('damaged-measurement-set', /POLARIZATION: there is no row 0/),
    );
    const { fields, polarizations } = await describeSet(set);
    assert.deepEqual([fields[0]?.timeSteps, polarizations], [20, []]);
  }),
);
const fallbackSelection: ChunkSelection = {
  fieldId: 0,
  dataDescriptionId: 0,
  slots: [0, 1],
  channels: [0, 1],
  stokes: 'I',
  dataColumn: 'auto',
};

test('a single correlation has no Stokes I', { skip }, () =>
  withSet('public', 'skalow_sdc3.ms.tgz', async (set) => {
    const selection = await selectionOf(set, 0, 0);
    await assert.rejects(set.readChunk(selection), rejectsWith('no-stokes', /no Stokes I from its XX/));
  }),
);

test('a missing tile file fails its own column, by name, and nothing else', { skip }, () =>
  withSet('public', 'ovrolwa_352.NODATA.ms.tgz', async (set) => {
    assert.equal((await set.antennas()).length, 352);
    const selection = await selectionOf(set, 0, 0);
    await assert.rejects(set.readChunk(selection), rejectsWith('missing-file', /DATA.*table\.f\d+_TSM/));
    assert.ok((await countFlags(set)).percent > 0);
  }),
);

test('wrong requests say what is there', { skip }, () =>
  withSet('dev', 'vlay27.ms.tgz', async (set) => {
    await assert.rejects(set.field('M87'), rejectsWith('no-such-field', /0 "CAL1", 1 "TARGET"/));
    const selection = await selectionOf(set, 1, 0);
    await assert.rejects(
      set.readChunk({ ...selection, channels: [0, 9] }),
      rejectsWith('bad-selection', /channels 0 to 9 .* which has 8/),
    );
    await assert.rejects(
      set.readChunk({ ...selection, dataDescriptionId: 7 }),
      rejectsWith('damaged-measurement-set', /DATA_DESCRIPTION: there is no row 7/),
    );
    const stop = AbortSignal.abort();
    await assert.rejects(set.readChunk(selection, stop), { name: 'AbortError' });
  }),
);

test('paths that are no Measurement Set are told apart', { skip }, async () => {
  const set = sharedSet('dev', 'mwa16.ms.tgz');
  await assert.rejects(openMeasurementSet('/no/such.ms'), rejectsWith('no-such-file', /\/no\/such\.ms/));
  await assert.rejects(openMeasurementSet(`${set}/table.dat`), rejectsWith('not-a-table', /table\.dat/));
  await assert.rejects(
    openMeasurementSet(`${set}/ANTENNA`),
    rejectsWith('not-a-measurement-set', /it has no TIME, ANTENNA1/),
  );
});
