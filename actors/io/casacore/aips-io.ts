/**
 * Owns AipsIO, casacore's framing of objects, strings and numbers, over bytes in memory. Every count is
 * checked against the bytes that are left before anything is allocated. Must not know: which objects exist.
 */
import { limits } from './limits.ts';
import { damaged } from './table-errors.ts';
import { decodeText } from './text.ts';

const MAGIC = 0xbebebebe;

/** The head of an object: its type, version, and the position after its payload. */
export interface Frame {
  readonly type: string;
  readonly version: number;
  readonly end: number;
}

export interface AipsSource {
  readonly bytes: Uint8Array;
  /** The file the bytes are from, and the offset of the first one in it, for errors. */
  readonly file: string;
  readonly base?: number;
  readonly littleEndian?: boolean;
}

export class AipsReader {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly littleEndian: boolean;
  position = 0;
  readonly #base: number;
  readonly #view: DataView;

  constructor(source: AipsSource) {
    this.bytes = source.bytes;
    this.file = source.file;
    this.#base = source.base ?? 0;
    this.littleEndian = source.littleEndian ?? false;
    this.#view = new DataView(source.bytes.buffer, source.bytes.byteOffset, source.bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  /** The error for something wrong just here, or at `position`. */
  damaged(why: string, position = this.position): Error {
    return damaged(this.file, this.#base + position, why);
  }

  #take(length: number, what: string): number {
    const at = this.position;
    if (length > this.bytes.length - at)
      throw this.damaged(`${what} of ${length} bytes where ${this.remaining} are left`);
    this.position = at + length;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1, 'a byte'));
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2, 'a number'), this.littleEndian);
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2, 'a number'), this.littleEndian);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4, 'a number'), this.littleEndian);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4, 'a number'), this.littleEndian);
  }

  bigint64(): bigint {
    return this.#view.getBigInt64(this.#take(8, 'a number'), this.littleEndian);
  }

  /** A 64-bit count or offset, which must be one that JavaScript counts exactly. */
  u64(): number {
    const at = this.position;
    const value = Number(this.bigint64());
    if (!Number.isSafeInteger(value) || value < 0) throw this.damaged(`a count of ${value}`, at);
    return value;
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4, 'a number'), this.littleEndian);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8, 'a number'), this.littleEndian);
  }

  /** A view of the next bytes. */
  raw(length: number, what = 'data'): Uint8Array {
    const at = this.#take(length, what);
    return this.bytes.subarray(at, at + length);
  }

  string(): string {
    return decodeText(this.raw(this.u32(), 'a text'));
  }

  /** A count of things that take at least `leastBytes` each. */
  count(leastBytes: number, what: string, value = this.u32()): number {
    if (value < 0 || value * leastBytes > this.remaining)
      throw this.damaged(`${value} ${what} can't fit in the ${this.remaining} bytes left`);
    return value;
  }

  /** Opens an object, which must be of one of the types named (with or without a template part). */
  open(...types: readonly string[]): Frame {
    const start = this.position;
    let length = this.u32();
    const from = length === MAGIC ? start + 4 : start;
    if (length === MAGIC) length = this.u32();
    const type = this.string();
    const version = this.u32();
    const end = from + length;
    if (types.length > 0 && !types.includes(type.replace(/<.*$/s, '')))
      throw this.damaged(`found "${printable(type)}" where a ${types.join(' or ')} should be`, start);
    if (end < this.position || end > this.bytes.length)
      throw this.damaged(`a ${printable(type)} of ${length} bytes does not fit the file`, start);
    return { type, version, end };
  }

  /** Skips whatever a newer writer put at the end of an object; reading past it is damage. */
  close(frame: Frame): void {
    if (this.position > frame.end) throw this.damaged(`the contents of a ${frame.type} run over its end`);
    this.position = frame.end;
  }

  /** A Block of 32- or 64-bit unsigned integers. */
  block(width: 4 | 8): Float64Array {
    const frame = this.open('Block');
    const values = new Float64Array(this.count(width, 'numbers'));
    for (let i = 0; i < values.length; i++) values[i] = width === 4 ? this.u32() : this.u64();
    this.close(frame);
    return values;
  }

  /** An IPosition: axis lengths, fastest first. */
  shape(): number[] {
    const lengths = this.integers();
    lengths.forEach((length) => {
      this.axisLength(length);
    });
    return lengths;
  }

  /** An IPosition that may have -1 for axes of any length. */
  integers(): number[] {
    const frame = this.open('IPosition');
    const axes = this.axisCount();
    const lengths: number[] = [];
    for (let axis = 0; axis < axes; axis++)
      lengths.push(frame.version === 1 ? this.i32() : Number(this.bigint64()));
    this.close(frame);
    return lengths;
  }

  axisCount(value = this.u32()): number {
    if (value < 0 || value > limits.axes) throw this.damaged(`an array of ${value} axes`);
    return value;
  }

  axisLength(value: number): number {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw this.damaged(`an axis of length ${value}`);
    return value;
  }
}

function printable(text: string): string {
  return text.slice(0, 40).replace(/[^ -~]/g, '?');
}
