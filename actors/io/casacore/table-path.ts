/**
 * Owns the rules by which tables name one another on disk, and the text file table.info.
 * Must not know: what is in a table.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isAsperitasError } from '../../../runtime/index.ts';
import { readSmallFile } from './byte-source.ts';
import { decodeText } from './text.ts';

/**
 * The absolute path of a table named inside `table`: `././X` lies inside it, `./X` beside it; any other name
 * is taken as written, or by its last part inside `table` where the set has been moved since.
 */
export function resolveTablePath(table: string, name: string): string {
  const bare = name.replace(/^(\.\/)+/, '');
  const levels = (name.length - bare.length) / 2;
  if (levels >= 2) return join(table, bare);
  if (levels === 1) return join(dirname(table), bare);
  const written = resolve(dirname(table), bare);
  const inside = join(table, basename(bare));
  return !existsSync(join(written, 'table.dat')) && existsSync(join(inside, 'table.dat')) ? inside : written;
}

/** A path as a user writes it: `OBS.ms::ANTENNA` is the subtable `OBS.ms/ANTENNA`. */
export function tablePathOf(text: string): string {
  return resolve(text.replace(/\/+$/, '').replaceAll('::', '/'));
}

/** More than any table.info that casacore has written. */
const MOST_INFO_BYTES = 1 << 20;

/** The words of table.info; empty where the file is missing. */
export async function readTableInfo(table: string): Promise<{ type: string; subType: string }> {
  const path = join(table, 'table.info');
  try {
    const bytes = await readSmallFile(path, MOST_INFO_BYTES);
    const text = decodeText(bytes ?? new Uint8Array(0));
    const word = (name: string) => new RegExp(`^${name} *= *(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
    return { type: word('Type'), subType: word('SubType') };
  } catch (error) {
    if (isAsperitasError(error, 'missing-file')) return { type: '', subType: '' };
    throw error;
  }
}
