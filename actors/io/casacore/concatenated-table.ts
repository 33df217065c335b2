/**
 * Owns concatenated tables: tables of equal columns read as one, such as the parts of a multi-MS.
 * Must not know: what kinds of table the parts are.
 */
import { join } from 'node:path';
import type { AipsReader } from './aips-io.ts';
import { CellBuffer, sameShape, valueCount } from './data-type.ts';
import type { TableParts } from './open-context.ts';
import { type RowRuns, rowRuns } from './row-runs.ts';
import type { AxisRange, Cell, Column, RowSelection, Table } from './table.ts';
import { damaged, raggedColumn } from './table-errors.ts';

/** Reads the rest of the table.dat of a ConcatTable and opens its parts. */
export async function openConcatenatedTable(
  path: string,
  reader: AipsReader,
  openOther: (name: string) => Promise<Table>,
): Promise<TableParts> {
  const frame = reader.open('ConcatTable');
  const count = reader.count(4, 'tables');
  const names = Array.from({ length: count }, () => reader.string());
  const joined = reader.open('Block');
  const joinedNames = Array.from({ length: reader.count(4, 'subtables') }, () => reader.string());
  reader.close(joined);
  reader.close(frame);
  if (count === 0) throw reader.damaged('a concatenation of no tables');
  const parts: Table[] = [];
  for (const name of names) parts.push(await openOther(name));
  const subtables = new Map(
    parts[0].subtableNames.map((name) => [
      name,
      joinedNames.includes(name) ? () => joinSubtables(path, parts, name) : () => parts[0].subtable(name),
    ]),
  );
  return { ...joinParts(path, parts), subtables };
}

/** A subtable of every part, one after the other. */
async function joinSubtables(path: string, parts: readonly Table[], name: string): Promise<Table> {
  const tables: Table[] = [];
  for (const part of parts) tables.push(await part.subtable(name));
  const { columns, rowCount } = joinParts(path, tables);
  const column = (wanted: string) => columns.find((candidate) => candidate.name === wanted);
  return {
    ...tables[0],
    kind: 'concatenated',
    rowCount,
    columns,
    hasColumn: (wanted) => column(wanted) !== undefined,
    column: (wanted) => column(wanted) ?? tables[0].column(wanted),
    close: async () => {
      for (const table of tables) await table.close();
    },
  };
}

type Joined = TableParts & { readonly rowCount: number };

function joinParts(path: string, parts: readonly Table[]): Joined {
  const starts: number[] = [];
  let rowCount = 0;
  for (const part of parts) {
    starts.push(rowCount);
    rowCount += part.rowCount;
  }
  // Concatenations of concatenations multiply.
  if (rowCount > Number.MAX_SAFE_INTEGER) throw damaged(join(path, 'table.dat'), 0, `${rowCount} rows`);
  return {
    rowCount,
    keywords: parts[0].keywords,
    columns: parts[0].columns.map(({ name }) =>
      joinColumn({ path, parts, starts, rowCount }, parts[0].column(name)),
    ),
    close: async () => {
      for (const part of parts) await part.close();
    },
  };
}

interface Parts {
  readonly path: string;
  readonly parts: readonly Table[];
  /** The first row of each part. */
  readonly starts: readonly number[];
  readonly rowCount: number;
}

/** Rows of one part. */
interface PartRows {
  readonly part: Table;
  readonly rows: RowSelection;
  readonly count: number;
}

/** The parts that a selection touches, in its order. */
function partsOf({ parts, starts, rowCount }: Parts, selection: RowSelection): PartRows[] {
  const selected: RowRuns = rowRuns(selection, rowCount);
  const pieces: PartRows[] = [];
  for (const run of selected.runs) {
    for (let done = 0; done < run.count; ) {
      const row = run.row + done;
      let index = starts.length - 1;
      while (starts[index] > row) index--;
      const part = parts[index];
      const count = Math.min(run.count - done, starts[index] + part.rowCount - row);
      pieces.push({ part, rows: { start: row - starts[index], count }, count });
      done += count;
    }
  }
  return pieces;
}

function joinColumn(joined: Parts, first: Column): Column {
  const { name } = first;
  async function cells<T>(
    selection: RowSelection,
    read: (column: Column, rows: RowSelection) => Promise<readonly T[]>,
  ): Promise<T[]> {
    const all: T[] = [];
    for (const { part, rows } of partsOf(joined, selection))
      for (const cell of await read(part.column(name), rows)) all.push(cell);
    return all;
  }
  return {
    ...first,
    read: (selection, slice) => readJoined(joined, first, selection, slice),
    readCells: (selection) => cells(selection, (column, rows) => column.readCells(rows)),
    readShapes: (selection) => cells(selection, (column, rows) => column.readShapes(rows)),
  };
}

async function readJoined(
  joined: Parts,
  first: Column,
  selection: RowSelection,
  slice: readonly AxisRange[] | undefined,
): Promise<Cell> {
  const pieces = partsOf(joined, selection);
  const total = pieces.reduce((sum, { count }) => sum + count, 0);
  if (pieces.length === 0) return first.read({ start: 0, count: 0 }, slice);
  const columnOf = ({ part }: PartRows): Column => {
    const column = part.column(first.name);
    if (column.type === first.type) return column;
    throw damaged(
      join(part.path, 'table.dat'),
      0,
      `column ${first.name} is ${column.type} here and ${first.type} in the first part of ${joined.path}`,
    );
  };
  const head = await columnOf(pieces[0]).read(pieces[0].rows, slice);
  if (pieces.length === 1) return head;
  const perCell = valueCount(head.shape);
  const block = new CellBuffer(first.type, total * perCell);
  block.setValues(0, head.values);
  let row = pieces[0].count;
  for (const piece of pieces.slice(1)) {
    const next = await columnOf(piece).read(piece.rows, slice);
    if (!sameShape(next.shape, head.shape)) throw raggedColumn(head.shape, next.shape, row);
    block.setValues(row * perCell, next.values);
    row += piece.count;
  }
  return { shape: head.shape, values: block.values };
}
