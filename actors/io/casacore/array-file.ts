/**
 * Owns table.fNi, the file of arrays whose cells elsewhere hold but an offset, and the columns of such cells.
 * Must not know: which storage manager holds the offsets.
 */
import type { PagedSource } from './byte-source.ts';
import { placeSpan, repeatCell, unpacked } from './cell-placing.ts';
import { sameShape, storedBytes, toHostOrder, valueCount, widthOf } from './data-type.ts';
import { limits } from './limits.ts';
import type { RowRuns } from './row-runs.ts';
import type { CellShape, ColumnReader, Fill } from './storage-manager.ts';
import type { DataType } from './table.ts';
import { damaged, raggedColumn, undefinedCell } from './table-errors.ts';

/** An array in the file: its shape and where its values begin. */
export interface StoredArray {
  readonly shape: CellShape;
  readonly valuesAt: number;
}

/** Reference count, number of axes and eight axis lengths: nearly always all there is before the values. */
const HEAD_BYTES = 40;

export class ArrayFile {
  readonly source: PagedSource;
  readonly littleEndian: boolean;
  readonly #hasReferenceCounts: boolean;

  private constructor(source: PagedSource, littleEndian: boolean, version: number) {
    this.source = source;
    this.littleEndian = littleEndian;
    this.#hasReferenceCounts = version > 0;
  }

  static async open(source: PagedSource, littleEndian: boolean): Promise<ArrayFile> {
    const head = await source.bytes(0, 4, 'the version');
    const version = new DataView(head.buffer, head.byteOffset).getUint32(0, littleEndian);
    if (version > 1) throw damaged(source.path, 0, `version ${version} of an array file`);
    return new ArrayFile(source, littleEndian, version);
  }

  /** The array at an offset, checked to lie within the file. */
  async array(offset: number, type: DataType): Promise<StoredArray> {
    const { source, littleEndian } = this;
    const length = Math.min(HEAD_BYTES, source.size - offset);
    const view = viewOver(source.view(offset, length) ?? (await source.bytes(offset, length, 'an array')));
    const axesAt = this.#hasReferenceCounts ? 4 : 0;
    if (length < axesAt + 4) throw damaged(source.path, offset, 'an array begins at the end of the file');
    const axes = view.getUint32(axesAt, littleEndian);
    if (axes > limits.axes) throw damaged(source.path, offset, `an array of ${axes} axes`);
    const shapeAt = axesAt + 4;
    const lengths =
      shapeAt + 4 * axes <= length
        ? view
        : viewOver(await source.bytes(offset, shapeAt + 4 * axes, 'the shape of an array'));
    const shape: number[] = [];
    for (let axis = 0; axis < axes; axis++) shape.push(lengths.getUint32(shapeAt + 4 * axis, littleEndian));
    const valuesAt = offset + shapeAt + 4 * axes;
    const count = valueCount(shape);
    source.check(valuesAt, storedBytes(type, count), `an array of shape [${shape}]`);
    return { shape, valuesAt };
  }

  /**
   * Where the values of the array at an offset begin, if it has the shape and lies in the page last read;
   * else -1. The way past arrays that are all alike: no waiting, next to no garbage.
   */
  valuesAtHand(offset: number, shape: CellShape): number {
    const first = this.#hasReferenceCounts ? 4 : 0;
    const bytes = this.source.view(offset, first + 4 + 4 * shape.length);
    if (bytes === undefined) return -1;
    if (this.#number(bytes, first) !== shape.length) return -1;
    for (let axis = 0; axis < shape.length; axis++)
      if (this.#number(bytes, first + 4 + 4 * axis) !== shape[axis]) return -1;
    return offset + bytes.length;
  }

  #number(bytes: Uint8Array, at: number): number {
    const [b0, b1, b2, b3] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    return this.littleEndian
      ? b3 * 2 ** 24 + (b2 << 16) + (b1 << 8) + b0
      : b0 * 2 ** 24 + (b1 << 16) + (b2 << 8) + b3;
  }

  /** Copies a whole cell of numbers into the block if it lies in the page last read. */
  placeAtHand({ cut, buffer }: Fill, at: number, valuesAt: number): boolean {
    if (!cut.isWhole || buffer.type === 'bool' || buffer.type === 'string') return false;
    const length = cut.cellValues * widthOf(buffer.type);
    const bytes = this.source.view(valuesAt, length);
    if (bytes === undefined) return false;
    buffer.bytes.set(bytes, at * length);
    return true;
  }

  /** Reads the part of an array that the cut needs into cell `at` of the block. */
  async place(fill: Fill, at: number, valuesAt: number): Promise<void> {
    const { cut, buffer } = fill;
    const { source } = this;
    const { type } = buffer;
    const first = cut.spanStart;
    const count = cut.spanEnd - cut.spanStart;
    if (count === 0) return;
    if (type === 'bool') {
      const from = Math.floor(first / 8);
      const packed = await source.bytes(valuesAt + from, Math.ceil((first + count) / 8) - from, 'flags');
      placeSpan(fill, at, unpacked(packed, first - from * 8, count));
      return;
    }
    const width = widthOf(type);
    const start = valuesAt + first * width;
    const bytes = count * width;
    if (cut.isWhole && bytes >= limits.directReadBytes) {
      const target = buffer.bytes.subarray(at * bytes, (at + 1) * bytes);
      await source.readInto(target, start, 'an array');
    } else placeSpan(fill, at, source.view(start, bytes) ?? (await source.bytes(start, bytes, 'an array')));
  }

  /** Reads an array of strings: offsets of texts, 0 for an empty one. */
  async placeStrings(fill: Fill, at: number, valuesAt: number): Promise<void> {
    const { cut, buffer } = fill;
    const { source, littleEndian } = this;
    const offsets = viewOver(await source.bytes(valuesAt, cut.cellValues * 4, 'an array of texts'));
    let to = at * cut.keptValues;
    for (const index of keptIndexes(cut.shape, cut.starts, cut.counts)) {
      const offset = offsets.getUint32(index * 4, littleEndian);
      if (offset !== 0) {
        const head = viewOver(source.view(offset, 4) ?? (await source.bytes(offset, 4, 'a text')));
        const length = head.getUint32(0, littleEndian);
        const text = source.view(offset + 4, length) ?? (await source.bytes(offset + 4, length, 'a text'));
        buffer.setText(to, text);
      }
      to += 1;
    }
  }
}

/** A view of bytes that need not begin at an aligned place. */
export function viewOver(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Positions, in a cell's values, of the values that a cut keeps, in storage order. */
export function* keptIndexes(
  shape: readonly number[],
  starts: readonly number[],
  counts: readonly number[],
): Generator<number> {
  const total = valueCount(counts);
  for (let kept = 0; kept < total; kept++) {
    let rest = kept;
    let index = 0;
    let stride = 1;
    for (let axis = 0; axis < shape.length; axis++) {
      index += (starts[axis] + (rest % counts[axis])) * stride;
      rest = Math.floor(rest / counts[axis]);
      stride *= shape[axis];
    }
    yield index;
  }
}

/** Offsets into the array file of the cells of a selection; 0 where a cell has no value. */
export type CellOffsets = (rows: RowRuns) => Promise<Float64Array>;

/** A column of arrays in the array file. */
export class IndirectColumn implements ColumnReader {
  readonly #type: DataType;
  readonly #offsets: CellOffsets;
  readonly #open: () => Promise<ArrayFile>;

  constructor(type: DataType, offsets: CellOffsets, open: () => Promise<ArrayFile>) {
    this.#type = type;
    this.#offsets = offsets;
    this.#open = open;
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    const offsets = await this.#offsets(rows);
    const shapes: (CellShape | undefined)[] = [];
    let file: ArrayFile | undefined;
    for (let i = 0; i < offsets.length; i++) {
      if (offsets[i] === 0) shapes.push(undefined);
      else if (i > 0 && offsets[i] === offsets[i - 1]) shapes.push(shapes[i - 1]);
      else {
        file ??= await this.#open();
        const last = shapes[i - 1];
        const isLikeLast = last !== undefined && file.valuesAtHand(offsets[i], last) >= 0;
        shapes.push(isLikeLast ? last : (await file.array(offsets[i], this.#type)).shape);
      }
    }
    return shapes;
  }

  async fill(request: Fill): Promise<void> {
    const { rows, cut } = request;
    const offsets = await this.#offsets(rows);
    if (offsets.length === 0) return;
    const file = await this.#open();
    const rowOf = (at: number) => rowAt(rows, at);
    for (let at = 0; at < offsets.length; ) {
      if (offsets[at] === 0) throw undefinedCell(rowOf(at));
      const atHand = file.valuesAtHand(offsets[at], cut.shape);
      if (atHand >= 0 && offsets[at + 1] !== offsets[at] && file.placeAtHand(request, at, atHand)) {
        at += 1;
        continue;
      }
      const { shape, valuesAt } = await file.array(offsets[at], this.#type);
      if (!sameShape(shape, cut.shape)) throw raggedColumn(cut.shape, shape, rowOf(at));
      if (this.#type === 'string') await file.placeStrings(request, at, valuesAt);
      else await file.place(request, at, valuesAt);
      let end = at + 1;
      while (end < offsets.length && offsets[end] === offsets[at]) end++;
      if (end > at + 1) repeatCell(request, at, end - at);
      at = end;
    }
    toHostOrder(this.#type, request.buffer.bytes, file.littleEndian);
  }
}

/** The row that is cell `at` of a selection. */
export function rowAt(rows: RowRuns, at: number): number {
  const run = rows.runs.find((candidate) => at >= candidate.at && at < candidate.at + candidate.count);
  return run === undefined ? -1 : run.row + at - run.at;
}
