/**
 * Owns casacore's data types: their codes and widths, the memory for their values, and the turning of stored
 * bytes into values (byte order, packed bits). Must not know: where values are stored.
 */
import { endianness } from 'node:os';
import { AsperitasError } from '../../../runtime/index.ts';
import { limits } from './limits.ts';
import type { DataType, Values } from './table.ts';
import { decodeText } from './text.ts';

/** The types in the order of casacore's codes; a leading `A` marks arrays. */
const names: readonly string[] = [
  ...['bool', 'char', 'uchar', 'short', 'ushort', 'int', 'uint', 'float', 'double', 'complex', 'dcomplex'],
  ...['string', 'table'],
  ...['Abool', 'Achar', 'Auchar', 'Ashort', 'Aushort', 'Aint', 'Auint', 'Afloat', 'Adouble', 'Acomplex'],
  ...['Adcomplex', 'Astring', 'record', 'other', 'quantity', 'Aquantity', 'int64', 'Aint64'],
];

/** What a type code stands for; `table` occurs in keywords only. `undefined` for what no table can hold. */
export function typeOfCode(code: number): { type: DataType | 'table'; isArray: boolean } | undefined {
  const name = names[code];
  if (name === undefined || /^(other|A?quantity)$/.test(name)) return undefined;
  const isArray = name.startsWith('A');
  const plain = isArray ? name.slice(1) : name;
  // Signed bytes are not storable in columns; where a keyword has them, their bits are kept.
  return { type: (plain === 'char' ? 'uchar' : plain) as DataType | 'table', isArray };
}

/** Bytes of a value in memory, and on disk for all but bool (bits) and string (elsewhere). */
export function widthOf(type: DataType): number {
  return widths[type];
}
const widths: Readonly<Record<DataType, number>> = {
  ...{ bool: 1, uchar: 1, short: 2, ushort: 2, int: 4, uint: 4, float: 4, int64: 8, double: 8 },
  ...{ complex: 8, dcomplex: 16, string: 4, record: 1 },
};

/** Bytes that `count` values take on disk when packed from a byte boundary on. */
export function storedBytes(type: DataType, count: number): number {
  return type === 'bool' ? Math.ceil(count / 8) : count * widths[type];
}

/** The unit of byte order: complex numbers are pairs of reals. */
function swapWidth(type: DataType): number {
  return type === 'complex' ? 4 : type === 'dcomplex' ? 8 : widths[type];
}

/** Memory for values while they are being read. */
export class CellBuffer {
  readonly type: DataType;
  readonly values: Values;
  /** The memory of `values`; empty for strings. */
  readonly bytes: Uint8Array;
  readonly #strings: string[];
  #textBytes = 0;

  /** Allocates `count` values. Throws `read-too-large` above the limit of one read. */
  constructor(type: DataType, count: number) {
    const fits = type === 'string' ? count <= limits.readTexts : count * widths[type] <= limits.readBytes;
    if (!fits) throw readTooLarge(`${count} values of type ${type}`);
    this.type = type;
    this.#strings = type === 'string' ? new Array<string>(count).fill('') : [];
    this.bytes = new Uint8Array(type === 'string' ? 0 : count * widths[type]);
    this.values = type === 'string' ? this.#strings : viewOf(type, this.bytes);
  }

  /** Decodes the bytes of a text into value number `index`. */
  setText(index: number, text: Uint8Array): void {
    this.#textBytes += text.length;
    if (this.#textBytes > limits.textBytes) throw readTooLarge(`${this.#textBytes} bytes of text`);
    this.#strings[index] = decodeText(text);
  }

  copyText(from: number, to: number): void {
    this.#strings[to] = this.#strings[from];
  }

  /** Copies values of the same type to the value `first` on. */
  setValues(first: number, values: Values): void {
    if (isTexts(values)) for (let i = 0; i < values.length; i++) this.#strings[first + i] = values[i];
    else {
      const { buffer, byteOffset, byteLength } = values;
      this.bytes.set(new Uint8Array(buffer, byteOffset, byteLength), first * widths[this.type]);
    }
  }

  /** `count` values from the value `first` on, without copying numbers. */
  slice(first: number, count: number): Values {
    if (this.type === 'string') return this.#strings.slice(first, first + count);
    const width = widths[this.type];
    return viewOf(this.type, this.bytes.subarray(first * width, (first + count) * width));
  }
}

export function isTexts(values: Values): values is readonly string[] {
  return Array.isArray(values);
}

function readTooLarge(what: string): AsperitasError {
  return new AsperitasError(
    'read-too-large',
    `${what} are more than one read may return; ask for fewer rows at a time`,
    { limitBytes: limits.readBytes },
  );
}

/** A typed view of aligned bytes in host order. */
export function viewOf(type: DataType, bytes: Uint8Array): Exclude<Values, readonly string[]> {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (type) {
    case 'short':
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    case 'ushort':
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 'int':
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case 'uint':
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, byteLength / 8);
    case 'float':
    case 'complex':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'double':
    case 'dcomplex':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    default:
      return bytes;
  }
}

const hostIsLittle = endianness() === 'LE';

/** Turns stored bytes into host order, in place. */
export function toHostOrder(type: DataType, bytes: Uint8Array, littleEndian: boolean): void {
  if (littleEndian === hostIsLittle) return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unit = swapWidth(type);
  if (unit === 2) buffer.swap16();
  else if (unit === 4) buffer.swap32();
  else if (unit === 8) buffer.swap64();
}

/** Four packed bits as four bytes. */
const nibbles = Uint32Array.from({ length: 16 }, (_, bits) => {
  const bytes = Uint8Array.of(bits & 1, (bits >> 1) & 1, (bits >> 2) & 1, (bits >> 3) & 1);
  return new Uint32Array(bytes.buffer)[0];
});

/** Unpacks bits, lowest first, from the bit `firstBit` of `packed` on, into one byte (0 or 1) a value. */
export function unpackBits(packed: Uint8Array, firstBit: number, target: Uint8Array): void {
  let done = 0;
  if ((firstBit & 7) === 0 && (target.byteOffset & 3) === 0) {
    const wholeBytes = target.length >> 3;
    const words = new Uint32Array(target.buffer, target.byteOffset, wholeBytes * 2);
    const from = firstBit / 8;
    for (let i = 0; i < wholeBytes; i++) {
      const byte = packed[from + i];
      words[2 * i] = nibbles[byte & 15];
      words[2 * i + 1] = nibbles[byte >> 4];
    }
    done = wholeBytes * 8;
  }
  for (; done < target.length; done++) {
    const bit = firstBit + done;
    target[done] = (packed[Math.floor(bit / 8)] >> (bit & 7)) & 1;
  }
}

/** The number of values in a cell of this shape: 1 for a scalar. */
export function valueCount(shape: readonly number[]): number {
  let count = 1;
  for (const length of shape) count *= length;
  return count;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
