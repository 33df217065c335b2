/**
 * Owns the writing of table values as JSON without loss: 64-bit integers in all their digits, every float so
 * that it reads back as the same double, complex numbers as `[re, im]`, arrays as nested lists, the outermost
 * axis being the slowest one (DATA is a list of channels of correlations), arrays without values as `[]`.
 * What JSON has no number for becomes `"NaN"`, `"Infinity"` or `"-Infinity"`; a cell without a value `null`.
 * Pure. Must not know: tables and files.
 */
import type { Cell, DataType, KeywordValue, TableRecord, Values } from '../io/casacore/table.ts';

function numberJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** How one element of a block of values is written; `index` counts values, not the parts of complex ones. */
export function elementJson(values: Values, type: DataType | undefined, index: number): string {
  if (type === 'complex' || type === 'dcomplex') {
    const parts = values as Float32Array | Float64Array;
    return `[${numberJson(parts[2 * index])},${numberJson(parts[2 * index + 1])}]`;
  }
  const value = values[index];
  if (type === 'bool') return value === 0 ? 'false' : 'true';
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'bigint' ? String(value) : numberJson(value);
}

/** The JSON of a cell in parts, so that a large one need not be one string. */
export function* cellParts(cell: Cell | undefined, type: DataType | undefined): Generator<string> {
  if (cell === undefined) {
    yield 'null';
    return;
  }
  const { shape, values } = cell;
  // Axes of such an array may be of any length, with nothing to show for it.
  if (values.length === 0) {
    yield '[]';
    return;
  }
  let index = 0;
  function* axis(level: number): Generator<string> {
    if (level < 0) {
      yield elementJson(values, type, index++);
      return;
    }
    yield '[';
    for (let i = 0; i < shape[level]; i++) {
      if (i > 0) yield ',';
      yield* axis(level - 1);
    }
    yield ']';
  }
  yield* axis(shape.length - 1);
}

/** Whether a keyword's value is an array rather than a record that has such names. */
export function isCell(value: KeywordValue): value is Cell {
  return typeof value === 'object' && 'shape' in value && Array.isArray(value.shape);
}

/** Arrays in keywords don't say their type; complex ones show it by their length. */
export function keywordArrayType({ shape, values }: Cell): DataType | undefined {
  const count = shape.reduce((product, length) => product * length, shape.length === 0 ? 0 : 1);
  return count > 0 && values.length === 2 * count ? 'dcomplex' : undefined;
}

/** A keyword: `{ "table": path }` for a subtable, an object for a record. */
export function keywordJson(value: KeywordValue): string {
  if (typeof value === 'number') return numberJson(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (isCell(value)) return [...cellParts(value, keywordArrayType(value))].join('');
  if (isComplex(value)) return `[${numberJson(value.re)},${numberJson(value.im)}]`;
  return recordJson(value as TableRecord);
}

export function isComplex(value: object): value is { readonly re: number; readonly im: number } {
  return 're' in value && 'im' in value && Object.keys(value).length === 2 && typeof value.re === 'number';
}

/** A record of keywords, in their order. */
export function recordJson(record: TableRecord): string {
  const fields = Object.entries(record).map(
    ([name, value]) => `${JSON.stringify(name)}:${keywordJson(value)}`,
  );
  return `{${fields.join(',')}}`;
}
