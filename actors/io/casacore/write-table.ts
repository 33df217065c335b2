/**
 * Owns the writing of new casacore tables: a directory with table.dat, table.info, table.lock and the files
 * of its storage managers, as casacore 2 and 3 read it. Little-endian, whole tables from memory, no changes
 * to tables that exist. Must not know: Measurement Sets.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsperitasError, assert } from '../../../runtime/index.ts';
import { AipsWriter, type RecordToWrite } from './aips-io-writer.ts';
import { type ColumnToWrite, rowsOf, typeFacts } from './column-to-write.ts';
import { standardStorage } from './write-standard-storage.ts';
import { tiledStorage } from './write-tiled-storage.ts';

/** A table to be written. */
export interface TableToWrite {
  readonly rowCount: number;
  readonly columns: readonly ColumnToWrite[];
  readonly keywords?: RecordToWrite;
  /** The words of table.info. */
  readonly info?: { readonly type: string; readonly subType: string; readonly readme?: string };
}

/** Lengths and offsets are written with 32 bits. */
const largestFile = 2 ** 32 - 1;

/** A storage manager, its columns and what it says in table.dat. */
interface Manager {
  readonly type: string;
  readonly columns: readonly ColumnToWrite[];
  readonly blob: Uint8Array;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const isTiled = ({ cells }: ColumnToWrite) => cells.layout !== 'scalar' && cells.tiled === true;

const managerType = ({ cells }: ColumnToWrite) =>
  cells.layout === 'fixed' ? 'TiledColumnStMan' : 'TiledShapeStMan';

/** One StandardStMan for the plain columns, one tiled manager for each tiled one. */
function makeManagers(table: TableToWrite): readonly Manager[] {
  const managers: Manager[] = [];
  const plain = table.columns.filter((column) => !isTiled(column));
  if (plain.length > 0) {
    const { file, arrayFile, blob } = standardStorage(plain, table.rowCount);
    const files = new Map([['table.f0', file]]);
    if (arrayFile !== undefined) files.set('table.f0i', arrayFile);
    managers.push({ type: 'StandardStMan', columns: plain, blob, files });
  }
  for (const column of table.columns.filter(isTiled)) {
    const sequence = managers.length;
    const { header, cubes } = tiledStorage(column, sequence, table.rowCount);
    const files = new Map([[`table.f${sequence}`, header]]);
    for (const [k, bytes] of cubes) files.set(`table.f${sequence}_TSM${k}`, bytes);
    managers.push({ type: managerType(column), columns: [column], blob: new Uint8Array(0), files });
  }
  return managers;
}

/** Option bits of a column: its cells have a fixed shape, and stand in the buckets themselves. */
const fixedShape = 4;
const direct = 1;

function writeColumnDescription(writer: AipsWriter, column: ColumnToWrite): void {
  const { name, type, comment = '', keywords = {}, cells } = column;
  const { code, name: typeName } = typeFacts[type];
  const scalar = cells.layout === 'scalar';
  writer.uint(1);
  writer.string(`${scalar ? 'Scalar' : 'Array'}ColumnDesc<${typeName}`);
  writer.uint(1);
  writer.string(name);
  writer.string(comment);
  for (const text of ['StandardStMan', 'StandardStMan']) writer.string(text);
  writer.int(code);
  writer.int(cells.layout === 'fixed' ? fixedShape + (isTiled(column) ? 0 : direct) : 0);
  if (cells.layout === 'scalar') {
    writer.int(0);
  } else {
    writer.int(cells.layout === 'fixed' ? cells.shape.length : cells.dimensions);
    writer.position(cells.layout === 'fixed' ? cells.shape : []);
  }
  writer.uint(0);
  writer.record(keywords);
  writer.uint(1);
  if (scalar) writer.raw(new Uint8Array(defaultBytes[type]));
  else writer.bool(false);
}

/** Bytes of a scalar column's default value, which is zero, false or the empty text. */
const defaultBytes = { bool: 1, int: 4, float: 4, double: 8, complex: 8, string: 4 } as const;

function writeTableDescription(writer: AipsWriter, { columns, keywords = {} }: TableToWrite): void {
  writer.object('TableDesc', 2, () => {
    for (const text of ['', '', '']) writer.string(text);
    writer.record(keywords);
    writer.record({});
    writer.uint(columns.length);
    for (const column of columns) writeColumnDescription(writer, column);
  });
}

/** The columns' places among the managers, then what each manager says of itself. */
function writeColumnSet(writer: AipsWriter, table: TableToWrite, managers: readonly Manager[]): void {
  writer.int(-2);
  writer.uint(table.rowCount);
  writer.uint(managers.length);
  writer.uint(managers.length);
  managers.forEach(({ type }, sequence) => {
    writer.string(type);
    writer.uint(sequence);
  });
  for (const column of table.columns) {
    writer.uint(2);
    writer.string(column.name);
    writer.uint(1);
    writer.uint(managers.findIndex(({ columns }) => columns.includes(column)));
    const { cells } = column;
    if (cells.layout === 'scalar') continue;
    writer.bool(cells.layout === 'fixed');
    if (cells.layout === 'fixed') writer.position(cells.shape);
  }
  for (const { blob } of managers) {
    writer.uint(blob.length);
    writer.raw(blob);
  }
}

function tableBytes(table: TableToWrite, managers: readonly Manager[]): Uint8Array {
  const writer = new AipsWriter();
  writer.object(
    'Table',
    2,
    () => {
      writer.uint(table.rowCount);
      writer.uint(1);
      writer.string('PlainTable');
      writeTableDescription(writer, table);
      writeColumnSet(writer, table, managers);
    },
    true,
  );
  return writer.bytes;
}

/** An empty list of lock requests, then the table's size, which readers take before that of table.dat. */
function lockBytes(table: TableToWrite, managers: readonly Manager[]): Uint8Array {
  const sync = new AipsWriter();
  sync.object(
    'sync',
    1,
    () => {
      for (const value of [table.rowCount, table.columns.length, 1, 1]) sync.uint(value);
      sync.block(managers.map(() => 1));
    },
    true,
  );
  const writer = new AipsWriter();
  writer.raw(new Uint8Array(260));
  writer.uint(sync.bytes.length);
  writer.raw(sync.bytes);
  return writer.bytes;
}

/**
 * Writes a table into a directory that does not exist yet. Throws `table-too-large` where a file would exceed
 * 4 GiB, and what the file system throws.
 */
export async function writeTable(path: string, table: TableToWrite): Promise<void> {
  for (const column of table.columns) {
    const rows = rowsOf(column);
    assert(rows === table.rowCount, `column ${column.name} has ${rows} rows, the table ${table.rowCount}`);
  }
  const managers = makeManagers(table);
  const files = new Map(managers.flatMap(({ files: own }) => [...own]));
  for (const [name, bytes] of files) {
    if (bytes.length <= largestFile) continue;
    throw new AsperitasError(
      'table-too-large',
      `${path}: ${name} would take ${bytes.length} bytes; at most 4 GiB`,
      {
        table: path,
        file: name,
      },
    );
  }
  const { type = '', subType = '', readme = '' } = table.info ?? {};
  const info = `Type = ${type}\nSubType = ${subType}\n\n${readme}\n`;
  await mkdir(path, { recursive: false });
  await writeFile(join(path, 'table.info'), info);
  for (const [name, bytes] of files) await writeFile(join(path, name), bytes);
  await writeFile(join(path, 'table.lock'), lockBytes(table, managers));
  await writeFile(join(path, 'table.dat'), tableBytes(table, managers));
}
