/**
 * Owns the texts of a StandardStMan: eight characters beside the other values, longer ones in chains of
 * string buckets, and arrays of texts in the same chains. Must not know: how buckets of rows are found.
 */
import { keptIndexes, rowAt, viewOver } from './array-file.ts';
import type { PagedSource } from './byte-source.ts';
import { sameShape, valueCount } from './data-type.ts';
import { limits } from './limits.ts';
import type { RowRuns } from './row-runs.ts';
import { BUCKETS_AT, type BucketColumn } from './standard-buckets.ts';
import type { CellShape, ColumnReader, Fill } from './storage-manager.ts';
import { damaged, raggedColumn, undefinedCell } from './table-errors.ts';

/** Unused bytes, used bytes, deleted bytes, next bucket. */
const BUCKET_HEAD = 16;
/** Bucket, offset and length of a text. */
const REFERENCE_BYTES = 12;
/** Texts up to this length stand where longer ones have bucket and offset. */
const INLINE_BYTES = 8;

/** Where a text is. */
interface TextReference {
  readonly bucket: number;
  readonly offset: number;
  readonly length: number;
  /** The place of the reference itself. */
  readonly from: number;
}

/** The string buckets of one storage manager. */
export class StandardStrings {
  readonly source: PagedSource;
  readonly #bucketBytes: number;
  readonly #bucketCount: number;

  constructor(source: PagedSource, bucketBytes: number, bucketCount: number) {
    this.source = source;
    this.#bucketBytes = bucketBytes;
    this.#bucketCount = bucketCount;
  }

  /** Collects a text along its chain of buckets. */
  async text(reference: TextReference): Promise<Uint8Array> {
    const { source } = this;
    if (reference.length < 0 || reference.length > source.size)
      throw damaged(source.path, reference.from, `a text of ${reference.length} bytes`);
    const parts: Uint8Array[] = [];
    let { bucket, offset, length } = reference;
    for (let hops = 0; length > 0; hops++) {
      if (bucket < 0 || bucket >= this.#bucketCount || hops > this.#bucketCount)
        throw damaged(
          source.path,
          reference.from,
          `a text continues in bucket ${bucket}, which does not exist`,
        );
      const start = BUCKETS_AT + bucket * this.#bucketBytes;
      const head = viewOver(source.view(start, BUCKET_HEAD) ?? (await source.bytes(start, BUCKET_HEAD)));
      const used = head.getInt32(4);
      const part = Math.min(length, used - offset);
      if (offset < 0 || part <= 0 || used > this.#bucketBytes - BUCKET_HEAD)
        throw damaged(source.path, start, `a string bucket with ${used} bytes used`);
      const from = start + BUCKET_HEAD + offset;
      parts.push(source.view(from, part) ?? (await source.bytes(from, part)));
      length -= part;
      offset = 0;
      bucket = head.getInt32(12);
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }
}

/** Calls `visit` with the reference of every cell. */
async function eachReference(
  { source, littleEndian, pieces }: BucketColumn,
  rows: RowRuns,
  visit: (at: number, reference: TextReference, inline: Uint8Array) => Promise<void> | undefined,
): Promise<void> {
  for (const { at, count, columnAt, rowInBucket } of pieces(rows, REFERENCE_BYTES * 8)) {
    const start = columnAt + rowInBucket * REFERENCE_BYTES;
    const bytes = await source.bytes(start, count * REFERENCE_BYTES);
    const view = viewOver(bytes);
    for (let i = 0; i < count; i++) {
      const place = i * REFERENCE_BYTES;
      const reference = {
        bucket: view.getInt32(place, littleEndian),
        offset: view.getInt32(place + 4, littleEndian),
        length: view.getInt32(place + 8, littleEndian),
        from: start + place,
      };
      const waiting = visit(at + i, reference, bytes.subarray(place, place + INLINE_BYTES));
      if (waiting !== undefined) await waiting;
    }
  }
}

/** Texts of any length, one a cell. */
export class TextColumn implements ColumnReader {
  readonly #place: BucketColumn;
  readonly #strings: StandardStrings;

  constructor(place: BucketColumn, strings: StandardStrings) {
    this.#place = place;
    this.#strings = strings;
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    return new Array<CellShape>(rows.count).fill([]);
  }

  async fill({ rows, buffer }: Fill): Promise<void> {
    await eachReference(this.#place, rows, (at, reference, inline) => {
      if (reference.length > INLINE_BYTES)
        return this.#strings.text(reference).then((text) => buffer.setText(at, text));
      if (reference.length < 0)
        throw damaged(this.#place.source.path, reference.from, `a text of ${reference.length} bytes`);
      buffer.setText(at, inline.subarray(0, reference.length));
      return undefined;
    });
  }
}

/** Texts of a fixed length, ending earlier at a NUL. */
export class FixedTextColumn implements ColumnReader {
  readonly #place: BucketColumn;
  readonly #length: number;

  constructor(place: BucketColumn, length: number) {
    this.#place = place;
    this.#length = length;
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    this.#place.pieces(rows, this.#length * 8);
    return new Array<CellShape>(rows.count).fill([]);
  }

  async fill({ rows, buffer }: Fill): Promise<void> {
    for (const { at, count, columnAt, rowInBucket } of this.#place.pieces(rows, this.#length * 8)) {
      const start = columnAt + rowInBucket * this.#length;
      const bytes = await this.#place.source.bytes(start, count * this.#length);
      for (let i = 0; i < count; i++) {
        const text = bytes.subarray(i * this.#length, (i + 1) * this.#length);
        const end = text.indexOf(0);
        buffer.setText(at + i, end < 0 ? text : text.subarray(0, end));
      }
    }
  }
}

/** An array of texts, decoded as far as its shape. */
interface TextArray {
  readonly shape: CellShape;
  /** Lengths and characters of the elements; empty where all of them are empty. */
  readonly content: Uint8Array;
}

/** Arrays of texts; a cell's content is one entry in the string buckets. */
export class TextArrayColumn implements ColumnReader {
  readonly #place: BucketColumn;
  readonly #strings: StandardStrings;
  readonly #fixedShape: CellShape | undefined;

  constructor(place: BucketColumn, strings: StandardStrings, fixedShape: CellShape | undefined) {
    this.#place = place;
    this.#strings = strings;
    this.#fixedShape = fixedShape;
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    const shapes: (CellShape | undefined)[] = new Array(rows.count);
    await eachReference(this.#place, rows, async (at, reference) => {
      shapes[at] = (await this.#array(reference))?.shape;
    });
    return shapes;
  }

  async fill(request: Fill): Promise<void> {
    await eachReference(this.#place, request.rows, async (at, reference) => {
      const array = await this.#array(reference);
      if (array === undefined) throw undefinedCell(rowAt(request.rows, at));
      if (!sameShape(array.shape, request.cut.shape))
        throw raggedColumn(request.cut.shape, array.shape, rowAt(request.rows, at));
      this.#placeTexts(request, at, array.content, reference);
    });
  }

  /** The array that a reference leads to, or `undefined` where there is none. */
  async #array(reference: TextReference): Promise<TextArray | undefined> {
    const broken = (why: string) => damaged(this.#strings.source.path, reference.from, why);
    const fixed = this.#fixedShape;
    const nothing = new Uint8Array(0);
    if (reference.length === 0) {
      if (fixed === undefined) return undefined;
      if (valueCount(fixed) > limits.emptyTexts) throw broken(`an empty array of texts of shape [${fixed}]`);
      return { shape: fixed, content: nothing };
    }
    const content = await this.#strings.text(reference);
    if (fixed !== undefined) {
      if (valueCount(fixed) * 4 > content.length) throw broken('an array of texts shorter than its shape');
      return { shape: fixed, content };
    }
    // Numbers inside string buckets are big-endian in every table.
    const view = viewOver(content);
    const axes = content.length < 4 ? -1 : view.getInt32(0);
    if (axes < 0 || axes > limits.axes || content.length < 8 + 4 * axes)
      throw broken(`an array of texts with ${axes} axes`);
    const shape: number[] = [];
    for (let axis = 0; axis < axes; axis++) shape.push(view.getUint32(4 + 4 * axis));
    const isFilled = view.getInt32(4 + 4 * axes) !== 0;
    const most = isFilled ? (content.length - 8 - 4 * axes) / 4 : limits.emptyTexts;
    if (valueCount(shape) > most)
      throw broken(`an array of texts of shape [${shape}] in ${content.length} bytes`);
    return { shape, content: isFilled ? content.subarray(8 + 4 * axes) : nothing };
  }

  #placeTexts({ cut, buffer }: Fill, at: number, content: Uint8Array, { from }: TextReference): void {
    if (content.length === 0) return;
    const view = viewOver(content);
    const texts: Uint8Array[] = [];
    for (let i = 0, place = 0; i < cut.cellValues; i++) {
      const length = place + 4 > content.length ? -1 : view.getInt32(place);
      if (length < 0 || place + 4 + length > content.length)
        throw damaged(this.#strings.source.path, from, `text ${i} of an array runs over its end`);
      texts.push(content.subarray(place + 4, place + 4 + length));
      place += 4 + length;
    }
    let to = at * cut.keptValues;
    for (const index of keptIndexes(cut.shape, cut.starts, cut.counts)) buffer.setText(to++, texts[index]);
  }
}
