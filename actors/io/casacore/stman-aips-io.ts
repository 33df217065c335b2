/**
 * Owns StManAipsIO, the oldest storage manager: all columns one after the other in one AipsIO file. Since a
 * column can't be entered in its middle, it is decoded whole at its first use, which suits the small
 * tables of its time. The file is big-endian in every table. Must not know: other storage managers.
 */
import { AipsReader } from './aips-io.ts';
import { ArrayFile, IndirectColumn, keptIndexes } from './array-file.ts';
import { placeCells } from './cell-placing.ts';
import { CellBuffer, valueCount, widthOf } from './data-type.ts';
import { limits } from './limits.ts';
import type { RowRuns } from './row-runs.ts';
import type { CellShape, ColumnReader, Fill, ManagerContext, StorageManager } from './storage-manager.ts';
import type { ColumnDescription } from './table-description.ts';
import { damaged } from './table-errors.ts';
import { readPacked } from './table-record.ts';

/** Stands for an offset that is too large for 32 bits and follows in 64. */
const LONG_OFFSET = 2 ** 31 + 1;

/** Opens table.fN of a StManAipsIO. */
export async function openStManAipsIO(context: ManagerContext): Promise<StorageManager> {
  const { manager, files, rowCount } = context;
  const source = await files.open(`table.f${manager.sequence}`);
  if (source.size > limits.headerBytes) throw damaged(source.path, 0, `${source.size} bytes of StManAipsIO`);
  const bytes = await source.bytes(0, source.size);
  const reader = new AipsReader({ bytes, file: source.path });
  const frame = reader.open('StManAipsIO');
  if (frame.version > 1) reader.string();
  reader.u32();
  reader.u32();
  const rows = reader.u32();
  const columns = reader.u32();
  if (rows !== rowCount || columns !== manager.columns.length)
    throw reader.damaged(`${rows} rows of ${columns} columns, not ${rowCount} of ${manager.columns.length}`);
  for (let i = 0; i < columns; i++) reader.i32();
  const starts: number[] = [];
  for (let i = 0; i < columns; i++) {
    starts.push(reader.position);
    reader.position = reader.open(...COLUMN_OBJECTS).end;
  }
  return {
    column(index) {
      const at = new AipsReader({ bytes, file: source.path });
      at.position = starts[index];
      const description = manager.columns[index];
      return description.isDirect
        ? new DecodedColumn(at, description, rowCount)
        : indirectColumn(context, at, description);
    },
  };
}

const COLUMN_OBJECTS = ['StManColumnAipsIO', 'StManColumnArrayAipsIO', 'StManColumnIndArrayAipsIO'];

/** Calls `visit` for each extent of a column's rows. */
function eachExtent(
  reader: AipsReader,
  rowCount: number,
  visit: (firstRow: number, count: number, version: number) => void,
): void {
  const frame = reader.open('StManColumnAipsIO');
  const rows = reader.u32();
  if (rows !== rowCount) throw reader.damaged(`a column of ${rows} rows, not ${rowCount}`);
  for (let done = 0; done < rows; ) {
    const count = reader.u32() || rows - done;
    if (count > rows - done) throw reader.damaged(`an extent of ${count} rows`);
    visit(done, count, frame.version);
    done += count;
  }
  reader.close(frame);
}

/** Scalars and arrays of fixed shape, decoded once and kept. */
class DecodedColumn implements ColumnReader {
  readonly #reader: AipsReader;
  readonly #description: ColumnDescription;
  readonly #rowCount: number;
  readonly #shape: CellShape;
  #decoded: CellBuffer | undefined;

  constructor(reader: AipsReader, description: ColumnDescription, rowCount: number) {
    this.#reader = reader;
    this.#description = description;
    this.#rowCount = rowCount;
    this.#shape = description.fixedShape ?? [];
  }

  #decode(): CellBuffer {
    this.#decoded ??= this.#description.isArray ? this.#decodeArrays() : this.#decodeScalars();
    return this.#decoded;
  }

  #decodeScalars(): CellBuffer {
    const { type } = this.#description;
    const buffer = new CellBuffer(type, this.#rowCount);
    eachExtent(this.#reader, this.#rowCount, (firstRow, count) => {
      this.#reader.u32(); // The count again.
      buffer.setValues(firstRow, readPacked(this.#reader, type, count));
    });
    return buffer;
  }

  #decodeArrays(): CellBuffer {
    const { type } = this.#description;
    const reader = this.#reader;
    const perCell = valueCount(this.#shape);
    const least = type === 'bool' ? Math.ceil(perCell / 8) : perCell * widthOf(type);
    reader.count(least, 'cells', this.#rowCount);
    const buffer = new CellBuffer(type, this.#rowCount * perCell);
    const frame = reader.open('StManColumnArrayAipsIO');
    if (frame.version === 1) {
      reader.u32();
      reader.shape();
      reader.u32();
    }
    eachExtent(reader, this.#rowCount, (firstRow, count, version) => {
      if (version > 1) reader.u32(); // The number of values in the extent.
      for (let row = firstRow; row < firstRow + count; row++) {
        if (version === 1) reader.u32();
        buffer.setValues(row * perCell, readPacked(reader, type, perCell));
      }
    });
    reader.close(frame);
    return buffer;
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    this.#decode();
    return new Array<CellShape>(rows.count).fill(this.#shape);
  }

  async fill(request: Fill): Promise<void> {
    const { cut, buffer, rows } = request;
    const decoded = this.#decode();
    const width = widthOf(buffer.type);
    for (const { row, count, at } of rows.runs) {
      if (buffer.type !== 'string') {
        const stored = decoded.bytes.subarray(
          row * cut.cellValues * width,
          (row + count) * cut.cellValues * width,
        );
        placeCells(request, { at, count, stored });
        continue;
      }
      let to = at * cut.keptValues;
      for (let cell = row; cell < row + count; cell++)
        for (const index of keptIndexes(cut.shape, cut.starts, cut.counts))
          buffer.setValues(to++, decoded.slice(cell * cut.cellValues + index, 1));
    }
  }
}

/** Arrays of any shape, in a file of arrays. */
function indirectColumn(
  { manager, files, rowCount }: ManagerContext,
  reader: AipsReader,
  { type }: ColumnDescription,
): ColumnReader {
  let name = `table.f${manager.sequence}i`;
  let offsets: Float64Array | undefined;
  const decode = () => {
    const frame = reader.open('StManColumnIndArrayAipsIO');
    reader.i32();
    const sequence = reader.u32();
    // The first version had a file for each column.
    if (frame.version === 1) name += sequence;
    reader.count(4, 'rows', rowCount);
    const decoded = new Float64Array(rowCount);
    eachExtent(reader, rowCount, (firstRow, count) => {
      for (let row = firstRow; row < firstRow + count; row++) {
        const offset = reader.u32();
        decoded[row] = offset === LONG_OFFSET ? reader.u64() : offset;
      }
    });
    reader.close(frame);
    return decoded;
  };
  return new IndirectColumn(
    type,
    async (rows) => {
      offsets ??= decode();
      const selected = new Float64Array(rows.count);
      for (const { row, count, at } of rows.runs) selected.set(offsets.subarray(row, row + count), at);
      return selected;
    },
    async () => ArrayFile.open(await files.open(name), false),
  );
}
