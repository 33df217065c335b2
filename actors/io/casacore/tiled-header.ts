/**
 * Owns the headers of the tiled storage managers: their cubes, tiles and maps from rows to cubes. They are
 * big-endian in every table. Must not know: how tiles are read.
 */
import type { AipsReader } from './aips-io.ts';
import { storedBytes, typeOfCode, valueCount } from './data-type.ts';
import { limits } from './limits.ts';
import type { DataType } from './table.ts';
import { readRecord } from './table-record.ts';

/**
 * An array of tiles in a file. Axes are fastest first; the last one runs over rows except in a
 * TiledCellStMan.
 */
export interface Cube {
  readonly shape: readonly number[];
  readonly tile: readonly number[];
  /** The number in `table.fN_TSM<k>`, or -1 where nothing has been written. */
  readonly file: number;
  readonly offset: number;
}

/** Rows of a TiledShapeStMan or TiledDataStMan by intervals. */
export interface RowMap {
  /** By last row of the interval, or (TiledDataStMan) by its first. */
  readonly by: 'last' | 'first';
  readonly rows: Float64Array;
  readonly cube: Float64Array;
  readonly position: Float64Array;
}

export interface TiledHeader {
  readonly kind: string;
  /** Types of the columns, which share the tiles: each tile has those of the first column, then the next. */
  readonly types: readonly DataType[];
  readonly cubes: readonly Cube[];
  readonly rowMap: RowMap | undefined;
}

/** A hypercube costs at least this many bytes in a header. */
const CUBE_BYTES = 60;

export function readTiledHeader(reader: AipsReader): TiledHeader {
  const frame = reader.open('TiledColumnStMan', 'TiledShapeStMan', 'TiledCellStMan', 'TiledDataStMan');
  const kind = frame.type;
  if (kind === 'TiledColumnStMan' || kind === 'TiledCellStMan') reader.shape(); // Default tile shape.
  const { types, cubes } = readCubes(reader);
  let rowMap: RowMap | undefined;
  if (kind === 'TiledShapeStMan') {
    reader.shape();
    rowMap = readRowMap(reader, 'last', 4);
  } else if (kind === 'TiledDataStMan') {
    const wide = frame.version > 1;
    if (wide) reader.u64();
    else reader.u32();
    rowMap = readRowMap(reader, 'first', wide ? 8 : 4);
  }
  reader.close(frame);
  return { kind, types, cubes, rowMap };
}

function readCubes(reader: AipsReader): { types: DataType[]; cubes: Cube[] } {
  const frame = reader.open('TiledStMan');
  if (frame.version >= 2) reader.bool();
  const count = frame.version >= 3 ? () => reader.u64() : () => reader.u32();
  reader.u32();
  count(); // Rows: the table knows better.
  const columnCount = reader.count(4, 'columns');
  const types: DataType[] = [];
  for (let i = 0; i < columnCount; i++) types.push(readType(reader));
  reader.string();
  count(); // Cache size.
  reader.u32(); // Axes.
  const fileCount = reader.count(1, 'tile files', count());
  for (let i = 0; i < fileCount; i++) {
    if (!reader.bool()) continue;
    const version = reader.u32();
    reader.u32();
    if (version > 1) reader.u64();
    else reader.u32();
  }
  const cubeCount = reader.count(CUBE_BYTES, 'hypercubes', count());
  const cubes: Cube[] = [];
  for (let i = 0; i < cubeCount; i++) cubes.push(readCube(reader, types));
  reader.close(frame);
  return { types, cubes };
}

function readType(reader: AipsReader): DataType {
  const code = reader.i32();
  const kind = typeOfCode(code);
  if (kind === undefined || kind.type === 'table' || kind.type === 'string' || kind.type === 'record')
    throw reader.damaged(`tiles of the type ${code}`);
  return kind.type;
}

function readCube(reader: AipsReader, types: readonly DataType[]): Cube {
  const version = reader.u32();
  readRecord(reader, (name) => name); // Coordinates and ids, which nobody uses.
  reader.bool();
  reader.u32();
  const shape = reader.shape();
  const tile = reader.shape();
  const file = reader.i32();
  const offset = version > 1 ? reader.u64() : reader.u32();
  if (shape.length === 0 || file < 0) return { shape: [], tile: [], file: -1, offset: 0 };
  const values = valueCount(tile);
  const bytes = types.reduce((sum, type) => sum + storedBytes(type, values), 0);
  if (tile.length !== shape.length || values === 0 || !(bytes <= limits.readBytes))
    throw reader.damaged(`a hypercube of shape [${shape}] in tiles of [${tile}]`);
  return { shape, tile, file, offset };
}

function readRowMap(reader: AipsReader, by: RowMap['by'], width: 4 | 8): RowMap {
  const used = by === 'last' ? reader.u32() : undefined;
  const rows = reader.block(width);
  const cube = reader.block(4);
  const position = reader.block(width);
  const count = used ?? rows.length;
  if (count > rows.length || count > cube.length || count > position.length)
    throw reader.damaged(`a row map of ${count} intervals`);
  for (let k = 1; k < count; k++)
    if (rows[k] <= rows[k - 1]) throw reader.damaged('a row map whose rows do not ascend');
  return {
    by,
    rows: rows.subarray(0, count),
    cube: cube.subarray(0, count),
    position: position.subarray(0, count),
  };
}
