/**
 * Owns the writing of TiledColumnStMan and TiledShapeStMan files: one column a manager, whole cells in a
 * tile, so that a tile is a run of rows. Tile data are little-endian. Must not know: keywords, other
 * managers.
 */
import { assert } from '../../../runtime/index.ts';
import { AipsWriter } from './aips-io-writer.ts';
import {
  bytesOf,
  type CellRun,
  type ColumnToWrite,
  cellLength,
  packBits,
  typeFacts,
} from './column-to-write.ts';

/** Bytes a tile aims at: a fraction of a second of visibilities, a fraction of a chunk. */
const tileBytes = 128 << 10;

/** Cells of one shape: one hypercube in one file. */
interface Cube {
  readonly shape: readonly number[];
  readonly runs: CellRun[];
  rowCount: number;
}

/** Successive rows in one cube; rows and positions are of the last one. */
interface Interval {
  readonly cube: number;
  readonly lastRow: number;
  readonly lastPosition: number;
}

/** What a table description needs to know of the files. */
export interface TiledStorage {
  /** The contents of table.fN. */
  readonly header: Uint8Array;
  /** The contents of table.fN_TSM<k>, by k. */
  readonly cubes: ReadonlyMap<number, Uint8Array>;
}

/** Rows a tile holds: a multiple of 8, so that tiles of bools end at whole bytes. */
function tileRows(cellBits: number, rowCount: number): number {
  const wanted = Math.max(8, Math.floor((tileBytes * 8) / Math.max(1, cellBits) / 8) * 8);
  return Math.min(wanted, Math.max(8, Math.ceil(rowCount / 8) * 8));
}

interface CubeFile {
  readonly bytes: Uint8Array;
  readonly tileShape: readonly number[];
}

function cubeFile({ type }: ColumnToWrite, { shape, runs, rowCount }: Cube): CubeFile {
  const cellBits = typeFacts[type].bits * cellLength(shape);
  const rows = tileRows(cellBits, rowCount);
  const tiles = Math.ceil(rowCount / rows);
  const bytes = new Uint8Array((tiles * rows * cellBits) / 8);
  let row = 0;
  for (const run of runs) {
    if (type === 'bool') packBits(run.values, bytes, row * cellBits);
    else bytes.set(bytesOf(run.values), (row * cellBits) / 8);
    row += run.rowCount;
  }
  return { bytes, tileShape: [...shape, rows] };
}

/** Sorts runs into hypercubes by shape. */
function cubesOf(runs: readonly CellRun[]): { readonly cubes: Cube[]; readonly intervals: Interval[] } {
  const cubes: Cube[] = [];
  const intervals: Interval[] = [];
  let row = 0;
  for (const run of runs) {
    if (run.rowCount === 0) continue;
    const { shape } = run;
    assert(shape !== undefined, 'cells of tiled columns have values');
    let at = cubes.findIndex((cube) => cube.shape.join() === shape.join());
    if (at < 0) at = cubes.push({ shape, runs: [], rowCount: 0 }) - 1;
    const cube = cubes[at]!;
    cube.runs.push(run);
    cube.rowCount += run.rowCount;
    row += run.rowCount;
    if (intervals.at(-1)?.cube === at + 1) intervals.pop();
    intervals.push({ cube: at + 1, lastRow: row - 1, lastPosition: cube.rowCount - 1 });
  }
  return { cubes, intervals };
}

interface CubeEntry {
  /** Without the rows; empty for the cube of undefined cells. */
  readonly shape: readonly number[];
  readonly rowCount: number;
  readonly tileShape: readonly number[];
  readonly fileBytes: number;
}

interface TiledHeader {
  readonly column: ColumnToWrite;
  readonly sequence: number;
  readonly rowCount: number;
  readonly entries: readonly CubeEntry[];
}

/** The part of the header that all tiled managers share. Entry k lies in file k; an empty entry in none. */
function writeTiledStMan(writer: AipsWriter, { column, sequence, rowCount, entries }: TiledHeader): void {
  writer.object('TiledStMan', 2, () => {
    writer.bool(false);
    writer.uint(sequence);
    writer.uint(rowCount);
    writer.uint(1);
    writer.int(typeFacts[column.type].code);
    writer.string(`Tiled${column.name}`);
    writer.uint(0);
    writer.uint(entries.at(-1)!.shape.length + 1);
    writer.uint(entries.length);
    entries.forEach(({ fileBytes, tileShape }, k) => {
      writer.bool(tileShape.length > 0);
      if (tileShape.length === 0) return;
      for (const value of [1, k, fileBytes]) writer.uint(value);
    });
    writer.uint(entries.length);
    entries.forEach(({ shape, tileShape, rowCount: cubeRows }, k) => {
      const present = tileShape.length > 0;
      writer.uint(1);
      writer.record({}, 'Record');
      writer.bool(present);
      writer.uint(tileShape.length);
      writer.position(present ? [...shape, cubeRows] : []);
      writer.position(tileShape);
      writer.int(present ? k : -1);
      writer.uint(0);
    });
  });
}

/** Makes the files of the manager that holds a tiled column. */
export function tiledStorage(column: ColumnToWrite, sequence: number, rowCount: number): TiledStorage {
  const { cells } = column;
  assert(cells.layout !== 'scalar' && column.type !== 'string', 'arrays of numbers are tiled');
  const fixed = cells.layout === 'fixed';
  const runs = fixed ? [{ rowCount, shape: cells.shape, values: cells.values }] : cells.runs;
  const { cubes, intervals } = cubesOf(runs);
  const files = cubes.map((cube) => cubeFile(column, cube));
  const entries = cubes.map(
    ({ shape, rowCount: cubeRows }, k): CubeEntry => ({
      shape,
      rowCount: cubeRows,
      tileShape: files[k]!.tileShape,
      fileBytes: files[k]!.bytes.length,
    }),
  );
  const writer = new AipsWriter();
  const defaultTile = files[0]?.tileShape ?? [];
  if (fixed) {
    writer.object(
      'TiledColumnStMan',
      1,
      () => {
        writer.position(defaultTile);
        writeTiledStMan(writer, { column, sequence, rowCount, entries });
      },
      true,
    );
    return { header: writer.bytes, cubes: new Map(files.map(({ bytes }, k) => [k, bytes])) };
  }
  // Cube 0 is where undefined cells would be.
  const undefinedCells = { shape: [], rowCount: 0, tileShape: [], fileBytes: 0 };
  writer.object(
    'TiledShapeStMan',
    1,
    () => {
      writeTiledStMan(writer, { column, sequence, rowCount, entries: [undefinedCells, ...entries] });
      writer.position(defaultTile);
      writer.uint(intervals.length);
      writer.block(intervals.map(({ lastRow }) => lastRow));
      writer.block(intervals.map(({ cube }) => cube));
      writer.block(intervals.map(({ lastPosition }) => lastPosition));
    },
    true,
  );
  return { header: writer.bytes, cubes: new Map(files.map(({ bytes }, k) => [k + 1, bytes])) };
}
