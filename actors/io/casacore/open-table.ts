/**
 * Owns the opening of a table of any kind: table.dat is read and understood, nothing else until a column or a
 * subtable is asked for. Must not know: storage managers.
 */
import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AsperitasError, isAsperitasError } from '../../../runtime/index.ts';
import { AipsReader } from './aips-io.ts';
import { readSmallFile } from './byte-source.ts';
import { openConcatenatedTable } from './concatenated-table.ts';
import { limits } from './limits.ts';
import { namesInstead } from './near-names.ts';
import { newContext, type OpenContext, type TableParts } from './open-context.ts';
import { openPlainTable } from './plain-table.ts';
import { openReferenceTable } from './reference-table.ts';
import type { Column, KeywordValue, Table } from './table.ts';
import { readPlainDescription, readTableHead, type TableHead } from './table-description.ts';
import { damaged, fileError, oneLine } from './table-errors.ts';
import { lockedRowCount } from './table-lock.ts';
import { readTableInfo, resolveTablePath } from './table-path.ts';

/**
 * Opens a casacore table, such as a Measurement Set or one of its subtables, for reading. Throws `missing-
 * file` and `not-a-table` for a wrong path, `damaged-table` for a table.dat that makes no sense,
 * `unsupported-table` for a kind of table that is not read here.
 */
export function openTable(path: string): Promise<Table> {
  return openWithin(newContext(), resolve(path));
}

async function openWithin(context: OpenContext, path: string): Promise<Table> {
  const real = await realpath(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  if (context.waiting.includes(real) || context.waiting.length > limits.referenceDepth)
    throw damaged(
      join(path, 'table.dat'),
      0,
      `the table stands on itself, by way of ${context.waiting.length}`,
    );
  // Tables that one table stands on are opened one after the other, so what is here is open or in `waiting`.
  let table = context.tables.get(real);
  if (table === undefined) {
    table = openNew({ ...context, waiting: [...context.waiting, real] }, path);
    context.tables.set(real, table);
  }
  return table;
}

async function openNew(context: OpenContext, path: string): Promise<Table> {
  const reader = await readDescription(path);
  const head = readTableHead(reader);
  const parts = await openKind(context, path, reader, head);
  try {
    return tableOf({ context, path, head, parts, info: await readTableInfo(path) });
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function readDescription(path: string): Promise<AipsReader> {
  const file = join(path, 'table.dat');
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  const bytes = await readSmallFile(file, limits.descriptionBytes).catch((error: unknown) => {
    if (found.isDirectory() && !isAsperitasError(error, 'missing-file')) throw error;
    throw new AsperitasError(
      'not-a-table',
      `${path}: not a casacore table (there is no table.dat in it); name a table or Measurement Set`,
      { table: path },
    );
  });
  if (bytes === undefined) throw damaged(file, 0, `a description of over ${limits.descriptionBytes} bytes`);
  return new AipsReader({ bytes, file });
}

async function openKind(
  context: OpenContext,
  path: string,
  reader: AipsReader,
  head: TableHead,
): Promise<TableParts> {
  const openOther = (name: string) => openWithin(context, resolveTablePath(path, name));
  if (head.kind === 'RefTable') return openReferenceTable(reader, head, openOther);
  if (head.kind === 'ConcatTable') return openConcatenatedTable(path, reader, openOther);
  if (head.kind !== 'PlainTable')
    throw new AsperitasError(
      'unsupported-table',
      oneLine(`${path}: tables of kind "${head.kind.slice(0, 40)}" are not read; copy it with casacore`),
      { table: path },
    );
  const description = readPlainDescription(reader, (name) => resolveTablePath(path, name));
  const rowCount = (await lockedRowCount(path)) ?? head.rowCount;
  const littleEndian = head.endian === 'little';
  return { ...(await openPlainTable({ path, rowCount, littleEndian, description, context })), rowCount };
}

interface OpenedTable {
  readonly context: OpenContext;
  readonly path: string;
  readonly head: TableHead;
  readonly parts: TableParts;
  readonly info: { readonly type: string; readonly subType: string };
}

function tableOf({ context, path, head, parts, info }: OpenedTable): Table {
  const columns = new Map<string, Column>(parts.columns.map((column) => [column.name, column]));
  const links = subtablePaths(parts.keywords);
  const subtables = new Map<string, Promise<Table>>();
  let closing: Promise<void> | undefined;
  return {
    path,
    kind: head.kind === 'RefTable' ? 'reference' : head.kind === 'ConcatTable' ? 'concatenated' : 'plain',
    endian: head.endian,
    rowCount: parts.rowCount ?? head.rowCount,
    info,
    columns: parts.columns,
    keywords: parts.keywords,
    hasColumn: (name) => columns.has(name),
    column(name) {
      const column = columns.get(name);
      if (column !== undefined) return column;
      throw new AsperitasError(
        'no-such-column',
        oneLine(`${path}: no column ${name}; ${namesInstead(name, [...columns.keys()])}`),
        { table: path, column: name },
      );
    },
    subtableNames: [...links.keys()],
    subtable(name) {
      const target = links.get(name);
      if (target === undefined) return Promise.reject(noSuchSubtable(path, name, [...links.keys()]));
      const kept = subtables.get(name);
      if (kept !== undefined) return kept;
      const opened = parts.subtables?.get(name)?.() ?? openSubtable(context, path, target);
      subtables.set(name, opened);
      return opened;
    },
    // Once: tables that stand on one table many times, at many levels, would close it times without number.
    close: () => (closing ??= closeParts(parts, subtables)),
  };
}

async function closeParts(parts: TableParts, subtables: ReadonlyMap<string, Promise<Table>>): Promise<void> {
  await parts.close();
  for (const table of await Promise.allSettled(subtables.values()))
    if (table.status === 'fulfilled') await table.value.close();
}

function openSubtable(context: OpenContext, parent: string, path: string): Promise<Table> {
  const depth = context.depth + 1;
  if (depth > limits.subtableDepth)
    return Promise.reject(damaged(join(parent, 'table.dat'), 0, `subtables nested ${depth} deep`));
  return openWithin({ ...context, tables: new Map(), waiting: [], depth }, path);
}

function subtablePaths(keywords: Table['keywords']): Map<string, string> {
  const isLink = (value: KeywordValue): value is { readonly table: string } =>
    typeof value === 'object' && 'table' in value && typeof value.table === 'string';
  const links = new Map<string, string>();
  for (const [name, value] of Object.entries(keywords)) if (isLink(value)) links.set(name, value.table);
  return links;
}

function noSuchSubtable(table: string, name: string, names: readonly string[]): AsperitasError {
  return new AsperitasError(
    'no-such-subtable',
    oneLine(`${table}: no subtable ${name}; ${namesInstead(name, names)}`),
    { table, subtable: name },
  );
}
