/**
 * Owns the text of `asperitas table`: the page that describes a table, and cells and keywords in a few words
 * each. Pure. Must not know: how a table is read.
 */

import { type Layout, pageWidth, tableLines, wrapped } from '../../runtime/index.ts';
import type { ColumnSummary } from '../io/casacore/describe-table.ts';
import type { Cell, DataType, KeywordValue, TableRecord } from '../io/casacore/table.ts';
import { elementJson, isCell, isComplex, keywordArrayType } from './exact-json.ts';

/** Elements of an array that are shown before the dots. */
export const shownElements = 6;
/** Characters of a text, and of a cell in a line, that are shown. */
const shownText = 60;
const shownLine = 84;

/** What is printed about a table. */
export interface TableDescription {
  readonly path: string;
  readonly kind: string;
  readonly byteOrder: string;
  readonly rows: number;
  readonly type: string;
  readonly subType: string;
  readonly columns: readonly (ColumnSummary & { readonly comment: string; readonly keywords: TableRecord })[];
  /** Without those that name subtables. */
  readonly keywords: TableRecord;
  readonly subtables: readonly { readonly name: string; readonly path: string }[];
}

/** Text on one line: anything that would move the cursor is escaped, and what is too long is cut. */
function clipped(text: string, most: number): string {
  const plain = JSON.stringify(text.slice(0, most + 1))
    .slice(1, -1)
    .replaceAll('\\"', '"');
  return plain.length > most ? `${plain.slice(0, most - 3)}...` : plain;
}

/** The shortest text that reads back as the same 32-bit float. */
function float32Text(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}

/** Significant digits of the floats in an array; a single value is shown in full. */
const arrayDigits = { single: 6, double: 9 };

function numberText(values: Cell['values'], at: number, isScalar: boolean): string {
  const value = values[at] as number;
  if (isScalar) return values instanceof Float32Array ? float32Text(value) : String(value);
  const digits = values instanceof Float32Array ? arrayDigits.single : arrayDigits.double;
  return String(Number(value.toPrecision(digits)));
}

function elementText({ values, shape }: Cell, type: DataType | undefined, index: number): string {
  const isScalar = shape.length === 0;
  if (type === 'complex' || type === 'dcomplex') {
    const imaginary = numberText(values, 2 * index + 1, isScalar);
    return `${numberText(values, 2 * index, isScalar)}${imaginary.startsWith('-') ? '' : '+'}${imaginary}i`;
  }
  if (values instanceof Float32Array || values instanceof Float64Array)
    return numberText(values, index, isScalar);
  const value = values[index];
  if (typeof value === 'string') return clipped(value, shownText) || '""';
  return elementJson(values, type, index);
}

/**
 * A cell in one line: its value, or for an array its shape (fastest axis first) and first elements. The cell
 * may hold only the first elements; `shape` is that of the whole.
 */
export function cellText(cell: Cell | undefined, type: DataType | undefined, shape = cell?.shape): string {
  if (cell === undefined || shape === undefined) return '(no value)';
  if (shape.length === 0) return elementText(cell, type, 0);
  const count = shape.reduce((product, length) => product * length, 1);
  let line = `[${shape.join(' x ')}]`;
  for (let i = 0; i < count; i++) {
    const next = `${line}${i === 0 ? ' ' : ', '}${elementText(cell, type, i)}`;
    if (i === shownElements || (i > 0 && next.length > shownLine)) return `${line}, ...`;
    line = next;
  }
  return line;
}

function keywordText(value: KeywordValue): string {
  if (typeof value !== 'object') return clipped(String(value), shownLine);
  if (isCell(value)) return value.shape.length === 0 ? '(empty)' : cellText(value, keywordArrayType(value));
  if (isComplex(value)) return `${value.re}${value.im < 0 ? '' : '+'}${value.im}i`;
  return '';
}

/** Keywords one a line, records indented. */
function keywordLines(record: TableRecord, indent = '  '): string[] {
  return Object.entries(record).flatMap(([name, value]) => {
    const line = `${indent}${clipped(name, shownText)} = ${keywordText(value)}`.trimEnd();
    const isRecord = typeof value === 'object' && !isCell(value) && !isComplex(value);
    return isRecord ? [line, ...keywordLines(value as TableRecord, `${indent}  `)] : [line];
  });
}

function columnLines(columns: TableDescription['columns']): string[] {
  return tableLines(columns, [
    { title: 'name', of: ({ name }) => clipped(name, shownText) },
    { title: 'type', of: ({ type }) => type },
    { title: 'shape', of: ({ shape }) => (shape === null ? '' : shape.join(' x ')) },
    {
      title: 'storage',
      of: ({ storageManager, storageNumber }) =>
        `${storageManager}${storageNumber === null ? '' : ` ${storageNumber}`}`,
    },
  ]);
}

/** The description as a page, with a line break at its end; `everything` adds the keywords of the columns. */
export function tableText(table: TableDescription, everything: boolean): string {
  const { path, kind, byteOrder, rows, type, subType, columns, keywords, subtables } = table;
  const words = [type, subType].filter((word) => word !== '').join(', ');
  const sections = [
    [path, `  ${kind} table, ${byteOrder}-endian, ${rows} rows${words === '' ? '' : ` (${words})`}`],
    [`Columns (${columns.length})`, ...columnLines(columns)],
    [`Keywords (${Object.keys(keywords).length})`, ...keywordLines(keywords)],
  ];
  if (everything)
    for (const column of columns) {
      const lines = [
        ...(column.comment === '' ? [] : [`  ${clipped(column.comment, shownLine)}`]),
        ...keywordLines(column.keywords),
      ];
      if (lines.length > 0) sections.push([`Column ${column.name}`, ...lines]);
    }
  sections.push([`Subtables (${subtables.length})`, ...wrapped(subtables.map(({ name }) => name))]);
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Rows as text: `cells[k]` are the columns of row `start + k`. */
export interface RowTexts {
  readonly start: number;
  readonly names: readonly string[];
  readonly cells: readonly (readonly string[])[];
}

/** A table if it fits the page, else a paragraph for each row. */
export function rowsText({ start, names, cells }: RowTexts): string {
  const rows = cells.map((texts, k) => ({ row: start + k, texts }));
  const layout: Layout<(typeof rows)[number]>[] = [
    { title: 'row', of: ({ row }) => row, right: true },
    ...names.map((title, column) => ({ title, of: ({ texts }: (typeof rows)[number]) => texts[column] })),
  ];
  const lines = tableLines(rows, layout);
  if (lines.every((line) => line.length <= pageWidth)) return `${lines.join('\n')}\n`;
  const width = names.reduce((most, name) => Math.max(most, name.length), 0);
  return rows
    .map(({ row, texts }) =>
      [`row ${row}`, ...texts.map((text, i) => `  ${names[i].padEnd(width)}  ${text}`), ''].join('\n'),
    )
    .join('');
}
