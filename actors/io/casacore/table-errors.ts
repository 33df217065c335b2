/**
 * Owns the wording of the errors that a table's bytes can cause: one line with the file, the column where
 * known, and the byte offset. Must not know: any storage manager.
 */
import { AsperitasError, isAsperitasError } from '../../../runtime/index.ts';

/** Text from a table as part of an error: control characters and broken letters become `?`. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, '?');
}

/** The bytes of `file` at `offset` can't be what they claim to be. */
export function damaged(file: string, offset: number, why: string): AsperitasError {
  return new AsperitasError(
    'damaged-table',
    oneLine(`${file}: ${why} (at byte ${offset}); the file is damaged or incomplete, fetch it again`),
    { file, offset },
  );
}

/** The bytes are understood to be something that this reader does not read. */
export function unsupported(file: string, what: string): AsperitasError {
  return new AsperitasError(
    'unsupported-storage-manager',
    oneLine(`${file}: ${what} is not supported; copy the table with casacore into standard storage managers`),
    { file },
  );
}

export function raggedColumn(
  first: readonly number[],
  other: readonly number[],
  row: number,
): AsperitasError {
  return new AsperitasError(
    'ragged-column',
    `row ${row} has shape [${other}] after rows of shape [${first}]; read rows of one shape, or cell by cell`,
    { row },
  );
}

export function undefinedCell(row: number): AsperitasError {
  return new AsperitasError(
    'undefined-cell',
    `row ${row} has no value; read cell by cell to skip such rows`,
    {
      row,
    },
  );
}

/** Turns what the file system says into an error of ours. */
export function fileError(path: string, error: unknown): AsperitasError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new AsperitasError(
      'missing-file',
      oneLine(`${path}: no such file; the table is incomplete or elsewhere`),
      {
        file: path,
      },
    );
  return new AsperitasError(
    'unreadable-file',
    oneLine(`${path}: can't be read (${code}); check permissions and the disk`),
    { file: path, reason: code },
    { cause: error },
  );
}

/** The same error, saying which column of which table was being read. */
export function inColumn(error: unknown, table: string, column: string): unknown {
  if (!isAsperitasError(error) || 'column' in error.fields) return error;
  return new AsperitasError(
    error.code,
    oneLine(`${table}: column ${column.slice(0, 80)}: ${error.message}`),
    { ...error.fields, table, column },
    { cause: error },
  );
}
