/**
 * Owns the description of a table's columns and storage managers as plain data. Reads at most the shape of
 * each column's first cell. Must not know: how the description is printed.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColumnInfo, Table } from './table.ts';

/** A column in short. */
export interface ColumnSummary {
  readonly name: string;
  readonly type: string;
  /** Fastest axis first; null for scalars and where cells differ or the first has no value. */
  readonly shape: readonly number[] | null;
  readonly storageManager: string;
  readonly storageNumber: number | null;
}

/** One storage manager's files. */
export interface StorageSummary {
  readonly number: number;
  readonly type: string;
  readonly columns: readonly string[];
  readonly bytesOnDisk: number;
}

/** The storage managers of a table, each with the size of its files. */
export async function describeStorage(table: Table): Promise<readonly StorageSummary[]> {
  // The columns of a view lie in other tables' files.
  if (table.kind !== 'plain') return [];
  const names = await readdir(table.path).catch(() => []);
  const byNumber = new Map<number, ColumnInfo[]>();
  for (const column of table.columns) {
    if (column.storageNumber === undefined) continue;
    byNumber.set(column.storageNumber, [...(byNumber.get(column.storageNumber) ?? []), column]);
  }
  return Promise.all(
    [...byNumber].map(async ([number, columns]) => {
      // table.f1, table.f1i, table.f1_TSM0, but not table.f10.
      const own = names.filter((name) => new RegExp(`^table\\.f${number}(\\D|$)`).test(name));
      const sizes = own.map((name) =>
        stat(join(table.path, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      );
      return {
        number,
        type: columns[0]!.storageManager,
        columns: columns.map(({ name }) => name),
        bytesOnDisk: (await Promise.all(sizes)).reduce((total, size) => total + size, 0),
      };
    }),
  );
}

/** The shape of all cells, or of the first one; null where it has no value or its file is missing. */
export async function describeColumn(table: Table, info: ColumnInfo): Promise<ColumnSummary> {
  const { name, type, isArray, fixedShape, storageManager, storageNumber } = info;
  const firstShape = async () => {
    if (table.rowCount === 0) return undefined;
    const shapes = await table
      .column(name)
      .readShapes({ start: 0, count: 1 })
      .catch(() => []);
    return shapes[0];
  };
  const shape = isArray ? (fixedShape ?? (await firstShape()) ?? null) : null;
  return { name, type, shape, storageManager, storageNumber: storageNumber ?? null };
}
