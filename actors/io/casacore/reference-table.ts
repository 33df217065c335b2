/**
 * Owns reference tables: a selection of rows and columns of another table, in any order, under names of their
 * own. Must not know: what kind of table the other one is.
 */
import type { AipsReader } from './aips-io.ts';
import type { TableParts } from './open-context.ts';
import { type RowRuns, rowRuns } from './row-runs.ts';
import type { Column, RowSelection, Table } from './table.ts';
import type { TableHead } from './table-description.ts';
import { readArray } from './table-record.ts';

/** Row numbers in lists are 32 bits wide. */
const MOST_ROWS = 2 ** 32;

/** Reads the rest of the table.dat of a RefTable and opens the table it refers to. */
export async function openReferenceTable(
  reader: AipsReader,
  head: TableHead,
  openOther: (name: string) => Promise<Table>,
): Promise<TableParts> {
  const frame = reader.open('RefTable');
  const rootName = reader.string();
  const rootNames = readNames(reader);
  const listed = frame.version > 1 ? readArray(reader, 'string').values : [...rootNames.keys()];
  const wide = frame.version > 2;
  const number = () => (wide ? reader.u64() : reader.u32());
  number(); // Rows of the other table when this one was made; more may have been added.
  reader.bool(); // Whether the rows ascend.
  const at = reader.position;
  const count = reader.count(wide ? 8 : 4, 'rows', number());
  if (count !== head.rowCount) throw reader.damaged(`${count} rows where ${head.rowCount} should be`, at);
  const rows = new Uint32Array(count);
  let highest = -1;
  for (let i = 0; i < count; i++) {
    const row = number();
    if (row >= MOST_ROWS) throw reader.damaged(`row ${row}`);
    rows[i] = row;
    highest = Math.max(highest, row);
  }
  const root = await openOther(rootName);
  if (highest >= root.rowCount)
    throw reader.damaged(`row ${highest} of a table with ${root.rowCount} rows`, at);
  const columns = (listed as readonly string[]).flatMap((name) => {
    const rootColumn = rootNames.get(name) ?? name;
    return root.hasColumn(rootColumn) ? [viewColumn(root.column(rootColumn), name, rows)] : [];
  });
  return {
    columns,
    keywords: root.keywords,
    subtables: new Map(root.subtableNames.map((name) => [name, () => root.subtable(name)])),
    rowCount: count,
    close: () => root.close(),
  };
}

/** A map from this table's column names to the other's. */
function readNames(reader: AipsReader): Map<string, string> {
  const frame = reader.open();
  if (frame.type === 'SimpleOrderedMap') reader.string(); // The default value.
  const count = reader.count(8, 'columns');
  if (frame.type === 'SimpleOrderedMap') reader.u32();
  const names = new Map<string, string>();
  for (let i = 0; i < count; i++) names.set(reader.string(), reader.string());
  reader.close(frame);
  return names;
}

/** A column of the other table, seen through a list of its rows. */
function viewColumn(column: Column, name: string, rows: Uint32Array): Column {
  const through = (selection: RowSelection) => mapped(rowRuns(selection, rows.length), rows);
  return {
    ...column,
    name,
    read: async (selection, slice) => column.read(through(selection), slice),
    readCells: async (selection) => column.readCells(through(selection)),
    readShapes: async (selection) => column.readShapes(through(selection)),
  };
}

function mapped(selected: RowRuns, rows: Uint32Array): Uint32Array {
  const [run] = selected.runs;
  if (selected.runs.length === 1) return rows.subarray(run.row, run.row + run.count);
  const result = new Uint32Array(selected.count);
  for (const { row, count, at } of selected.runs) result.set(rows.subarray(row, row + count), at);
  return result;
}
