/**
 * Owns the choice among columns that can hold the same thing: which one gives the visibilities, which one the
 * weights; and the check that their cells have the shape the subtables promise.
 * Must not know: time slots, Stokes parameters.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import type { Column, Table } from '../casacore/table.ts';

/** The columns that hold visibilities, in stored order: arrays of complex numbers. */
export function visibilityColumns(main: Table): readonly string[] {
  return main.columns
    .filter(({ isArray, type }) => isArray && (type === 'complex' || type === 'dcomplex'))
    .map(({ name }) => name);
}

/** Whether a column exists and its cell in `row` has a value with anything in it. */
async function hasCell(main: Table, name: string, row: number): Promise<boolean> {
  if (!main.hasColumn(name) || row >= main.rowCount) return false;
  const [shape] = await main.column(name).readShapes({ start: row, count: 1 });
  return shape?.every((length) => length > 0) === true;
}

/**
 * The name of the column of visibilities. `auto` is CORRECTED_DATA where it exists and has a value in `row`,
 * else DATA. Throws `no-data-column`, which lists the columns of visibilities that there are.
 */
export async function resolveDataColumn(main: Table, wanted: string, row = 0): Promise<string> {
  const present = visibilityColumns(main);
  const candidates = wanted === 'auto' ? ['CORRECTED_DATA', 'DATA'] : [wanted];
  for (const name of candidates) {
    if (!present.includes(name)) continue;
    if (wanted !== 'auto' || name === candidates.at(-1) || (await hasCell(main, name, row))) return name;
  }
  const known = present.length === 0 ? 'it has no visibilities' : `it has ${present.join(', ')}`;
  const missing =
    wanted === 'auto' ? 'no CORRECTED_DATA and no DATA' : `no visibilities in a column ${wanted}`;
  throw new AsperitasError('no-data-column', `${main.path}: ${missing}; ${known}`, {
    table: main.path,
    column: wanted,
    columns: [...present],
  });
}

/** The weights of a block of rows: WEIGHT_SPECTRUM (`perChannel`) or WEIGHT. */
export interface WeightColumn {
  readonly column: Column;
  readonly perChannel: boolean;
}

/**
 * WSClean's rule: WEIGHT_SPECTRUM if the column exists and its first row is defined, else WEIGHT. The rows
 * wanted must have it too: there are sets that fill it for some spectral windows only.
 */
export async function resolveWeightColumn(main: Table, row: number): Promise<WeightColumn> {
  const name = 'WEIGHT_SPECTRUM';
  const perChannel = (await hasCell(main, name, 0)) && (await hasCell(main, name, row));
  return { column: main.column(perChannel ? name : 'WEIGHT'), perChannel };
}

/**
 * Throws `damaged-measurement-set` unless the cell in `row` has the shape that the row's DATA_DESC_ID means.
 */
export async function checkShape(
  main: Table,
  name: string,
  row: number,
  shape: readonly number[],
): Promise<void> {
  const [stored] = await main.column(name).readShapes({ start: row, count: 1 });
  if (stored?.length === shape.length && stored.every((length, axis) => length === shape[axis])) return;
  const found = stored === undefined ? 'has no value' : `has the shape [${stored.join(', ')}]`;
  throw new AsperitasError(
    'damaged-measurement-set',
    `${main.path}: row ${row} of ${name} ${found}, but its DATA_DESC_ID means [${shape.join(', ')}]`,
    { table: main.path, column: name, row },
  );
}
