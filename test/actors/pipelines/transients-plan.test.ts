/** The division of a search into bands, frames and blocks, and what it is said to take. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { griddingBytes } from '../../../actors/imaging/kernels/grid-plan.ts';
import { checkRoom, costOf, nodeBytes, planText } from '../../../actors/pipelines/transients-cost.ts';
import type { SetSummary } from '../../../actors/pipelines/transients-describe.ts';
import { planTransients } from '../../../actors/pipelines/transients-plan.ts';
import { searchDefaults, type TransientRequest } from '../../../actors/pipelines/transients-request.ts';
import { isAsperitasError } from '../../../runtime/index.ts';

const request: TransientRequest = {
  sets: [],
  field: 0,
  npixX: 256,
  npixY: 256,
  pixsize: 1e-5,
  ...searchDefaults,
};

/** A set of 20 slots of 10 s from `start`, one data description a list of channels. */
function summary(path: string, channels: readonly (readonly number[])[], start = 1000): SetSummary {
  return {
    set: { site: 'here', path },
    telescope: 'T',
    antennas: 10,
    fieldId: 0,
    fieldName: 'F',
    phaseCentre: { raRad: 1, decRad: 0.5 },
    dataColumn: 'DATA',
    timeS: Float64Array.from({ length: 20 }, (_, k) => start + 5 + 10 * k),
    intervalS: new Float64Array(20).fill(10),
    data: channels.map((freq, id) => ({
      id,
      freq: Float64Array.from(freq),
      channelWidthHz: 1e6,
      rows: new Int32Array(20).fill(45),
    })),
    sizeBytes: 1,
    changedMs: 1,
    metadataSha256: '',
  };
}

const plan = (sets: readonly SetSummary[], changes: Partial<TransientRequest> = {}, threads = 2) =>
  planTransients({ ...request, ...changes, sets: sets.map(({ set }) => set) }, sets, threads);

test('every slot of every spectral window is a frame, in blocks that follow one another', () => {
  const one = plan([summary('a', [[1e9, 1.001e9], [1.4e9]])]);
  assert.deepEqual(
    one.bands.map(({ name }) => name),
    ['1001MHz', '1400MHz'],
  );
  assert.deepEqual(
    one.frames.map((list) => list.length),
    [20, 20],
  );
  assert.equal(one.bins.startS.length, 20);
  for (const list of one.frames)
    assert.deepEqual(
      list.map(({ bin }) => bin),
      [...list.keys()],
    );
  const slots = one.blocks.filter(({ band }) => band === 0).flatMap(({ selection }) => selection.slots);
  assert.equal(slots[0], 0);
  assert.equal(slots.at(-1), 20);
  for (let k = 1; k + 1 < slots.length; k += 2) assert.equal(slots[k], slots[k + 1]);
  assert.equal(new Set(one.blocks.map(({ id }) => id)).size, one.blocks.length);
});

test('channels are split into bands; descending ones too', () => {
  const freq = Array.from({ length: 10 }, (_, k) => 50e6 - 1e6 * k);
  const one = plan([summary('a', [freq])], { bands: 3 });
  assert.equal(one.bands.length, 3);
  assert.ok(one.bands.every((band, k) => k === 0 || band.freqHz > one.bands[k - 1]!.freqHz));
  const channels = one.bands.map(
    (_, band) => one.blocks.find((block) => block.band === band)!.selection.channels,
  );
  assert.deepEqual(channels, [
    [6, 10],
    [3, 6],
    [0, 3],
  ]);
  assert.ok(Math.abs(one.bands[0]!.bandwidthHz - 4e6) < 1);
});

test('slots are gathered into intervals as equal as can be', () => {
  const one = plan([summary('a', [[1e9]])], { intervalsOut: 3 });
  const frames = one.frames[0]!;
  assert.deepEqual(
    frames.map(({ dtS }) => dtS),
    [60, 70, 70],
  );
  assert.equal(frames[0]!.timeS, 1030);
  assert.equal(plan([summary('a', [[1e9]])], { intervalsOut: 100 }).frames[0]!.length, 20);
});

test('two observations of one band share it; two bands of one observation share their times', () => {
  const later = plan([summary('a', [[1e9]]), summary('b', [[1e9]], 9000)]);
  assert.equal(later.bands.length, 1);
  assert.equal(later.frames[0]!.length, 40);
  assert.equal(later.bins.startS.length, 40);
  const beside = plan([summary('a', [[1e9]]), summary('b', [[2e9]])]);
  assert.equal(beside.bands.length, 2);
  assert.equal(beside.bins.startS.length, 20);
});

test('slots without rows of a band give no frame, and part blocks', () => {
  const set = summary('a', [[1e9]]);
  set.data[0]!.rows.fill(0, 5, 8);
  const one = plan([set], {}, 1);
  assert.equal(one.frames[0]!.length, 17);
  assert.ok(one.blocks.every(({ selection: { slots } }) => slots[1] <= 5 || slots[0] >= 8));
});

test('sets of other phase centres are refused with advice', () => {
  const other = { ...summary('b', [[1e9]]), phaseCentre: { raRad: 1.0001, decRad: 0.5 } };
  assert.throws(
    () => plan([summary('a', [[1e9]]), other]),
    (error) => isAsperitasError(error, 'different-phase-centres') && /a and|b and/.test(error.message),
  );
  const close = { ...summary('b', [[1e9]]), phaseCentre: { raRad: 1 + 1e-8, decRad: 0.5 } };
  assert.equal(plan([summary('a', [[1e9]]), close]).bands.length, 1);
});

test('the plan says what it takes, and refuses nodes that are too small, with advice', () => {
  const one = plan([summary('a', [[1e9, 1.1e9]])], { npixX: 4096, npixY: 4096 });
  const cost = costOf(one);
  assert.equal(cost.frames, 20);
  assert.equal(cost.visibilities, 20 * 45 * 2);
  const { geometry, epsilon } = one.imaging;
  assert.ok(cost.taskBytes > griddingBytes(geometry, epsilon, 90) + 3 * 4 * 4096 ** 2, 'grid and images');
  const node = { node: 'n', site: 'here', threads: 4, memoryBytes: nodeBytes(cost, 4) };
  checkRoom(one, cost, [node]);
  assert.match(planText(one, cost, [node]), /20 frames at 20 times, 4096 x 4096 pixels/);
  const small = { ...node, memoryBytes: nodeBytes(cost, 2) };
  assert.throws(
    () => checkRoom(one, cost, [node, small]),
    (error) =>
      isAsperitasError(error, 'not-enough-memory') && /--threads 2, a smaller --size/.test(error.message),
  );
});
