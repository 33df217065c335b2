/**
 * Owns the writing of StandardStMan files: fixed-width cells in buckets, long strings in string buckets,
 * arrays of varying shape in a file beside. Little-endian tables only. Must not know: keywords, other
 * managers.
 */
import { assert } from '../../../runtime/index.ts';
import { AipsWriter } from './aips-io-writer.ts';
import {
  bytesOf,
  type ColumnToWrite,
  cellLength,
  packBits,
  typeFacts,
  valuesLength,
} from './column-to-write.ts';
import type { Values } from './table.ts';

/** Bytes before the first bucket. */
const headerBytes = 512;
/** Bytes before the data of a string bucket: unused, used, left over, next. */
const stringHeaderBytes = 16;
/** Bytes before the index in its bucket. */
const indexOffset = 8;
/** Texts up to this many bytes stand in the cell itself. */
const shortText = 8;
const leastBucketBytes = 4096;

const encoder = new TextEncoder();

/** What a table description needs to know of the files. */
export interface StandardStorage {
  /** The contents of table.fN. */
  readonly file: Uint8Array;
  /** The contents of table.fNi, if any column needs it. */
  readonly arrayFile: Uint8Array | undefined;
  /** The manager's own entry in table.dat. */
  readonly blob: Uint8Array;
}

/** Long texts, run together in buckets of one size that follow the data buckets. */
class StringHeap {
  readonly #first: number;
  readonly #capacity: number;
  readonly #buckets: Uint8Array[] = [];
  #used: number;

  constructor({ bucketBytes, bucketCount }: BucketPlan) {
    this.#first = bucketCount;
    this.#capacity = bucketBytes - stringHeaderBytes;
    this.#used = this.#capacity;
  }

  /** Stores bytes, over several buckets if need be; returns where they begin. */
  put(bytes: Uint8Array): readonly [bucket: number, offset: number] {
    let place: readonly [number, number] | undefined;
    for (let done = 0; done < bytes.length; ) {
      if (this.#used === this.#capacity) {
        this.#buckets.push(new Uint8Array(this.#capacity));
        this.#used = 0;
      }
      place ??= [this.#first + this.#buckets.length - 1, this.#used];
      const part = bytes.subarray(done, done + this.#capacity - this.#used);
      this.#buckets.at(-1)!.set(part, this.#used);
      this.#used += part.length;
      done += part.length;
    }
    return place!;
  }

  /** Buckets with their headers; each names the next, where texts run on. */
  get buckets(): readonly Uint8Array[] {
    return this.#buckets.map((data, k) => {
      const last = k === this.#buckets.length - 1;
      const used = last ? this.#used : this.#capacity;
      const bucket = new Uint8Array(stringHeaderBytes + this.#capacity);
      const view = new DataView(bucket.buffer);
      view.setInt32(4, used);
      view.setInt32(8, this.#capacity - used);
      view.setInt32(12, last ? -1 : this.#first + k + 1);
      bucket.set(data, stringHeaderBytes);
      return bucket;
    });
  }
}

/** The file of arrays of varying shape: each cell holds an offset into it, 0 for no value. */
class ArrayFile {
  readonly #writer = new AipsWriter(true);

  constructor() {
    // Version 0 (no reference counts), then the file's length, to be filled in.
    this.#writer.raw(new Uint8Array(16));
  }

  put(shape: readonly number[], values: Values, type: ColumnToWrite['type']): number {
    const offset = this.#writer.bytes.length;
    this.#writer.uint(shape.length);
    for (const length of shape) this.#writer.int(length);
    if (type === 'bool') {
      const bits = new Uint8Array(Math.ceil(values.length / 8));
      packBits(values, bits);
      this.#writer.raw(bits);
    } else {
      this.#writer.raw(bytesOf(values));
    }
    return offset;
  }

  get bytes(): Uint8Array {
    const { bytes } = this.#writer;
    new DataView(bytes.buffer, bytes.byteOffset).setBigInt64(4, BigInt(bytes.length), true);
    return bytes;
  }
}

/** The width of a column's cells in a bucket. */
function cellBits({ type, cells }: ColumnToWrite): number {
  const { bits } = typeFacts[type];
  if (cells.layout === 'scalar') return bits;
  if (type === 'string') return bits;
  return cells.layout === 'fixed' ? bits * cellLength(cells.shape) : 64;
}

/** Where the columns of a bucket begin, and how large buckets are. */
interface BucketPlan {
  readonly bucketBytes: number;
  readonly rowsPerBucket: number;
  readonly bucketCount: number;
  /** `[column]` bytes from the start of a bucket */
  readonly offsets: readonly number[];
}

/** Chooses buckets large enough that the index of all of them fits one. */
function planBuckets(columns: readonly ColumnToWrite[], rowCount: number): BucketPlan {
  const widths = columns.map(cellBits);
  const rowBits = widths.reduce((sum, bits) => sum + bits, 0);
  // Every column begins at a whole byte, hence the byte a column to spare.
  const fits = (rows: number, bytes: number) => (rows * rowBits) / 8 + widths.length <= bytes;
  for (let bucketBytes = leastBucketBytes; ; bucketBytes *= 2) {
    let rowsPerBucket = Math.floor(((bucketBytes - widths.length) * 8) / rowBits);
    if (rowsPerBucket < 1 || !fits(rowsPerBucket, bucketBytes)) continue;
    rowsPerBucket = Math.min(rowsPerBucket, Math.max(1, rowCount));
    const bucketCount = Math.ceil(rowCount / rowsPerBucket);
    if (indexOffset + 160 + 8 * bucketCount > bucketBytes) continue;
    const offsets: number[] = [];
    let offset = 0;
    for (const bits of widths) {
      offsets.push(offset);
      offset += Math.ceil((rowsPerBucket * bits) / 8);
    }
    return { bucketBytes, rowsPerBucket, bucketCount, offsets };
  }
}

/** Bytes of an array of texts: lengths and texts, after the shape where it isn't fixed. */
function textArrayBytes(texts: readonly string[], shape: readonly number[] | undefined): Uint8Array {
  const writer = new AipsWriter();
  if (shape !== undefined) {
    writer.uint(shape.length);
    for (const length of shape) writer.int(length);
    writer.int(1);
  }
  for (const text of texts) writer.string(text);
  return writer.bytes;
}

/** Fills data buckets column by column. */
class BucketFiller {
  readonly #plan: BucketPlan;
  readonly #buckets: Uint8Array[];
  readonly #strings: StringHeap;
  readonly #arrays: ArrayFile;

  constructor(plan: BucketPlan, strings: StringHeap, arrays: ArrayFile) {
    this.#plan = plan;
    this.#strings = strings;
    this.#arrays = arrays;
    this.#buckets = Array.from({ length: plan.bucketCount }, () => new Uint8Array(plan.bucketBytes));
  }

  get buckets(): readonly Uint8Array[] {
    return this.#buckets;
  }

  fill(column: ColumnToWrite, index: number): void {
    const { type, cells } = column;
    const bits = cellBits(column);
    if (cells.layout === 'variable') {
      this.#fillVariable(column, index);
    } else if (type === 'string') {
      const texts = cells.values as readonly string[];
      if (cells.layout === 'fixed') this.#fillTextArrays(index, texts, cellLength(cells.shape));
      else for (const [row, text] of texts.entries()) this.#putText(index, row, text);
    } else if (type === 'bool') {
      const aRow = bits;
      for (let k = 0; k < cells.values.length; k++) {
        if (Number(cells.values[k]) === 0) continue;
        const row = Math.floor(k / aRow);
        const [bucket, at] = this.#place(index, row, 0);
        const bit = (row % this.#plan.rowsPerBucket) * aRow + (k % aRow);
        bucket[at + (bit >> 3)]! |= 1 << (bit & 7);
      }
    } else {
      this.#fillBytes(index, bytesOf(cells.values), bits / 8);
    }
  }

  /** The bucket of a row, and where the row's cell of `width` bytes is in it. */
  #place(column: number, row: number, width: number): readonly [Uint8Array, number] {
    const { rowsPerBucket, offsets } = this.#plan;
    const bucket = Math.floor(row / rowsPerBucket);
    return [this.#buckets[bucket]!, offsets[column]! + (row - bucket * rowsPerBucket) * width];
  }

  #fillBytes(column: number, bytes: Uint8Array, width: number): void {
    const step = this.#plan.rowsPerBucket * width;
    this.#buckets.forEach((bucket, k) => {
      bucket.set(bytes.subarray(k * step, (k + 1) * step), this.#plan.offsets[column]!);
    });
  }

  #setTriple(column: number, row: number, triple: readonly [number, number, number]): void {
    const [bucket, at] = this.#place(column, row, 12);
    const view = new DataView(bucket.buffer);
    triple.forEach((value, k) => {
      view.setInt32(at + 4 * k, value, true);
    });
  }

  #putText(column: number, row: number, text: string): void {
    const bytes = encoder.encode(text);
    if (bytes.length > shortText) {
      this.#setTriple(column, row, [...this.#strings.put(bytes), bytes.length]);
      return;
    }
    const [bucket, at] = this.#place(column, row, 12);
    bucket.set(bytes, at);
    new DataView(bucket.buffer).setInt32(at + shortText, bytes.length, true);
  }

  #fillTextArrays(column: number, texts: readonly string[], length: number): void {
    for (let row = 0; row * length < texts.length; row++) {
      const bytes = textArrayBytes(texts.slice(row * length, (row + 1) * length), undefined);
      this.#setTriple(column, row, [...this.#strings.put(bytes), bytes.length]);
    }
  }

  #fillVariable({ type, cells }: ColumnToWrite, column: number): void {
    assert(cells.layout === 'variable', 'a column of varying shapes');
    let row = 0;
    for (const { rowCount, shape, values } of cells.runs) {
      const step = shape === undefined ? 0 : valuesLength(type, cellLength(shape));
      for (let k = 0; k < rowCount; k++, row++) {
        if (shape === undefined) continue;
        const cell = values.slice(k * step, (k + 1) * step);
        if (type === 'string') {
          const bytes = textArrayBytes(cell as readonly string[], shape);
          this.#setTriple(column, row, [...this.#strings.put(bytes), bytes.length]);
        } else {
          const [bucket, at] = this.#place(column, row, 8);
          const offset = this.#arrays.put(shape, cell, type);
          new DataView(bucket.buffer).setBigInt64(at, BigInt(offset), true);
        }
      }
    }
  }
}

/** The index: the last row of each bucket and the bucket's number. */
function indexBytes(plan: BucketPlan, rowCount: number, columnCount: number): Uint8Array {
  const { rowsPerBucket, bucketCount } = plan;
  const writer = new AipsWriter(true);
  const buckets = Array.from({ length: bucketCount }, (_, k) => k);
  writer.object(
    'SSMIndex',
    1,
    () => {
      writer.uint(bucketCount);
      writer.uint(rowsPerBucket);
      writer.int(columnCount);
      writer.object('SimpleOrderedMap', 1, () => {
        for (const value of [0, 0, 1]) writer.int(value);
      });
      writer.block(buckets.map((k) => Math.min(rowCount, (k + 1) * rowsPerBucket) - 1));
      writer.block(buckets);
    },
    true,
  );
  return writer.bytes;
}

/** The file's header and the manager's entry in table.dat. */
function standardHeader(plan: BucketPlan, stringBuckets: number, indexLength: number): Uint8Array {
  const writer = new AipsWriter(true);
  const indexBucket = plan.bucketCount + stringBuckets;
  writer.object(
    'StandardStMan',
    3,
    () => {
      writer.bool(false);
      writer.uint(plan.bucketBytes);
      writer.uint(indexBucket + 1);
      // A cache of two buckets; no free buckets, the first of which is -1; one index bucket.
      writer.uint(2);
      writer.uint(0);
      writer.int(-1);
      writer.uint(1);
      writer.int(indexBucket);
      writer.uint(indexOffset);
      writer.int(stringBuckets === 0 ? -1 : indexBucket - 1);
      writer.uint(indexLength);
      writer.uint(1);
    },
    true,
  );
  return writer.bytes;
}

function standardBlob(name: string, plan: BucketPlan): Uint8Array {
  const writer = new AipsWriter();
  writer.object(
    'SSM',
    2,
    () => {
      writer.string(name);
      writer.block(plan.offsets);
      writer.block(plan.offsets.map(() => 0));
    },
    true,
  );
  return writer.bytes;
}

/** Makes the files of a StandardStMan that holds the columns given. */
export function standardStorage(columns: readonly ColumnToWrite[], rowCount: number): StandardStorage {
  const plan = planBuckets(columns, rowCount);
  const strings = new StringHeap(plan);
  const arrays = new ArrayFile();
  const filler = new BucketFiller(plan, strings, arrays);
  columns.forEach((column, index) => {
    filler.fill(column, index);
  });
  const index = indexBytes(plan, rowCount, columns.length);
  const indexBucket = new Uint8Array(plan.bucketBytes);
  indexBucket.fill(0xff, 0, indexOffset);
  indexBucket.set(index, indexOffset);
  const buckets = [...filler.buckets, ...strings.buckets, indexBucket];
  const file = new Uint8Array(headerBytes + buckets.length * plan.bucketBytes);
  file.set(standardHeader(plan, strings.buckets.length, index.length));
  buckets.forEach((bucket, k) => {
    file.set(bucket, headerBytes + k * plan.bucketBytes);
  });
  // A column of arrays needs the file even if all its cells are undefined.
  const needed = columns.some(({ type, cells }) => cells.layout === 'variable' && type !== 'string');
  return { file, arrayFile: needed ? arrays.bytes : undefined, blob: standardBlob('SSM', plan) };
}
