/** The row index on hand-made columns: sorted by time, by baseline, interleaved, ragged in time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandRuns, RowIndexBuilder } from '../../../../actors/io/measurement-set/row-index.ts';

interface Row {
  readonly time: number;
  readonly field?: number;
  readonly dd?: number;
  readonly interval?: number;
  readonly antennas?: readonly [number, number];
}

function indexOf(rows: readonly Row[], pieceSize = rows.length) {
  const builder = new RowIndexBuilder();
  for (let start = 0; start < rows.length; start += pieceSize) {
    const piece = rows.slice(start, start + pieceSize);
    builder.add(start, {
      time: piece.map(({ time }) => time),
      interval: piece.map(({ interval = 10 }) => interval),
      fieldId: piece.map(({ field = 0 }) => field),
      dataDescriptionId: piece.map(({ dd = 0 }) => dd),
      antenna1: piece.map(({ antennas = [0, 1] }) => antennas[0]),
      antenna2: piece.map(({ antennas = [0, 1] }) => antennas[1]),
    });
  }
  return builder.finish();
}

const repeat = (count: number, row: Row): Row[] => new Array<Row>(count).fill(row);

test('slots are counted within a field, across gaps, in time order', () => {
  const index = indexOf([
    ...repeat(3, { time: 100, field: 1 }),
    ...repeat(3, { time: 110, field: 0 }),
    ...repeat(3, { time: 500, field: 1 }),
    ...repeat(2, { time: 90, field: 1 }),
  ]);
  assert.deepEqual(index.fieldIds, [0, 1]);
  assert.deepEqual(
    index.timeSlots(1).map(({ index: at, timeMjdSeconds, rows }) => [at, timeMjdSeconds, rows.get(0)]),
    [
      [0, 90, 2],
      [1, 100, 3],
      [2, 500, 3],
    ],
  );
  assert.deepEqual([...expandRuns(index.runs(1, 0, 0, 2))], [9, 10, 0, 1, 2]);
  assert.deepEqual(index.timeSlots(7), []);
});

test('times within a hundredth of the interval are one slot, times beyond are not', () => {
  const index = indexOf([{ time: 100 }, { time: 100.09 }, { time: 100.11 }, { time: 110 }, { time: 110.05 }]);
  assert.deepEqual(
    index.timeSlots(0).map(({ timeMjdSeconds, rows }) => [timeMjdSeconds, rows.get(0)]),
    [
      [100, 2],
      [100.11, 1],
      [110, 2],
    ],
  );
});

test('a set sorted by baseline, and one with interleaved windows, need one run a time and window', () => {
  const times = [100, 110, 120];
  const byBaseline = [0, 1, 2, 3].flatMap(() => times.map((time): Row => ({ time })));
  assert.deepEqual([...indexOf(byBaseline, 5).runs(0, 0, 1, 2)], [1, 4, 3]);
  const interleaved = times.flatMap((time) =>
    [0, 1, 2].flatMap(() => [0, 1].map((dd): Row => ({ time, dd }))),
  );
  const index = indexOf(interleaved, 4);
  assert.deepEqual([...index.runs(0, 1, 0, 2)], [1, 3, 2, 7, 3, 2]);
  assert.deepEqual(
    [...index.timeSlots(0)[2]!.rows],
    [
      [0, 3],
      [1, 3],
    ],
  );
});

test('runs reproduce exactly the rows of every group, however they are scattered', () => {
  let state = 1;
  const random = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  const rows = Array.from(
    { length: 3000 },
    (): Row => ({ time: 10 * random(4), dd: random(3), field: random(2) }),
  );
  const index = indexOf(rows, 777);
  for (const field of [0, 1]) {
    for (const dd of [0, 1, 2]) {
      const wanted = [0, 10, 20, 30].flatMap((time) =>
        rows.flatMap((row, k) => (row.time === time && row.dd === dd && row.field === field ? [k] : [])),
      );
      assert.deepEqual([...expandRuns(index.runs(field, dd, 0, 4))], wanted);
    }
  }
});

test('autocorrelations are among the rows but not counted; rows without a time are nowhere', () => {
  const index = indexOf([
    { time: 100, antennas: [0, 0] },
    { time: 100 },
    { time: Number.NaN },
    { time: 100, dd: -1 },
    { time: 100, antennas: [1, 1] },
  ]);
  assert.deepEqual([...index.timeSlots(0)[0]!.rows], [[0, 1]]);
  assert.deepEqual([...expandRuns(index.runs(0, 0, 0, 1))], [0, 1, 4]);
});

test('an interval that the writer left at zero comes from the steps', () => {
  const index = indexOf([100, 104, 108, 120].map((time) => ({ time, interval: 0 })));
  assert.deepEqual(
    index.timeSlots(0).map(({ intervalSeconds }) => intervalSeconds),
    [4, 4, 4, 4],
  );
});
