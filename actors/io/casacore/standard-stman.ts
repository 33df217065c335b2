/**
 * Owns StandardStMan: buckets of rows, found through an index of row intervals, with a column's values
 * packed inside each bucket. Must not know: strings beyond eight characters (standard-strings.ts) and arrays
 * that are stored elsewhere (array-file.ts).
 */
import { AipsReader } from './aips-io.ts';
import { ArrayFile, type CellOffsets, IndirectColumn, viewOver } from './array-file.ts';
import type { PagedSource } from './byte-source.ts';
import { placeCells, unpacked } from './cell-placing.ts';
import { toHostOrder, valueCount, widthOf } from './data-type.ts';
import { limits } from './limits.ts';
import type { RowRuns } from './row-runs.ts';
import { BUCKETS_AT, type BucketColumn, type BucketRows } from './standard-buckets.ts';
import { FixedTextColumn, StandardStrings, TextArrayColumn, TextColumn } from './standard-strings.ts';
import type { CellShape, ColumnReader, Fill, ManagerContext, StorageManager } from './storage-manager.ts';
import type { DataType } from './table.ts';
import type { ColumnDescription } from './table-description.ts';
import { damaged } from './table-errors.ts';

/** Rows up to and including `lastRow[k]`, from the one after `lastRow[k - 1]`, are in bucket `bucket[k]`. */
interface RowIndex {
  readonly lastRow: Float64Array;
  readonly bucket: Float64Array;
}

interface Header {
  readonly bucketBytes: number;
  readonly bucketCount: number;
  readonly indexBuckets: number;
  readonly firstIndexBucket: number;
  readonly indexOffset: number;
  readonly indexBytes: number;
  readonly indexCount: number;
}

function readHeader(reader: AipsReader): Header {
  const frame = reader.open('StandardStMan');
  if (frame.version >= 3) reader.bool();
  const bucketBytes = reader.u32();
  const bucketCount = reader.u32();
  reader.u32(); // Cache size.
  reader.u32(); // Free buckets: never met, since only the index leads to buckets.
  reader.i32();
  const indexBuckets = reader.u32();
  const firstIndexBucket = reader.i32();
  const indexOffset = frame.version >= 2 ? reader.u32() : 0;
  reader.i32(); // Last string bucket.
  const indexBytes = reader.u32();
  const indexCount = reader.u32();
  if (bucketBytes < 16) throw reader.damaged(`buckets of ${bucketBytes} bytes`);
  return { bucketBytes, bucketCount, indexBuckets, firstIndexBucket, indexOffset, indexBytes, indexCount };
}

/** Joins the parts of the index from its chain of buckets. */
async function readIndexBytes(source: PagedSource, header: Header): Promise<Uint8Array> {
  const { bucketBytes, indexBuckets, indexOffset, indexBytes } = header;
  source.check(0, indexBytes, 'the row index');
  if (indexBuckets * 8 > source.size) throw damaged(source.path, 0, `an index of ${indexBuckets} buckets`);
  const joined = new Uint8Array(indexBytes);
  let bucket = header.firstIndexBucket;
  let done = 0;
  for (let i = 0; i < indexBuckets && done < indexBytes; i++) {
    const start = BUCKETS_AT + bucket * bucketBytes;
    // The links of the chain are big-endian in every table.
    const next = viewOver(await source.bytes(start, 8, 'an index bucket')).getInt32(4);
    const length = Math.min(indexBytes - done, bucketBytes - 8);
    const from = start + (indexOffset > 0 ? indexOffset : 8);
    joined.set(await source.bytes(from, length, 'an index bucket'), done);
    done += length;
    bucket = next;
  }
  if (done < indexBytes) throw damaged(source.path, BUCKETS_AT, `an index cut off after ${done} bytes`);
  return joined;
}

function readIndexes(reader: AipsReader, header: Header): RowIndex[] {
  const indexes: RowIndex[] = [];
  const count = reader.count(40, 'row indexes', header.indexCount);
  for (let i = 0; i < count; i++) {
    const frame = reader.open('SSMIndex');
    const used = reader.u32();
    reader.u32(); // Rows per bucket when new.
    reader.i32();
    const freeSpace = reader.open();
    reader.position = freeSpace.end;
    const lastRow = reader.block(frame.version === 1 ? 4 : 8);
    const bucket = reader.block(4);
    if (used > lastRow.length || used > bucket.length) throw reader.damaged(`an index of ${used} intervals`);
    for (let k = 1; k < used; k++)
      if (lastRow[k] <= lastRow[k - 1]) throw reader.damaged('an index whose rows do not ascend');
    indexes.push({ lastRow: lastRow.subarray(0, used), bucket: bucket.subarray(0, used) });
    reader.close(frame);
  }
  return indexes;
}

/** The first interval that ends at `row` or later. */
function findInterval(lastRow: Float64Array, row: number): number {
  let low = 0;
  let high = lastRow.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lastRow[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

class StandardStMan implements StorageManager {
  readonly #context: ManagerContext;
  readonly #source: PagedSource;
  readonly #header: Header;
  readonly #indexes: readonly RowIndex[];
  readonly #columnOffset: Float64Array;
  readonly #columnIndex: Float64Array;

  constructor(
    context: ManagerContext,
    parts: { source: PagedSource; header: Header; indexes: readonly RowIndex[] },
    places: { columnOffset: Float64Array; columnIndex: Float64Array },
  ) {
    this.#context = context;
    this.#source = parts.source;
    this.#header = parts.header;
    this.#indexes = parts.indexes;
    this.#columnOffset = places.columnOffset;
    this.#columnIndex = places.columnIndex;
  }

  column(index: number): ColumnReader {
    const { manager, littleEndian, files } = this.#context;
    const description = manager.columns[index];
    const place: BucketColumn = {
      source: this.#source,
      littleEndian,
      pieces: (rows, bits) => this.#pieces(index, rows, bits),
    };
    if (description.type === 'string') {
      const { bucketBytes, bucketCount } = this.#header;
      const strings = new StandardStrings(this.#source, bucketBytes, bucketCount);
      if (description.isArray) return new TextArrayColumn(place, strings, description.fixedShape);
      return description.maxLength > 0
        ? new FixedTextColumn(place, description.maxLength)
        : new TextColumn(place, strings);
    }
    if (description.isDirect) return new DirectColumn(place, description);
    const name = `table.f${manager.sequence}i`;
    return new IndirectColumn(description.type, cellOffsets(place), async () =>
      ArrayFile.open(await files.open(name), littleEndian),
    );
  }

  #pieces(column: number, rows: RowRuns, bits: number): BucketRows[] {
    const { bucketBytes } = this.#header;
    const offset = this.#columnOffset[column];
    const { lastRow, bucket } = this.#indexes[this.#columnIndex[column]];
    const pieces: BucketRows[] = [];
    for (const run of rows.runs) {
      let done = 0;
      for (let k = findInterval(lastRow, run.row); done < run.count; k++) {
        if (k >= lastRow.length)
          throw damaged(this.#source.path, BUCKETS_AT, `row ${run.row + done} is beyond the row index`);
        const row = run.row + done;
        const first = k === 0 ? 0 : lastRow[k - 1] + 1;
        const count = Math.min(run.count - done, lastRow[k] + 1 - row);
        const columnAt = BUCKETS_AT + bucket[k] * bucketBytes + offset;
        const rowInBucket = row - first;
        const usedBytes = Math.ceil(((rowInBucket + count) * bits) / 8);
        if (offset + usedBytes > bucketBytes)
          throw damaged(
            this.#source.path,
            columnAt,
            `rows ${row} to ${row + count - 1} overrun their bucket`,
          );
        this.#source.check(columnAt, usedBytes, `row ${row}`);
        pieces.push({ at: run.at + done, count, columnAt, rowInBucket });
        done += count;
      }
    }
    return pieces;
  }
}

/** Opens table.fN of a StandardStMan and reads its row index, once. */
export async function openStandardStMan(context: ManagerContext): Promise<StorageManager> {
  const { manager, files, littleEndian, table } = context;
  const blob = new AipsReader({ bytes: manager.blob, file: `${table}/table.dat`, base: manager.blobOffset });
  const frame = blob.open('SSM');
  blob.string();
  const columnOffset = blob.block(4);
  const columnIndex = blob.block(4);
  blob.close(frame);
  const source = await files.open(`table.f${manager.sequence}`);
  const head = await source.bytes(0, Math.min(BUCKETS_AT, source.size), 'the header');
  const header = readHeader(new AipsReader({ bytes: head, file: source.path, littleEndian }));
  const bytes = await readIndexBytes(source, header);
  const base = BUCKETS_AT + header.firstIndexBucket * header.bucketBytes;
  const indexes = readIndexes(new AipsReader({ bytes, file: source.path, base, littleEndian }), header);
  manager.columns.forEach((column, i) => {
    if (!(columnOffset[i] < header.bucketBytes && columnIndex[i] < indexes.length))
      throw damaged(
        `${table}/table.dat`,
        manager.blobOffset,
        `column ${column.name} has no place in its buckets`,
      );
  });
  return new StandardStMan(context, { source, header, indexes }, { columnOffset, columnIndex });
}

/** Offsets of indirect arrays: 64-bit numbers in the buckets. */
function cellOffsets(place: BucketColumn): CellOffsets {
  return async (rows) => {
    const offsets = new Float64Array(rows.count);
    for (const { at, count, columnAt, rowInBucket } of place.pieces(rows, 64)) {
      const from = columnAt + rowInBucket * 8;
      const { source } = place;
      const view = viewOver(source.view(from, count * 8) ?? (await source.bytes(from, count * 8)));
      for (let i = 0; i < count; i++) {
        const offset = Number(view.getBigInt64(i * 8, place.littleEndian));
        if (!(offset >= 0 && offset < Number.MAX_SAFE_INTEGER))
          throw damaged(source.path, from + i * 8, `an array at ${offset}`);
        offsets[at + i] = offset;
      }
    }
    return offsets;
  };
}

/** Numbers and flags inside the buckets: scalars and arrays of fixed shape. */
class DirectColumn implements ColumnReader {
  readonly #place: BucketColumn;
  readonly #type: DataType;
  readonly #shape: CellShape;

  constructor(place: BucketColumn, { type, fixedShape }: ColumnDescription) {
    this.#place = place;
    this.#type = type;
    this.#shape = fixedShape ?? [];
  }

  get #bits(): number {
    return valueCount(this.#shape) * (this.#type === 'bool' ? 1 : widthOf(this.#type) * 8);
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    this.#place.pieces(rows, this.#bits);
    return new Array<CellShape>(rows.count).fill(this.#shape);
  }

  async fill(request: Fill): Promise<void> {
    const { source, littleEndian } = this.#place;
    const bits = this.#bits;
    const cellValues = valueCount(this.#shape);
    for (const { at, count, columnAt, rowInBucket } of this.#place.pieces(request.rows, bits)) {
      const firstBit = rowInBucket * bits;
      const from = columnAt + Math.floor(firstBit / 8);
      const length = columnAt + Math.ceil((firstBit + count * bits) / 8) - from;
      const bytes =
        length <= limits.pageBytes
          ? (source.view(from, length) ?? (await source.bytes(from, length)))
          : await source.bytes(from, length);
      const stored = this.#type === 'bool' ? unpacked(bytes, firstBit & 7, count * cellValues) : bytes;
      placeCells(request, { at, count, stored });
    }
    if (this.#type !== 'bool') toHostOrder(this.#type, request.buffer.bytes, littleEndian);
  }
}
