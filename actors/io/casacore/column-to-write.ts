/**
 * Owns what a caller of `writeTable` says about a column, and the numbers casacore has for types.
 * Must not know: storage managers, files.
 */
import { assert } from '../../../runtime/index.ts';
import type { RecordToWrite } from './aips-io-writer.ts';
import type { Values } from './table.ts';

/** The types that can be written. */
export type WritableType = 'bool' | 'int' | 'float' | 'double' | 'complex' | 'string';

/** Successive rows whose cells have one shape, or (without one) no value. */
export interface CellRun {
  readonly rowCount: number;
  /** Fastest axis first; left out where the cells are undefined. */
  readonly shape?: readonly number[];
  /** `[row, ...reversed shape]`; empty where the cells are undefined. */
  readonly values: Values;
}

/** How the cells of a column are shaped and stored. */
export type CellsToWrite =
  /** One value a row, in StandardStMan. */
  | { readonly layout: 'scalar'; readonly values: Values }
  /** Arrays of one shape: in StandardStMan, or tiled in TiledColumnStMan. */
  | {
      readonly layout: 'fixed';
      readonly shape: readonly number[];
      readonly values: Values;
      readonly tiled?: boolean;
    }
  /** Arrays of any shape: in StandardStMan, or tiled in TiledShapeStMan (no undefined cells then). */
  | {
      readonly layout: 'variable';
      readonly dimensions: number;
      readonly runs: readonly CellRun[];
      readonly tiled?: boolean;
    };

export interface ColumnToWrite {
  readonly name: string;
  readonly type: WritableType;
  readonly comment?: string;
  readonly keywords?: RecordToWrite;
  readonly cells: CellsToWrite;
}

/** casacore's code, padded name and width in bits of a type; a string's width is that of its pointer. */
export const typeFacts: Readonly<
  Record<WritableType, { readonly code: number; readonly name: string; readonly bits: number }>
> = {
  bool: { code: 0, name: 'Bool    ', bits: 1 },
  int: { code: 5, name: 'Int     ', bits: 32 },
  float: { code: 7, name: 'float   ', bits: 32 },
  double: { code: 8, name: 'double  ', bits: 64 },
  complex: { code: 9, name: 'Complex ', bits: 64 },
  string: { code: 11, name: 'String  ', bits: 96 },
};

/** Elements of a cell. */
export function cellLength(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Numbers (or texts) that `count` elements take in a `Values` array: complex numbers take two. */
export function valuesLength(type: WritableType, count: number): number {
  return type === 'complex' ? 2 * count : count;
}

/** The rows of a column; stops the program where values and shapes don't fit. */
export function rowsOf({ name, type, cells }: ColumnToWrite): number {
  if (cells.layout === 'scalar') return cells.values.length / valuesLength(type, 1);
  if (cells.layout === 'fixed') {
    const rows = cells.values.length / valuesLength(type, cellLength(cells.shape));
    assert(Number.isInteger(rows), `values of column ${name} fill whole cells`);
    return rows;
  }
  return cells.runs.reduce((total, { rowCount, shape, values }) => {
    const wanted = shape === undefined ? 0 : rowCount * valuesLength(type, cellLength(shape));
    assert(values.length === wanted, `values of column ${name} fill their run of rows`);
    return total + rowCount;
  }, 0);
}

/** Little-endian bytes of numbers; bools are packed by `packBits` instead. */
export function bytesOf(values: Values): Uint8Array {
  assert(ArrayBuffer.isView(values), 'texts have no bytes of their own');
  // Typed arrays have the byte order of the machine, which every machine that runs Node has little-endian.
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Bits, the first in the lowest place of the first byte; from bit `at` of `target` on. */
export function packBits(values: Values, target: Uint8Array, at = 0): void {
  for (let k = 0; k < values.length; k++) {
    if (Number(values[k]) !== 0) target[(at + k) >> 3]! |= 1 << ((at + k) & 7);
  }
}
