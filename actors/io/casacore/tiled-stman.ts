/**
 * Owns TiledColumnStMan, TiledShapeStMan, TiledCellStMan and TiledDataStMan: which cube and position has a
 * row's cell, and the filling of a block from tiles. Bytes that are contiguous in file and block are read
 * straight into the block; others are gathered from tiles. Must not know: how a tile is read (tile-file.ts).
 */
import { AipsReader } from './aips-io.ts';
import type { CellCut } from './cell-cut.ts';
import { sameShape, toHostOrder, valueCount, widthOf } from './data-type.ts';
import { limits } from './limits.ts';
import type { RowRun, RowRuns } from './row-runs.ts';
import type { CellShape, ColumnReader, Fill, ManagerContext, StorageManager } from './storage-manager.ts';
import { damaged, raggedColumn, undefinedCell } from './table-errors.ts';
import { TileFile } from './tile-file.ts';
import { gatherTiles } from './tile-gather.ts';
import { type Cube, type RowMap, readTiledHeader, type TiledHeader } from './tiled-header.ts';

/** Consecutive rows in one cube; `cube` is -1 where the rows have no values. */
interface Segment {
  readonly cube: number;
  /** Position of the first row on the cube's last axis; 0 in a TiledCellStMan, where the cell is the cube. */
  readonly position: number;
  readonly row: number;
  readonly at: number;
  readonly count: number;
}

class TiledStMan implements StorageManager {
  readonly #context: ManagerContext;
  readonly #header: TiledHeader;
  readonly headerPath: string;
  readonly #files = new Map<string, Promise<TileFile>>();

  constructor(context: ManagerContext, header: TiledHeader, headerPath: string) {
    this.#context = context;
    this.#header = header;
    this.headerPath = headerPath;
  }

  column(index: number): ColumnReader {
    const { manager } = this.#context;
    return new TiledColumn(this, index, manager.columns[index].isArray);
  }

  get littleEndian(): boolean {
    return this.#context.littleEndian;
  }

  cube(index: number): Cube {
    return this.#header.cubes[index];
  }

  /** Whether a cube holds many rows, along its last axis. */
  get hasRowAxis(): boolean {
    return this.#header.kind !== 'TiledCellStMan';
  }

  /** The tiles of one column in one cube. */
  tiles(cubeIndex: number, column: number): Promise<TileFile> {
    // A TiledCellStMan has as many cubes as rows: their tiles are not worth remembering.
    if (!this.hasRowAxis) return this.#openTiles(cubeIndex, column);
    const key = `${cubeIndex}.${column}`;
    let file = this.#files.get(key);
    if (file === undefined) {
      file = this.#openTiles(cubeIndex, column);
      this.#files.set(key, file);
    }
    return file;
  }

  async #openTiles(cubeIndex: number, column: number): Promise<TileFile> {
    const { files, manager, tiles, littleEndian } = this.#context;
    const { types } = this.#header;
    const cube = this.cube(cubeIndex);
    const source = await files.open(`table.f${manager.sequence}_TSM${cube.file}`);
    return new TileFile(source, { cube, types, column, littleEndian, tiles });
  }

  /** Cuts a selection into segments. */
  *segments(rows: RowRuns): Generator<Segment> {
    for (const run of rows.runs) {
      if (this.#header.kind === 'TiledColumnStMan')
        yield this.#checked({ cube: 0, position: run.row, ...run });
      else if (this.#header.rowMap === undefined)
        for (let i = 0; i < run.count; i++)
          yield this.#checked({ cube: run.row + i, position: 0, row: run.row + i, at: run.at + i, count: 1 });
      else for (const segment of mappedSegments(this.#header.rowMap, run)) yield this.#checked(segment);
    }
  }

  /** Makes sure that the cube exists and reaches to the rows; an empty cube stands for undefined cells. */
  #checked(segment: Segment): Segment {
    if (segment.cube === -1) return segment;
    const cube = this.#header.cubes.at(segment.cube);
    if (cube === undefined) {
      // A TiledCellStMan need not have cubes for rows added last.
      if (!this.hasRowAxis) return { ...segment, cube: -1 };
      throw damaged(
        this.headerPath,
        0,
        `row ${segment.row} is in hypercube ${segment.cube}, which is missing`,
      );
    }
    if (cube.file < 0) return { ...segment, cube: -1 };
    if (this.hasRowAxis && segment.position + segment.count > cube.shape[cube.shape.length - 1])
      throw damaged(this.headerPath, 0, `row ${segment.row} is beyond hypercube ${segment.cube}`);
    return segment;
  }
}

/** The segments of a run of rows by a row map. Rows beyond the map have no values. */
function* mappedSegments(map: RowMap, run: RowRun): Generator<Segment> {
  const { rows, cube, position } = map;
  let k = 0;
  for (let high = rows.length; k < high; ) {
    const middle = (k + high) >> 1;
    if (map.by === 'last' ? rows[middle] < run.row : rows[middle] <= run.row) k = middle + 1;
    else high = middle;
  }
  if (map.by === 'first') k -= 1;
  for (let done = 0; done < run.count; k++) {
    const row = run.row + done;
    const at = run.at + done;
    const rest = run.count - done;
    if (k < 0 || k >= rows.length) {
      yield { cube: -1, position: 0, row, at, count: rest };
      return;
    }
    const end = map.by === 'last' ? rows[k] + 1 : (rows[k + 1] ?? Number.POSITIVE_INFINITY);
    const count = Math.min(rest, end - row);
    const start = position[k] + row - rows[k];
    yield start < 0
      ? { cube: -1, position: 0, row, at, count }
      : { cube: cube[k], position: start, row, at, count };
    done += count;
  }
}

/** Opens table.fN of a tiled storage manager. */
export async function openTiledStMan(context: ManagerContext): Promise<StorageManager> {
  const { manager, files } = context;
  const source = await files.open(`table.f${manager.sequence}`);
  if (source.size > limits.headerBytes) throw damaged(source.path, 0, `a header of ${source.size} bytes`);
  const bytes = await source.bytes(0, source.size, 'the header');
  const header = readTiledHeader(new AipsReader({ bytes, file: source.path }));
  manager.columns.forEach(({ name, type }, i) => {
    if (header.types[i] !== type)
      throw damaged(source.path, 0, `column ${name} of type ${type} in tiles of type ${header.types[i]}`);
  });
  if (header.kind === 'TiledColumnStMan' && header.cubes.length === 0)
    throw damaged(source.path, 0, 'a tiled column without a hypercube');
  return new TiledStMan(context, header, source.path);
}

class TiledColumn implements ColumnReader {
  readonly #manager: TiledStMan;
  readonly #index: number;
  readonly #isArray: boolean;

  constructor(manager: TiledStMan, index: number, isArray: boolean) {
    this.#manager = manager;
    this.#index = index;
    this.#isArray = isArray;
  }

  #cellShape(cube: number): CellShape {
    const { shape } = this.#manager.cube(cube);
    if (!this.#isArray) return [];
    return this.#manager.hasRowAxis ? shape.slice(0, -1) : shape;
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    const shapes = new Array<CellShape | undefined>(rows.count);
    for (const { cube, at, count } of this.#manager.segments(rows))
      shapes.fill(cube < 0 ? undefined : this.#cellShape(cube), at, at + count);
    return shapes;
  }

  async fill(request: Fill): Promise<void> {
    const { cut } = request;
    const segments = [...this.#manager.segments(request.rows)];
    for (const { cube, row, position, count } of segments) {
      if (cube < 0) throw undefinedCell(row);
      const shape = this.#cellShape(cube);
      if (!sameShape(shape, cut.shape)) throw raggedColumn(cut.shape, shape, row);
      const tiles = await this.#manager.tiles(cube, this.#index);
      tiles.checkReach(this.#manager.hasRowAxis ? position + count : undefined, row);
    }
    if (cut.keptValues === 0) return;
    for (const segment of segments) {
      const tiles = await this.#manager.tiles(segment.cube, this.#index);
      if (!(await this.#fillDirectly(request, segment, tiles))) await this.#gather(request, segment, tiles);
    }
  }

  /** Reads contiguous cells straight into the block; false where the tiles do not allow it. */
  async #fillDirectly({ cut, buffer }: Fill, segment: Segment, tiles: TileFile): Promise<boolean> {
    const { shape, tile } = this.#manager.cube(segment.cube);
    if (!cut.isWhole || buffer.type === 'bool' || !this.#manager.hasRowAxis) return false;
    const rowAxis = shape.length - 1;
    for (let axis = 0; axis < rowAxis; axis++) if (tile[axis] !== shape[axis]) return false;
    const cellBytes = cut.cellValues * widthOf(buffer.type);
    const perTile = tile[rowAxis];
    // Tiles of a single column follow each other without a gap: all rows are one piece.
    const longest = tiles.isAlone ? segment.count : perTile;
    if (Math.min(segment.count, longest) * cellBytes < limits.directReadBytes) return false;
    for (let done = 0; done < segment.count; ) {
      const position = segment.position + done;
      const count = Math.min(
        segment.count - done,
        tiles.isAlone ? segment.count : perTile - (position % perTile),
      );
      const from = (segment.at + done) * cellBytes;
      const target = buffer.bytes.subarray(from, from + count * cellBytes);
      const tileNumber = Math.floor(position / perTile);
      await tiles.readValues(target, tileNumber, (position % perTile) * cut.cellValues);
      toHostOrder(buffer.type, target, this.#manager.littleEndian);
      done += count;
    }
    return true;
  }

  /** Copies the wanted box of cells and rows out of every tile that it touches. */
  #gather({ cut, buffer }: Fill, segment: Segment, tiles: TileFile): Promise<void> {
    return gatherTiles({
      ...{ cube: this.#manager.cube(segment.cube), tiles, ...this.#boxOf(cut, segment) },
      ...{ width: widthOf(buffer.type), target: buffer.bytes, targetStart: segment.at * cut.keptValues },
    });
  }

  /** The part of the cube that is wanted: the cut of the cell axes, and the rows. */
  #boxOf(cut: CellCut, segment: Segment): { starts: number[]; counts: number[] } {
    const { shape } = this.#manager.cube(segment.cube);
    const starts = this.#isArray ? [...cut.starts] : shape.slice(0, -1).map(() => 0);
    const counts = this.#isArray ? [...cut.counts] : shape.slice(0, -1);
    if (this.#manager.hasRowAxis) {
      starts.push(segment.position);
      counts.push(segment.count);
    }
    if (!this.#isArray && valueCount(counts) !== segment.count)
      throw damaged(this.#manager.headerPath, 0, 'a scalar in a hypercube with cell axes');
    return { starts, counts };
  }
}
