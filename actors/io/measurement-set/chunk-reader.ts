/**
 * Owns the reading of a chunk: rows of one field, data description and Stokes parameter, brought from columns
 * of a main table into the arrays of a `VisibilityChunk`, in pieces of bounded size. Must not know: how rows
 * were found, what becomes of the chunk.
 */
import { sharedFloat32, sharedFloat64, sharedInt32, sharedUint8 } from '../../shared-arrays.ts';
import type { Direction, VisibilityChunk } from '../../visibility.ts';
import type { AxisRange, Column, RowSelection, Table } from '../casacore/table.ts';
import { checkShape, resolveDataColumn, resolveWeightColumn, type WeightColumn } from './columns.ts';
import { combineStokes, type StokesRecipe } from './correlations.ts';
import { limits } from './limits.ts';

/** Everything a chunk's reading needs, already looked up. */
export interface ChunkPlan {
  /** Rows in the order wanted, autocorrelations among them. */
  readonly rows: Uint32Array;
  /** `[chan]` Hz: the spectral window's frequencies. */
  readonly freq: Float64Array;
  /** Channels `[start, end)` of the spectral window. */
  readonly channels: readonly [start: number, end: number];
  readonly correlationCount: number;
  readonly recipe: StokesRecipe;
  readonly phaseCentre: Direction;
  /** A column's name, or `auto`. */
  readonly dataColumn: string;
  /** Leave out the samples of rows whose FLAG_ROW is set. */
  readonly useFlagRow: boolean;
}

/** The smallest slice of the correlation axis that holds both correlations of a recipe. */
function correlationSlice({ first, second }: StokesRecipe): AxisRange {
  const start = Math.min(first, second);
  return { start, count: Math.max(first, second) - start + 1 };
}

/** Rows as a range where they are one: ranges are read without a list. */
function selectionOf(rows: Uint32Array): RowSelection {
  const contiguous = rows.length > 0 && rows[rows.length - 1]! - rows[0]! === rows.length - 1;
  if (!contiguous) return rows;
  // Equal ends can hide a shuffled middle only if rows repeat or are out of order.
  for (let k = 1; k < rows.length; k++) if (rows[k] !== rows[0]! + k) return rows;
  return { start: rows[0]!, count: rows.length };
}

/** What is known of the rows before their visibilities are read. */
interface RowFrame {
  /** `[row]` of the plan: the row of the chunk, or -1 for an autocorrelation. */
  readonly targetRow: Int32Array;
  readonly rowCount: number;
  readonly time: Float64Array;
  readonly uvw: Float64Array;
  readonly antenna1: Int32Array;
  readonly antenna2: Int32Array;
}

async function readRowFrame(main: Table, rows: Uint32Array): Promise<RowFrame> {
  const wanted = selectionOf(rows);
  const read = async (name: string) => (await main.column(name).read(wanted)).values as ArrayLike<number>;
  const [first, second, times, positions] = await Promise.all([
    read('ANTENNA1'),
    read('ANTENNA2'),
    read('TIME'),
    read('UVW'),
  ]);
  const targetRow = new Int32Array(rows.length);
  let rowCount = 0;
  for (let k = 0; k < rows.length; k++) targetRow[k] = first[k] === second[k] ? -1 : rowCount++;
  const frame = {
    targetRow,
    rowCount,
    time: sharedFloat64(rowCount),
    uvw: sharedFloat64(3 * rowCount),
    antenna1: sharedInt32(rowCount),
    antenna2: sharedInt32(rowCount),
  };
  for (let k = 0; k < rows.length; k++) {
    const to = targetRow[k]!;
    if (to < 0) continue;
    frame.time[to] = times[k]!;
    frame.antenna1[to] = first[k]!;
    frame.antenna2[to] = second[k]!;
    for (let axis = 0; axis < 3; axis++) frame.uvw[3 * to + axis] = positions[3 * k + axis]!;
  }
  return frame;
}

interface Columns {
  readonly data: Column;
  readonly flag: Column;
  readonly weight: WeightColumn;
  readonly flagRow: Column | undefined;
}

/** Finds the columns and checks the first row's shapes, so that a damaged set fails with the row's name. */
async function chooseColumns(main: Table, plan: ChunkPlan): Promise<Columns> {
  const row = plan.rows[0]!;
  const shape = [plan.correlationCount, plan.freq.length];
  const name = await resolveDataColumn(main, plan.dataColumn, row);
  const weight = await resolveWeightColumn(main, row);
  await checkShape(main, name, row, shape);
  await checkShape(main, 'FLAG', row, shape);
  await checkShape(main, weight.column.name, row, weight.perChannel ? shape : shape.slice(0, 1));
  return {
    data: main.column(name),
    flag: main.column('FLAG'),
    weight,
    flagRow: plan.useFlagRow ? main.column('FLAG_ROW') : undefined,
  };
}

type Target = Pick<VisibilityChunk, 'vis' | 'weight' | 'mask'>;

/** A chunk being read. */
interface Reading {
  readonly plan: ChunkPlan;
  readonly columns: Columns;
  readonly frame: RowFrame;
  readonly target: Target;
}

/** Reads and combines the rows `[start, end)` of the plan. */
async function readPiece(reading: Reading, start: number, end: number): Promise<void> {
  const { plan, columns, frame, target } = reading;
  const rows = plan.rows.subarray(start, end);
  const wanted = selectionOf(rows);
  const corr = correlationSlice(plan.recipe);
  const chan = { start: plan.channels[0], count: plan.channels[1] - plan.channels[0] };
  const { perChannel } = columns.weight;
  const [data, flag, weight, flagRow] = await Promise.all([
    columns.data.read(wanted, [corr, chan]),
    columns.flag.read(wanted, [corr, chan]),
    columns.weight.column.read(wanted, perChannel ? [corr, chan] : [corr]),
    columns.flagRow?.read(wanted),
  ]);
  const targetRow = frame.targetRow.slice(start, end);
  const dropped = flagRow?.values as Uint8Array | undefined;
  dropped?.forEach((flagged, k) => {
    if (flagged !== 0) targetRow[k] = -1;
  });
  const { first, second, ...how } = plan.recipe;
  combineStokes(
    {
      rowCount: rows.length,
      channelCount: chan.count,
      correlationCount: corr.count,
      data: data.values as Float32Array | Float64Array,
      flag: flag.values as Uint8Array,
      weight: weight.values as Float32Array | Float64Array,
      weightPerChannel: perChannel,
      targetRow,
    },
    { ...how, first: first - corr.start, second: second - corr.start },
    target,
  );
}

/** Masks rows without a finite uvw: one of them would poison every pixel. */
function maskBadPositions(frame: RowFrame, target: Target, channelCount: number): void {
  for (let row = 0; row < frame.rowCount; row++) {
    const at = 3 * row;
    if ((frame.uvw[at]! + frame.uvw[at + 1]! + frame.uvw[at + 2]!) * 0 === 0) continue;
    frame.uvw.fill(0, at, at + 3);
    target.vis.fill(0, 2 * row * channelCount, 2 * (row + 1) * channelCount);
    target.weight.fill(0, row * channelCount, (row + 1) * channelCount);
    target.mask.fill(0, row * channelCount, (row + 1) * channelCount);
  }
}

/** Bytes of a chunk's arrays. */
export function chunkSize(rowCount: number, channelCount: number): number {
  const aSample = 2 * 4 + 4 + 1;
  const aRow = 3 * 8 + 8 + 4 + 4;
  return rowCount * (channelCount * aSample + aRow) + channelCount * 8;
}

/**
 * Reads a chunk. Its arrays are new, shared among threads, and belong to the caller. Memory beyond the chunk
 * is bounded by `limits.pieceBytes` (or by one row, if that is larger) and a few numbers a row.
 */
export async function readPlannedChunk(
  main: Table,
  plan: ChunkPlan,
  signal?: AbortSignal,
): Promise<VisibilityChunk> {
  signal?.throwIfAborted();
  const [start, end] = plan.channels;
  const channelCount = end - start;
  const freq = sharedFloat64(channelCount);
  freq.set(plan.freq.subarray(start, end));
  const frame = await readRowFrame(main, plan.rows);
  const samples = frame.rowCount * channelCount;
  const target = {
    vis: sharedFloat32(2 * samples),
    weight: sharedFloat32(samples),
    mask: sharedUint8(samples),
  };
  if (samples > 0) {
    const columns = await chooseColumns(main, plan);
    const valueBytes = columns.data.type === 'dcomplex' ? 16 : 8;
    const rowBytes = channelCount * correlationSlice(plan.recipe).count * (valueBytes + 4 + 1);
    const step = Math.max(1, Math.floor(limits.pieceBytes / rowBytes));
    for (let from = 0; from < plan.rows.length; from += step) {
      signal?.throwIfAborted();
      await readPiece({ plan, columns, frame, target }, from, Math.min(from + step, plan.rows.length));
    }
    maskBadPositions(frame, target, channelCount);
  }
  const { uvw, time, antenna1, antenna2 } = frame;
  const { recipe, phaseCentre } = plan;
  return { uvw, freq, ...target, time, antenna1, antenna2, stokes: recipe.stokes, phaseCentre };
}
