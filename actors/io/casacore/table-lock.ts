/**
 * Owns the reading of table.lock, where casacore notes the row count of a table whose table.dat is older than
 * its last rows. Locks themselves are of no concern to a reader. Must not know: the rest of the table.
 */
import { join } from 'node:path';
import { isAsperitasError } from '../../../runtime/index.ts';
import { AipsReader } from './aips-io.ts';
import { readSmallFile } from './byte-source.ts';

/** A list of requests for locks: a count and 32 pairs of numbers, then the length of the information. */
const REQUEST_BYTES = 260;
/** casacore writes some hundred bytes. */
const MOST_BYTES = 1 << 20;

/** The number of rows by table.lock, or `undefined` where it says nothing. */
export async function lockedRowCount(table: string): Promise<number | undefined> {
  const path = join(table, 'table.lock');
  try {
    const bytes = await readSmallFile(path, MOST_BYTES);
    return bytes === undefined ? undefined : parseLock(path, bytes);
  } catch (error) {
    if (isAsperitasError(error, 'missing-file')) return undefined;
    throw error;
  }
}

/** As `lockedRowCount`, of the bytes of the file. */
function parseLock(path: string, bytes: Uint8Array): number | undefined {
  if (bytes.length <= REQUEST_BYTES + 4) return undefined;
  const reader = new AipsReader({ bytes, file: path });
  reader.position = REQUEST_BYTES;
  if (reader.u32() === 0) return undefined;
  const frame = reader.open('sync');
  const rows = frame.version > 1 ? reader.u64() : reader.u32();
  return rows === 0 ? undefined : rows;
}
