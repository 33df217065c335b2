/**
 * Owns the writing of a new Measurement Set (version 2) from an observation in memory: the main table, and
 * the twelve subtables that the standard requires. Made for small sets: simulations, demonstrations, tests.
 * Must not know: how the visibilities were made, storage managers.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AsperitasError, assert, isAsperitasError } from '../../../runtime/index.ts';
import type { KeywordToWrite } from '../casacore/aips-io-writer.ts';
import type { CellRun, ColumnToWrite } from '../casacore/column-to-write.ts';
import { type TableToWrite, writeTable } from '../casacore/write-table.ts';
import { writeFailure } from '../write-atomically.ts';
import { arrays, numbers, times, units, utc, uvwMetres } from './new-columns.ts';
import type { ObservationBlock, ObservationToWrite } from './observation.ts';
import { smallSubtables } from './write-small-subtables.ts';
import { mainSubtables } from './write-subtables.ts';

/** Stops the program where a block's arrays don't fit one another. */
function checkBlock(block: ObservationBlock, { bands, fields, antennas }: ObservationToWrite): void {
  const band = bands[block.dataDescriptionId];
  assert(band !== undefined && fields[block.fieldId] !== undefined, 'a block has a band and a field');
  const rows = block.antenna1.length;
  const samples = rows * band.freq.length * band.correlations.length;
  const fits =
    block.antenna2.length === rows &&
    (block.flagRow ?? block.antenna1).length === rows &&
    block.uvw.length === 3 * rows &&
    block.data.length === 2 * samples &&
    block.flag.length === samples &&
    block.weight.length === samples;
  assert(fits, 'the arrays of a block have one number of rows, channels and correlations');
  const known = (id: number) => antennas[id] !== undefined;
  assert(block.antenna1.every(known) && block.antenna2.every(known), 'a block has known antennas');
}

/** `[row, corr]` means over channels, which is what WEIGHT is beside WEIGHT_SPECTRUM. */
function meanWeights(weight: Float32Array, channels: number, correlations: number): Float32Array {
  const rows = channels * correlations === 0 ? 0 : weight.length / (channels * correlations);
  const means = new Float32Array(rows * correlations);
  for (let row = 0; row < rows; row++) {
    for (let corr = 0; corr < correlations; corr++) {
      let sum = 0;
      for (let chan = 0; chan < channels; chan++)
        sum += weight[(row * channels + chan) * correlations + corr]!;
      means[row * correlations + corr] = sum / channels;
    }
  }
  return means;
}

/** FLAG_ROW: as given, else 1 where all samples of a row are flagged. */
function flaggedRows({ flag, flagRow, antenna1 }: ObservationBlock): ArrayLike<number> {
  if (flagRow !== undefined) return flagRow;
  const perRow = flag.length / Math.max(1, antenna1.length);
  return Array.from(antenna1, (_, row) => {
    const samples = flag.subarray(row * perRow, (row + 1) * perRow);
    return samples.every((flagged) => flagged !== 0) ? 1 : 0;
  });
}

function joined(
  blocks: readonly ObservationBlock[],
  of: (block: ObservationBlock) => ArrayLike<number>,
): number[] {
  return blocks.flatMap((block) => Array.from(of(block)));
}

/** The columns with one value a row. */
function scalarColumns(blocks: readonly ObservationBlock[]): readonly ColumnToWrite[] {
  const each = (of: (block: ObservationBlock) => number) =>
    joined(blocks, (block) => times(block.antenna1.length, of(block)));
  const zeros = each(() => 0);
  const time = each(({ timeMjdSeconds }) => timeMjdSeconds);
  const interval = each(({ intervalSeconds }) => intervalSeconds);
  return [
    numbers(
      'ANTENNA1',
      'int',
      joined(blocks, ({ antenna1 }) => antenna1),
    ),
    numbers(
      'ANTENNA2',
      'int',
      joined(blocks, ({ antenna2 }) => antenna2),
    ),
    numbers('ARRAY_ID', 'int', zeros),
    numbers(
      'DATA_DESC_ID',
      'int',
      each(({ dataDescriptionId }) => dataDescriptionId),
    ),
    numbers('EXPOSURE', 'double', interval, units('s')),
    numbers('FEED1', 'int', zeros),
    numbers('FEED2', 'int', zeros),
    numbers(
      'FIELD_ID',
      'int',
      each(({ fieldId }) => fieldId),
    ),
    numbers('FLAG_ROW', 'bool', joined(blocks, flaggedRows)),
    numbers('INTERVAL', 'double', interval, units('s')),
    numbers('OBSERVATION_ID', 'int', zeros),
    numbers('PROCESSOR_ID', 'int', zeros),
    numbers(
      'SCAN_NUMBER',
      'int',
      each(({ scanNumber }) => scanNumber),
    ),
    numbers('STATE_ID', 'int', zeros),
    numbers('TIME', 'double', time, utc),
    numbers('TIME_CENTROID', 'double', time, utc),
  ];
}

/** The columns of visibilities and what goes with each sample. */
function sampleColumns({ bands, blocks }: ObservationToWrite): readonly ColumnToWrite[] {
  const shapes = bands.map(({ freq, correlations }) => [correlations.length, freq.length]);
  const runs = (of: (block: ObservationBlock) => CellRun['values']): CellRun[] =>
    blocks.map((block) => ({
      rowCount: block.antenna1.length,
      shape: shapes[block.dataDescriptionId]!,
      values: of(block),
    }));
  const perRow = (of: (weights: Float32Array) => Float32Array): CellRun[] =>
    blocks.map(({ antenna1, dataDescriptionId, weight }) => {
      const [correlations, channels] = shapes[dataDescriptionId]!;
      const values = of(meanWeights(weight, channels!, correlations!));
      return { rowCount: antenna1.length, shape: [correlations!], values };
    });
  const sigma = (weights: Float32Array) => weights.map((weight) => (weight > 0 ? 1 / Math.sqrt(weight) : 0));
  const uvw = Float64Array.from(joined(blocks, (block) => block.uvw));
  const empty = [{ rowCount: blocks.reduce((rows, { antenna1 }) => rows + antenna1.length, 0), values: [] }];
  const matrix = { dimensions: 2, tiled: true } as const;
  const vector = { dimensions: 1, tiled: true } as const;
  return [
    {
      name: 'UVW',
      type: 'double',
      keywords: uvwMetres,
      cells: { layout: 'fixed', shape: [3], values: uvw, tiled: true },
    },
    arrays({ name: 'FLAG', type: 'bool', runs: runs(({ flag }) => flag), ...matrix }),
    arrays({
      name: 'FLAG_CATEGORY',
      type: 'bool',
      dimensions: 3,
      runs: empty,
      keywords: { CATEGORY: [] },
    }),
    arrays({ name: 'WEIGHT', type: 'float', runs: perRow((weights) => weights), ...vector }),
    arrays({ name: 'SIGMA', type: 'float', runs: perRow(sigma), ...vector }),
    arrays({
      name: 'DATA',
      type: 'complex',
      runs: runs(({ data }) => data),
      keywords: units('Jy'),
      ...matrix,
    }),
    arrays({ name: 'WEIGHT_SPECTRUM', type: 'float', runs: runs(({ weight }) => weight), ...matrix }),
  ];
}

function mainTable(observation: ObservationToWrite, subtables: readonly string[]): TableToWrite {
  const links = subtables.map((name): [string, KeywordToWrite] => [name, { subtable: name }]);
  return {
    rowCount: observation.blocks.reduce((rows, { antenna1 }) => rows + antenna1.length, 0),
    columns: [...sampleColumns(observation), ...scalarColumns(observation.blocks)],
    keywords: { MS_VERSION: { float: 2 }, ...Object.fromEntries(links) },
    info: { type: 'Measurement Set', subType: '', readme: 'This is a MeasurementSet Table' },
  };
}

/**
 * Writes an observation as a Measurement Set into a directory that must not exist yet. It appears under its
 * name when it is complete. Throws `already-exists`, `table-too-large`, `disk-full` or `cannot-write`.
 */
export async function writeMeasurementSet(path: string, observation: ObservationToWrite): Promise<void> {
  for (const block of observation.blocks) checkBlock(block, observation);
  const target = resolve(path);
  const taken = () =>
    new AsperitasError('already-exists', `${path}: exists already; remove it or choose another name`, {
      path,
    });
  if (existsSync(target)) throw taken();
  const subtables = { ...mainSubtables(observation), ...smallSubtables(observation) };
  let partial: string | undefined;
  try {
    await mkdir(dirname(target), { recursive: true });
    partial = await mkdtemp(`${target}.partial-`);
    const set = join(partial, 'set');
    await writeTable(set, mainTable(observation, Object.keys(subtables)));
    for (const [name, table] of Object.entries(subtables)) await writeTable(join(set, name), table);
    await rename(set, target);
  } catch (error) {
    if (existsSync(target)) throw taken();
    throw isAsperitasError(error) ? error : writeFailure(path, error);
  } finally {
    if (partial !== undefined) await rm(partial, { recursive: true, force: true });
  }
}
