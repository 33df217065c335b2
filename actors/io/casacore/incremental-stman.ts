/**
 * Owns IncrementalStMan, where a value is stored once for a run of rows: buckets of rows, each with its own
 * list of runs for every column. Must not know: arrays that are stored elsewhere (array-file.ts).
 */
import { AipsReader } from './aips-io.ts';
import { ArrayFile, type CellOffsets, IndirectColumn, keptIndexes, viewOver } from './array-file.ts';
import type { PagedSource } from './byte-source.ts';
import { placeCells, repeatCell, unpacked } from './cell-placing.ts';
import { storedBytes, toHostOrder, valueCount } from './data-type.ts';
import type { RowRuns } from './row-runs.ts';
import type { CellShape, ColumnReader, Fill, ManagerContext, StorageManager } from './storage-manager.ts';
import type { DataType } from './table.ts';
import type { ColumnDescription } from './table-description.ts';
import { damaged } from './table-errors.ts';

const BUCKETS_AT = 512;

/** Consecutive rows with one stored value. */
interface ValueRun {
  readonly at: number;
  readonly count: number;
  /** The bucket's bytes, the value's place in them, and the bucket's offset in the file. */
  readonly bucket: Uint8Array;
  readonly valueAt: number;
  readonly bucketAt: number;
}

/** The runs of one column, found through the index. */
interface RunsOfColumn {
  readonly source: PagedSource;
  readonly littleEndian: boolean;
  runs(rows: RowRuns): Promise<ValueRun[]>;
}

interface Index {
  readonly bucketBytes: number;
  /** Bucket `bucket[k]` has the rows from `firstRow[k]` up to `firstRow[k + 1]`. */
  readonly firstRow: Float64Array;
  readonly bucket: Float64Array;
}

/** The last entry that is not above `row`; -1 if there is none. */
function lastNotAbove(firstRow: Float64Array, row: number): number {
  let low = 0;
  let high = firstRow.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (firstRow[middle] <= row) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

class IncrementalStMan implements StorageManager {
  readonly #context: ManagerContext;
  readonly #source: PagedSource;
  readonly #index: Index;

  constructor(context: ManagerContext, source: PagedSource, index: Index) {
    this.#context = context;
    this.#source = source;
    this.#index = index;
  }

  column(index: number): ColumnReader {
    const { manager, littleEndian, files } = this.#context;
    const description = manager.columns[index];
    const place: RunsOfColumn = {
      source: this.#source,
      littleEndian,
      runs: (rows) => this.#runs(index, rows),
    };
    if (description.isDirect) return new RunColumn(place, description);
    const name = `table.f${manager.sequence}i`;
    return new IndirectColumn(description.type, cellOffsets(place), async () =>
      ArrayFile.open(await files.open(name), littleEndian),
    );
  }

  async #runs(column: number, rows: RowRuns): Promise<ValueRun[]> {
    const { firstRow, bucket, bucketBytes } = this.#index;
    const source = this.#source;
    const found: ValueRun[] = [];
    let last: Uint8Array = new Uint8Array(0);
    let lastAt = -1;
    for (const run of rows.runs) {
      for (let done = 0; done < run.count; ) {
        const row = run.row + done;
        const k = lastNotAbove(firstRow, row);
        if (k < 0 || k >= bucket.length)
          throw damaged(source.path, BUCKETS_AT, `row ${row} is beyond the row index`);
        const count = Math.min(run.count - done, firstRow[k + 1] - row);
        const bucketAt = BUCKETS_AT + bucket[k] * bucketBytes;
        // Scattered rows of one bucket must not fetch it each: it may have to be joined from two pages.
        if (bucketAt !== lastAt) last = await source.bytes(bucketAt, bucketBytes, 'a bucket');
        lastAt = bucketAt;
        const bytes = last;
        this.#runsInBucket(column, bytes, {
          first: row - firstRow[k],
          count,
          at: run.at + done,
          bucketAt,
          found,
        });
        done += count;
      }
    }
    return found;
  }

  /** Appends the column's runs over rows of a bucket, counted within it. */
  #runsInBucket(
    column: number,
    bytes: Uint8Array,
    want: { first: number; count: number; at: number; bucketAt: number; found: ValueRun[] },
  ): void {
    const { littleEndian } = this.#context;
    const view = viewOver(bytes);
    const broken = (why: string) => damaged(this.#source.path, want.bucketAt, why);
    const head = view.getUint32(0, littleEndian);
    const rowBytes = head >>> 28 === 0 ? 4 : 8;
    let place = head & 0x0fffffff;
    let entries = 0;
    for (let i = 0; i <= column; i++) {
      if (i > 0) place += entries * (rowBytes + 4);
      if (place + 4 > bytes.length) throw broken('the index of a bucket runs over its end');
      entries = view.getUint32(place, littleEndian);
      place += 4;
      if (entries * (rowBytes + 4) > bytes.length - place)
        throw broken(`${entries} runs of values do not fit in a bucket`);
    }
    const rowOf = (entry: number) =>
      rowBytes === 4
        ? view.getUint32(place + entry * 4, littleEndian)
        : Number(view.getBigUint64(place + entry * 8, littleEndian));
    // The last entry that does not begin behind the wanted row.
    let entry = -1;
    for (let high = entries; high - entry > 1; ) {
      const middle = (entry + high) >> 1;
      if (rowOf(middle) <= want.first) entry = middle;
      else high = middle;
    }
    if (entry < 0) throw broken(`no value for row ${want.first} of a bucket`);
    const end = want.first + want.count;
    for (let row = want.first; row < end; entry++) {
      const next = entry + 1 < entries ? Math.min(end, rowOf(entry + 1)) : end;
      if (next <= row) throw broken('runs of values whose rows do not ascend');
      const offset = view.getUint32(place + entries * rowBytes + entry * 4, littleEndian);
      const at = want.at + row - want.first;
      want.found.push({ at, count: next - row, bucket: bytes, valueAt: 4 + offset, bucketAt: want.bucketAt });
      row = next;
    }
  }
}

/** Opens table.fN of an IncrementalStMan and reads its row index, once. */
export async function openIncrementalStMan(context: ManagerContext): Promise<StorageManager> {
  const { manager, files, littleEndian } = context;
  const source = await files.open(`table.f${manager.sequence}`);
  const head = await source.bytes(0, Math.min(BUCKETS_AT, source.size), 'the header');
  const reader = new AipsReader({ bytes: head, file: source.path, littleEndian });
  const frame = reader.open('IncrementalStMan');
  if (frame.version >= 5) reader.bool();
  const bucketBytes = reader.u32();
  const bucketCount = reader.u32();
  if (bucketBytes < 8 || bucketBytes > source.size) throw reader.damaged(`buckets of ${bucketBytes} bytes`);
  const indexAt = BUCKETS_AT + bucketCount * bucketBytes;
  source.check(indexAt, 0, 'the row index');
  const bytes = await source.bytes(indexAt, source.size - indexAt, 'the row index');
  const tail = new AipsReader({ bytes, file: source.path, base: indexAt, littleEndian });
  const index = tail.open('ISMIndex');
  const used = tail.u32();
  const firstRow = tail.block(index.version > 1 ? 8 : 4).subarray(0, used + 1);
  const bucket = tail.block(4).subarray(0, used);
  if (used > bucket.length || used + 1 > firstRow.length) throw tail.damaged(`an index of ${used} buckets`);
  for (let k = 0; k < used; k++)
    if (firstRow[k + 1] <= firstRow[k] || bucket[k] >= bucketCount)
      throw tail.damaged('an index whose rows do not ascend, or that leads to no bucket');
  return new IncrementalStMan(context, source, { bucketBytes, firstRow, bucket });
}

/** Offsets of indirect arrays: 64-bit numbers among the values. */
function cellOffsets(place: RunsOfColumn): CellOffsets {
  return async (rows) => {
    const offsets = new Float64Array(rows.count);
    for (const run of await place.runs(rows)) {
      const bytes = valueBytes(place, run, 8);
      const offset = Number(viewOver(bytes).getBigInt64(0, place.littleEndian));
      if (!(offset >= 0 && offset < Number.MAX_SAFE_INTEGER))
        throw damaged(place.source.path, run.bucketAt + run.valueAt, `an array at ${offset}`);
      offsets.fill(offset, run.at, run.at + run.count);
    }
    return offsets;
  };
}

function valueBytes(place: RunsOfColumn, run: ValueRun, length: number): Uint8Array {
  if (run.valueAt + length > run.bucket.length)
    throw damaged(place.source.path, run.bucketAt + run.valueAt, 'a value runs over the end of its bucket');
  return run.bucket.subarray(run.valueAt, run.valueAt + length);
}

/** Values inside the buckets: scalars and arrays of fixed shape. */
class RunColumn implements ColumnReader {
  readonly #place: RunsOfColumn;
  readonly #type: DataType;
  readonly #shape: CellShape;

  constructor(place: RunsOfColumn, { type, fixedShape }: ColumnDescription) {
    this.#place = place;
    this.#type = type;
    this.#shape = fixedShape ?? [];
  }

  /** The stored bytes of a run's value. */
  #stored(run: ValueRun): Uint8Array {
    if (this.#type !== 'string')
      return valueBytes(this.#place, run, storedBytes(this.#type, valueCount(this.#shape)));
    const length = viewOver(valueBytes(this.#place, run, 4)).getUint32(0, this.#place.littleEndian);
    return valueBytes(this.#place, run, length).subarray(4);
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    const least = this.#type === 'string' && this.#shape.length > 0 ? 4 * valueCount(this.#shape) : 0;
    for (const run of await this.#place.runs(rows))
      if (this.#stored(run).length < least)
        throw damaged(this.#place.source.path, run.bucketAt + run.valueAt, 'an array of texts cut short');
    return new Array<CellShape>(rows.count).fill(this.#shape);
  }

  async fill(request: Fill): Promise<void> {
    const { littleEndian } = this.#place;
    const count = valueCount(this.#shape);
    for (const run of await this.#place.runs(request.rows)) {
      const stored = this.#stored(run);
      if (this.#type === 'string') this.#placeTexts(request, run, stored);
      else if (this.#type === 'bool')
        placeCells(request, { at: run.at, count: 1, stored: unpacked(stored, 0, count) });
      else placeCells(request, { at: run.at, count: 1, stored });
      if (run.count > 1) repeatCell(request, run.at, run.count);
    }
    toHostOrder(this.#type, request.buffer.bytes, littleEndian);
  }

  /** One text as it is; several each with its length. */
  #placeTexts({ cut, buffer }: Fill, run: ValueRun, stored: Uint8Array): void {
    if (this.#shape.length === 0 || cut.cellValues === 1) {
      if (cut.keptValues === 1) buffer.setText(run.at, stored);
      return;
    }
    const reader = new AipsReader({
      bytes: stored,
      file: this.#place.source.path,
      base: run.bucketAt + run.valueAt + 4,
      littleEndian: this.#place.littleEndian,
    });
    const texts: Uint8Array[] = [];
    for (let i = 0; i < cut.cellValues; i++) texts.push(reader.raw(reader.u32(), 'a text'));
    let to = run.at * cut.keptValues;
    for (const index of keptIndexes(cut.shape, cut.starts, cut.counts)) buffer.setText(to++, texts[index]);
  }
}
