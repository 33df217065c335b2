/**
 * Owns the contents of table.dat: the kind of table, its byte order, and for a plain table its keywords,
 * columns and storage managers. Must not know: what a storage manager does with its private bytes.
 */
import type { AipsReader, Frame } from './aips-io.ts';
import { typeOfCode } from './data-type.ts';
import type { DataType, TableRecord } from './table.ts';
import { unsupported } from './table-errors.ts';
import { type ResolveTable, readRecord, readScalar } from './table-record.ts';

/** The head of table.dat, common to all kinds of table. */
export interface TableHead {
  readonly rowCount: number;
  readonly endian: 'big' | 'little';
  readonly kind: string;
  readonly frame: Frame;
}

/** A column as table.dat describes it. */
export interface ColumnDescription {
  readonly name: string;
  readonly comment: string;
  readonly type: DataType;
  readonly isArray: boolean;
  /** Array values stored beside the scalars rather than in a file of arrays. */
  readonly isDirect: boolean;
  /** The shape of every cell, fastest axis first, where fixed. */
  readonly fixedShape: readonly number[] | undefined;
  /** Bytes of a string of fixed length, or 0. */
  readonly maxLength: number;
  readonly keywords: TableRecord;
  /** The sequence number of its storage manager. */
  readonly manager: number;
}

/** A storage manager with its columns, in the order in which it numbers them. */
export interface ManagerDescription {
  readonly type: string;
  readonly sequence: number;
  readonly columns: readonly ColumnDescription[];
  /** Private bytes of the manager in table.dat, and their offset there. */
  readonly blob: Uint8Array;
  readonly blobOffset: number;
}

export interface PlainDescription {
  readonly keywords: TableRecord;
  readonly columns: readonly ColumnDescription[];
  readonly managers: readonly ManagerDescription[];
  /** All storage managers' files lie in one file table.mf. */
  readonly inMultiFile: boolean;
}

/** Reads the head of table.dat; what follows depends on `kind`. */
export function readTableHead(reader: AipsReader): TableHead {
  const frame = reader.open('Table');
  const rowCount = frame.version > 2 ? reader.u64() : reader.u32();
  const order = reader.u32();
  if (order > 1) throw reader.damaged(`byte order ${order}`);
  return { rowCount, endian: order === 1 ? 'little' : 'big', kind: reader.string(), frame };
}

/** The option of array columns whose values lie beside the scalars. */
const DIRECT = 1;
/** Storage options of a column set: the files of all managers in a MultiFile, in HDF5, or separate. */
const MULTI_FILE = 0;
const MULTI_HDF5 = 1;

interface Draft {
  readonly name: string;
  readonly comment: string;
  readonly type: DataType;
  readonly isArray: boolean;
  readonly option: number;
  readonly shape: readonly number[];
  readonly maxLength: number;
  readonly keywords: TableRecord;
}

/** Reads the rest of the table.dat of a PlainTable. */
export function readPlainDescription(reader: AipsReader, resolve: ResolveTable): PlainDescription {
  const frame = reader.open('TableDesc');
  for (let i = 0; i < 3; i++) reader.string(); // Name, version and comment of the description.
  const keywords = readRecord(reader, resolve);
  if (frame.version > 1) readRecord(reader, resolve); // Hypercolumns, which the headers repeat.
  const count = reader.count(30, 'columns');
  const drafts: Draft[] = [];
  for (let i = 0; i < count; i++) drafts.push(readColumn(reader, resolve));
  reader.close(frame);
  return { keywords, ...readColumnSet(reader, drafts) };
}

function readColumn(reader: AipsReader, resolve: ResolveTable): Draft {
  reader.u32();
  const kind = reader.string();
  reader.u32();
  const name = reader.string();
  const comment = reader.string();
  reader.string(); // The manager's type and group: the column set below says which one it really is.
  reader.string();
  const code = reader.i32();
  const known = typeOfCode(code);
  if (known === undefined || known.type === 'table')
    throw reader.damaged(`column ${name.slice(0, 40)} of the unknown type ${code}`);
  const option = reader.i32();
  reader.i32(); // The number of axes, which the shapes say better.
  const isArray = !kind.startsWith('Scalar');
  const shape = isArray ? reader.shape() : [];
  const maxLength = reader.u32();
  const keywords = readRecord(reader, resolve);
  reader.u32();
  if (kind.startsWith('ScalarColumnDesc')) {
    if (known.type === 'record') throw reader.damaged(`column ${name.slice(0, 40)} is a scalar of records`);
    readScalar(reader, known.type);
  } else if (kind.startsWith('ArrayColumnDesc')) reader.bool();
  return { name, comment, type: known.type, isArray, option, shape, maxLength, keywords };
}

function readColumnSet(reader: AipsReader, drafts: readonly Draft[]): Omit<PlainDescription, 'keywords'> {
  const version = reader.i32();
  let option = -1;
  if (version <= -3) {
    reader.u64();
    option = reader.i32();
    reader.i32();
  } else if (version < 0) reader.u32();
  if (option === MULTI_HDF5) throw unsupported(reader.file, 'storage inside an HDF5 file');
  reader.u32();
  const managerCount = reader.count(8, 'storage managers');
  const heads: { type: string; sequence: number }[] = [];
  for (let i = 0; i < managerCount; i++) heads.push({ type: reader.string(), sequence: reader.u32() });
  const columns = drafts.map((draft) => placeColumn(reader, draft));
  for (const column of columns)
    if (!heads.some(({ sequence }) => sequence === column.manager))
      throw reader.damaged(`column ${column.name.slice(0, 40)} has no storage manager ${column.manager}`);
  const managers = heads.map(({ type, sequence }) => {
    const length = reader.u32();
    const blobOffset = reader.position;
    const blob = reader.raw(length, 'a storage manager');
    return { type, sequence, columns: columns.filter((c) => c.manager === sequence), blob, blobOffset };
  });
  return { columns, managers, inMultiFile: option === MULTI_FILE };
}

function placeColumn(reader: AipsReader, draft: Draft): ColumnDescription {
  const version = reader.u32();
  if (version !== 2) throw reader.damaged(`column ${draft.name.slice(0, 40)} of version ${version}`);
  reader.string(); // The name it had when it was made.
  reader.u32();
  const manager = reader.u32();
  // A shape given when the table was made wins over the description's.
  const shape = draft.isArray && reader.bool() ? reader.shape() : draft.shape;
  const isDirect = !draft.isArray || (draft.option & DIRECT) !== 0;
  if (draft.isArray && (draft.option & DIRECT) !== 0 && shape.length === 0)
    throw reader.damaged(`column ${draft.name.slice(0, 40)} has direct arrays of no fixed shape`);
  const { name, comment, type, isArray, maxLength, keywords } = draft;
  return {
    ...{ name, comment, type, isArray, isDirect, maxLength, keywords, manager },
    fixedShape: isArray && shape.length === 0 ? undefined : shape,
  };
}
