/**
 * Owns FITS binary tables of scalar numbers and strings, as bytes and back. Source: FITS Standard 4.0,
 * section 7.3. Must not know: files, or what the columns mean.
 */
import { AsperitasError, assert } from '../../../runtime/index.ts';
import {
  ascii,
  countOf,
  encodeHeader,
  type FitsHeader,
  integerCard,
  numberOf,
  paddedLength,
  textCard,
  textOf,
} from './header.ts';

/** A column to write. Numbers become doubles (`D`), or 32-bit integers (`J`) where `integer` is set. */
export interface FitsColumn {
  readonly name: string;
  /** Empty if it has none. */
  readonly unit: string;
  readonly values: readonly string[] | Float64Array | readonly number[];
  readonly integer?: boolean;
}

interface Field {
  readonly column: FitsColumn;
  readonly format: string;
  readonly bytes: number;
}

function fieldOf(column: FitsColumn): Field {
  const first = column.values[0];
  if (typeof first !== 'string') {
    return column.integer ? { column, format: '1J', bytes: 4 } : { column, format: '1D', bytes: 8 };
  }
  const texts = column.values as readonly string[];
  const longest = texts.reduce((length, text) => Math.max(length, text.length), 1);
  return { column, format: `${longest}A`, bytes: longest };
}

function putCell(row: Buffer, at: number, { column, bytes }: Field, index: number): void {
  const value = column.values[index]!;
  if (typeof value === 'string') row.write(ascii(value), at, bytes, 'latin1');
  else if (column.integer) row.writeInt32BE(value, at);
  else row.writeDoubleBE(value, at);
}

/** A BINTABLE extension, header and data, whole blocks. All columns must have the same length. */
export function encodeTable(name: string, columns: readonly FitsColumn[]): Uint8Array {
  const rows = columns[0]?.values.length ?? 0;
  assert(
    columns.every(({ values }) => values.length === rows),
    `the columns of ${name} differ in length`,
  );
  const fields = columns.map(fieldOf);
  const rowBytes = fields.reduce((sum, { bytes }) => sum + bytes, 0);
  const header = encodeHeader([
    textCard('XTENSION', 'BINTABLE', 'binary table extension'),
    integerCard('BITPIX', 8),
    integerCard('NAXIS', 2),
    integerCard('NAXIS1', rowBytes, 'bytes in a row'),
    integerCard('NAXIS2', rows, 'rows'),
    integerCard('PCOUNT', 0),
    integerCard('GCOUNT', 1),
    integerCard('TFIELDS', fields.length),
    textCard('EXTNAME', name),
    ...fields.flatMap(({ column, format }, index) => [
      textCard(`TTYPE${index + 1}`, column.name),
      textCard(`TFORM${index + 1}`, format),
      ...(column.unit === '' ? [] : [textCard(`TUNIT${index + 1}`, column.unit)]),
    ]),
  ]);
  const data = Buffer.alloc(paddedLength(rows * rowBytes));
  for (let row = 0; row < rows; row++) {
    let at = row * rowBytes;
    for (const field of fields) {
      putCell(data, at, field, row);
      at += field.bytes;
    }
  }
  return Buffer.concat([header, data]);
}

/** A table that was read, by column name. */
export interface FitsTable {
  readonly name: string;
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Float64Array | readonly string[]>;
}

const readers: Readonly<Record<string, readonly [number, (data: Buffer, at: number) => number]>> = {
  D: [8, (data, at) => data.readDoubleBE(at)],
  E: [4, (data, at) => data.readFloatBE(at)],
  I: [2, (data, at) => data.readInt16BE(at)],
  J: [4, (data, at) => data.readInt32BE(at)],
  K: [8, (data, at) => Number(data.readBigInt64BE(at))],
  B: [1, (data, at) => data.readUInt8(at)],
};

/** Bytes of one element of each TFORM letter; what has no reader above is passed over. */
const elementBytes: Readonly<Record<string, number>> = { L: 1, A: 1, C: 8, M: 16, P: 8, Q: 16 };

function columnValues(rows: number, read: (row: number) => number): Float64Array {
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row++) values[row] = read(row);
  return values;
}

/** Reads the columns of scalar numbers and of strings; others are left out.
 * @throws AsperitasError `damaged-fits` where the header contradicts itself. */
export function decodeTable(header: FitsHeader, data: Buffer, path: string): FitsTable {
  const rowBytes = countOf(header, 'NAXIS1', path);
  const rows = countOf(header, 'NAXIS2', path);
  if (rowBytes * rows > data.length || (rowBytes === 0 && rows > 0)) throw damaged(path, 'NAXIS2');
  const columns = new Map<string, Float64Array | readonly string[]>();
  let offset = 0;
  for (let number = 1; number <= countOf(header, 'TFIELDS', path); number++) {
    const match = /^(\d*)([A-Z])/.exec(textOf(header, `TFORM${number}`) ?? '');
    const width = match && (readers[match[2]!]?.[0] ?? elementBytes[match[2]!]);
    // Bit arrays are the one form whose length is not a number of bytes; nothing of ours has them.
    if (!match || width === undefined || width === null) throw damaged(path, `TFORM${number}`);
    const repeat = match[1] === '' ? 1 : Number(match[1]);
    const at = offset;
    offset += repeat * width;
    if (offset > rowBytes) throw damaged(path, `TFORM${number}`);
    const name = textOf(header, `TTYPE${number}`) ?? `column${number}`;
    const scale = numberOf(header, `TSCAL${number}`) ?? 1;
    const zero = numberOf(header, `TZERO${number}`) ?? 0;
    const reader = readers[match[2]!];
    if (match[2] === 'A') {
      const cell = (_: unknown, row: number): string =>
        data.toString('latin1', row * rowBytes + at, row * rowBytes + at + repeat).replace(/[\0 ]+$/, '');
      columns.set(name, Array.from({ length: rows }, cell));
    } else if (reader !== undefined && repeat === 1) {
      const read = (row: number): number => reader[1](data, row * rowBytes + at) * scale + zero;
      columns.set(name, columnValues(rows, read));
    }
  }
  return { name: textOf(header, 'EXTNAME') ?? '', rows, columns };
}

function damaged(path: string, keyword: string): AsperitasError {
  const what = `the keyword ${keyword} of a table does not fit its rows`;
  const message = `${path}: ${what}; fetch or make the file again`;
  return new AsperitasError('damaged-fits', message, { path, keyword });
}
