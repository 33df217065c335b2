/**
 * Owns the decoding of keyword records and of the arrays in them. Must not know: what any keyword means,
 * except that one may name a table.
 */
import type { AipsReader } from './aips-io.ts';
import { toHostOrder, typeOfCode, unpackBits, valueCount, viewOf, widthOf } from './data-type.ts';
import { limits } from './limits.ts';
import type { Cell, DataType, KeywordValue, TableRecord } from './table.ts';

interface Field {
  readonly name: string;
  readonly type: DataType | 'table';
  readonly isArray: boolean;
  /** The fields of a nested record, where the description has them. */
  readonly nested: readonly Field[];
}

/** Makes an absolute path of what a keyword says about a table. */
export type ResolveTable = (name: string) => string;

/** Reads an object "TableRecord" or "Record". */
export function readRecord(reader: AipsReader, resolve: ResolveTable, depth = 0): TableRecord {
  if (depth > limits.recordDepth) throw reader.damaged(`keywords nested deeper than ${limits.recordDepth}`);
  const frame = reader.open('TableRecord', 'Record');
  const fields = readFields(reader, depth);
  reader.i32(); // Whether the record's structure is fixed: of no concern to a reader.
  const record = readValues(reader, fields, resolve, depth);
  reader.close(frame);
  return record;
}

function readFields(reader: AipsReader, depth: number): Field[] {
  if (depth > limits.recordDepth) throw reader.damaged(`keywords nested deeper than ${limits.recordDepth}`);
  const frame = reader.open('RecordDesc');
  const count = reader.count(12, 'keywords', reader.i32());
  const fields: Field[] = [];
  for (let i = 0; i < count; i++) {
    const name = reader.string();
    const code = reader.i32();
    const kind = typeOfCode(code);
    if (kind === undefined)
      throw reader.damaged(`keyword "${name.slice(0, 40)}" of the unknown type ${code}`);
    const nested = kind.type === 'record' ? readFields(reader, depth + 1) : [];
    if (kind.isArray) reader.integers();
    else if (kind.type === 'table') reader.string();
    reader.string(); // A comment, which nobody writes.
    fields.push({ name, ...kind, nested });
  }
  reader.close(frame);
  return fields;
}

function readValues(
  reader: AipsReader,
  fields: readonly Field[],
  resolve: ResolveTable,
  depth: number,
): TableRecord {
  // fromEntries defines own properties, so that a keyword named __proto__ is but a keyword.
  return Object.fromEntries(
    fields.map((field): [string, KeywordValue] => {
      if (field.type === 'table') return [field.name, { table: resolve(reader.string()) }];
      if (field.isArray) return [field.name, readArray(reader, field.type)];
      if (field.type !== 'record') return [field.name, readScalar(reader, field.type)];
      return [
        field.name,
        field.nested.length > 0
          ? readValues(reader, field.nested, resolve, depth + 1)
          : readRecord(reader, resolve, depth + 1),
      ];
    }),
  );
}

/** A value as AipsIO writes it by itself. */
export function readScalar(reader: AipsReader, type: Exclude<DataType, 'record'>): KeywordValue {
  switch (type) {
    case 'bool':
      return reader.bool();
    case 'uchar':
      return reader.u8();
    case 'short':
      return reader.i16();
    case 'ushort':
      return reader.u16();
    case 'int':
      return reader.i32();
    case 'uint':
      return reader.u32();
    case 'int64':
      return reader.bigint64();
    case 'float':
      return reader.float();
    case 'double':
      return reader.double();
    case 'complex':
      return { re: reader.float(), im: reader.float() };
    case 'dcomplex':
      return { re: reader.double(), im: reader.double() };
    case 'string':
      return reader.string();
  }
}

/** Reads an object "Array". */
export function readArray(reader: AipsReader, type: DataType): Cell {
  const frame = reader.open('Array');
  const axes = reader.axisCount();
  if (frame.version < 3) for (let axis = 0; axis < axes; axis++) reader.i32(); // Origins, long out of use.
  const shape: number[] = [];
  for (let axis = 0; axis < axes; axis++) shape.push(reader.u32());
  const count = reader.u32();
  if (count !== (axes === 0 ? 0 : valueCount(shape)))
    throw reader.damaged(`an array of shape [${shape}] with ${count} values`);
  const values = readPacked(reader, type, count);
  reader.close(frame);
  return { shape, values };
}

/** `count` values one after the other, bits packed. */
export function readPacked(reader: AipsReader, type: DataType, count: number): Cell['values'] {
  if (type === 'string') {
    reader.count(4, 'texts', count);
    return Array.from({ length: count }, () => reader.string());
  }
  if (type === 'bool') {
    const packed = reader.raw(Math.ceil(count / 8), 'flags');
    const flags = new Uint8Array(count);
    unpackBits(packed, 0, flags);
    return flags;
  }
  const bytes = Uint8Array.from(reader.raw(count * widthOf(type), 'numbers'));
  toHostOrder(type, bytes, reader.littleEndian);
  return viewOf(type, bytes);
}
