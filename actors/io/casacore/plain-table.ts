/**
 * Owns a plain table: its columns over their storage managers, each opened at the first read of one of its
 * columns. Must not know: how any storage manager lays out its bytes.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openFile } from './byte-source.ts';
import { openColumn } from './column.ts';
import { openDyscoStMan } from './dysco.ts';
import { openIncrementalStMan } from './incremental-stman.ts';
import { limits } from './limits.ts';
import { type MultiFile, openMultiFile } from './multi-file.ts';
import type { OpenContext, TableParts } from './open-context.ts';
import { openStandardStMan } from './standard-stman.ts';
import { openStManAipsIO } from './stman-aips-io.ts';
import type { ColumnReader, ManagerContext, OpenManager, StorageManager } from './storage-manager.ts';
import type { Column, ColumnInfo } from './table.ts';
import type { ManagerDescription, PlainDescription } from './table-description.ts';
import { damaged, unsupported } from './table-errors.ts';
import { type OpenByName, TableFiles } from './table-files.ts';
import { openTiledStMan } from './tiled-stman.ts';

const managers: ReadonlyMap<string, OpenManager> = new Map([
  ['StandardStMan', openStandardStMan],
  ['IncrementalStMan', openIncrementalStMan],
  ['TiledColumnStMan', openTiledStMan],
  ['TiledShapeStMan', openTiledStMan],
  ['TiledCellStMan', openTiledStMan],
  ['TiledDataStMan', openTiledStMan],
  ['DyscoStMan', openDyscoStMan],
  ['StManAipsIO', openStManAipsIO],
]);

export interface PlainTableOptions {
  readonly path: string;
  readonly rowCount: number;
  readonly littleEndian: boolean;
  readonly description: PlainDescription;
  readonly context: OpenContext;
}

/** Makes the table; reads no file but to check an extraordinary row count. */
export async function openPlainTable(options: PlainTableOptions): Promise<TableParts> {
  const { path, rowCount, description, context } = options;
  await checkRowCount(path, rowCount);
  const files = new TableFiles(path, context.pages, multiFileOf(options));
  const opened = new Map<number, Promise<StorageManager>>();
  const readerOf = async (name: string): Promise<ColumnReader> => {
    const column = description.columns.find((candidate) => candidate.name === name);
    const manager = description.managers.find(({ sequence }) => sequence === column?.manager);
    if (column === undefined || manager === undefined)
      throw damaged(join(path, 'table.dat'), 0, `there is no column ${name}, which another column needs`);
    let storage = opened.get(manager.sequence);
    if (storage === undefined) {
      storage = openManager({ ...options, manager, files, sibling });
      opened.set(manager.sequence, storage);
    }
    return (await storage).column(manager.columns.indexOf(column));
  };
  const sibling = readerOf;
  const columns = description.columns.map((column) => {
    const manager = description.managers.find(({ sequence }) => sequence === column.manager);
    const { name, type, isArray, fixedShape, comment, keywords } = column;
    const storageManager = manager?.type ?? '';
    const described = { name, type, isArray, fixedShape, storageManager, comment, keywords };
    const info: ColumnInfo =
      manager === undefined ? described : { ...described, storageNumber: manager.sequence };
    let reader: Promise<ColumnReader> | undefined;
    return openColumn({ table: path, rowCount, info, reader: () => (reader ??= readerOf(name)) });
  });
  return { columns: columns satisfies Column[], keywords: description.keywords, close: () => files.close() };
}

interface ManagerParts extends PlainTableOptions {
  readonly manager: ManagerDescription;
  readonly files: TableFiles;
  readonly sibling: ManagerContext['sibling'];
}

async function openManager(parts: ManagerParts): Promise<StorageManager> {
  const { path, rowCount, littleEndian, manager, files, context, sibling } = parts;
  const open = managers.get(manager.type);
  if (open === undefined || manager.columns.some(({ type }) => type === 'record'))
    throw unsupported(path, `the storage manager ${manager.type.slice(0, 60)}`);
  return open({ table: path, rowCount, littleEndian, manager, files, tiles: context.tiles, sibling });
}

/** Where all files of a table are inside one container, the way to open them. */
function multiFileOf({ path, description }: PlainTableOptions): OpenByName | undefined {
  if (!description.inMultiFile) return undefined;
  const container = join(path, 'table.mf');
  let opened: Promise<MultiFile> | undefined;
  return async (name) => {
    opened ??= openFile(container).then((source) =>
      openMultiFile(source).catch(async (error: unknown) => {
        await source.close();
        throw error;
      }),
    );
    return (await opened).member(name);
  };
}

/** A row count far out of proportion to the files is damage, and would make every loop over rows endless. */
async function checkRowCount(path: string, rowCount: number): Promise<void> {
  if (rowCount <= limits.unprovenRows) return;
  let bytes = 0;
  for (const name of await readdir(path)) {
    if (!name.startsWith('table.')) continue;
    const found = await stat(join(path, name)).catch(() => undefined);
    bytes += found?.isFile() ? found.size : 0;
  }
  if (rowCount > bytes * limits.rowsPerByte)
    throw damaged(join(path, 'table.dat'), 0, `${rowCount} rows in ${bytes} bytes`);
}
