/**
 * Owns fields: the FIELD subtable, phase centres turned to ICRS/J2000, and the finding of the field a user
 * means. A phase centre that is a polynomial in time is taken at order 0. Must not know: the rows of the main
 * table.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import type { Direction } from '../../visibility.ts';
import type { Column, Table, TableRecord } from '../casacore/table.ts';
import { wrapRa } from '../wcs.ts';
import { limits } from './limits.ts';
import { damaged, openSubtable, readArrays, readNumbers, readTexts } from './subtables.ts';

export interface Field {
  readonly id: number;
  readonly name: string;
  /** The frame in which the set stores the phase centre, such as `J2000`. */
  readonly frame: string;
  /**
   * Turned to ICRS/J2000; `undefined` where the frame depends on time and place (`AZEL`, `APP`, planets,
   * ...).
   */
  readonly phaseCentre: Direction | undefined;
}

type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/**
 * Rotation of galactic to J2000 directions: the transpose of the Hipparcos catalogue's matrix (vol. 1, eq.
 * 1.5.11).
 */
const galacticToJ2000: Matrix = [
  -0.0548755604, 0.4941094279, -0.867666149, -0.8734370902, -0.44482963, -0.1980763734, -0.4838350155,
  0.7469822445, 0.4559837762,
];
/** Rotation of mean B1950 to J2000 directions, no proper motion (Standish 1982; Aoki et al. 1983). */
const b1950ToJ2000: Matrix = [
  0.9999256782, -0.0111820611, -0.0048579477, 0.0111820611, 0.9999374784, -0.0000271765, 0.0048579477,
  -0.0000271474, 0.9999881997,
];
/**
 * The elliptic terms of aberration that B1950 catalogue positions contain (Explanatory Supplement 1992,
 * 3.531).
 */
const ellipticTerms = [-1.62557e-6, -0.31919e-6, -0.13843e-6] as const;

function rotated(
  matrix: Matrix,
  longitude: number,
  latitude: number,
  withoutEllipticTerms: boolean,
): Direction {
  let x = Math.cos(latitude) * Math.cos(longitude);
  let y = Math.cos(latitude) * Math.sin(longitude);
  let z = Math.sin(latitude);
  if (withoutEllipticTerms) {
    const [ax, ay, az] = ellipticTerms;
    const along = x * ax + y * ay + z * az;
    [x, y, z] = [x - ax + along * x, y - ay + along * y, z - az + along * z];
  }
  const [a, b, c, d, e, f, g, h, i] = matrix;
  const [p, q, r] = [a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + i * z];
  return { raRad: wrapRa(Math.atan2(q, p)), decRad: Math.atan2(r, Math.hypot(p, q)) };
}

/**
 * A stored direction as ICRS/J2000, which differ by less than 0.03 arcsec; `undefined` in frames that move.
 */
export function toJ2000(longitude: number, latitude: number, frame: string): Direction | undefined {
  switch (frame) {
    case 'J2000':
    case 'ICRS':
      return { raRad: wrapRa(longitude), decRad: latitude };
    case 'B1950':
    case 'B1950_VLA':
      return rotated(b1950ToJ2000, longitude, latitude, true);
    case 'GALACTIC':
      return rotated(galacticToJ2000, longitude, latitude, false);
    default:
      return undefined;
  }
}

const record = (value: unknown): TableRecord | undefined =>
  typeof value === 'object' && value !== null && !('values' in value) ? (value as TableRecord) : undefined;

const list = (value: unknown): readonly (string | number)[] => {
  const values = (value as { readonly values?: ArrayLike<string | number> } | undefined)?.values;
  return values === undefined ? [] : Array.from(values);
};

/**
 * The frame of each row: one for the column, or by a second column of codes or names (casacore's MEASINFO).
 */
async function directionFrames(table: Table, column: Column): Promise<readonly string[]> {
  const info = record(column.keywords.MEASINFO);
  const reference = info?.VarRefCol;
  if (typeof reference === 'string' && table.hasColumn(reference)) {
    const types = list(info?.TabRefTypes);
    const codes = list(info?.TabRefCodes).map(Number);
    const isText = table.column(reference).type === 'string';
    const values = isText ? await readTexts(table, reference) : await readNumbers(table, reference);
    return values.map((value) => {
      if (typeof value === 'string') return value.toUpperCase();
      const at = codes.indexOf(value);
      // Without a table of codes the numbers are casacore's own, of which 0 is J2000.
      return String(types[at] ?? (value === 0 ? 'J2000' : `code ${value}`)).toUpperCase();
    });
  }
  const fixed = info?.Ref;
  return new Array<string>(table.rowCount).fill(typeof fixed === 'string' ? fixed.toUpperCase() : 'J2000');
}

/** FIELD. */
export async function readFields(main: Table): Promise<readonly Field[]> {
  const table = await openSubtable(main, 'FIELD');
  if (!table.hasColumn('PHASE_DIR')) throw damaged(table, 'the column PHASE_DIR is missing');
  const [names, centres, frames] = await Promise.all([
    readTexts(table, 'NAME'),
    readArrays(table, 'PHASE_DIR'),
    directionFrames(table, table.column('PHASE_DIR')),
  ]);
  return names.map((name, id) => {
    // The cell is [2, order + 1] with the coordinate axis fastest: the first two values are order 0.
    const values = centres[id]?.values as ArrayLike<number> | undefined;
    const longitude = Number(values?.[0] ?? Number.NaN);
    const latitude = Number(values?.[1] ?? Number.NaN);
    const frame = frames[id]!;
    const finite = Number.isFinite(longitude) && Number.isFinite(latitude);
    return { id, name, frame, phaseCentre: finite ? toJ2000(longitude, latitude, frame) : undefined };
  });
}

/** `0 "CAL", 1 "TARGET"`, cut after some. */
function listOf(fields: readonly Field[]): string {
  const named = fields.slice(0, limits.listedNames).map(({ id, name }) => `${id} "${name}"`);
  const more = fields.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * The field a user means by an id or a name. Digits are an id if there is such a field, else a name.
 * Throws `no-such-field`, which lists the fields, and `ambiguous-field` where several carry the name.
 */
export function resolveField(fields: readonly Field[], wanted: number | string, set: string): Field {
  const text = String(wanted).trim();
  const byId = /^\d+$/.test(text) ? fields[Number(text)] : undefined;
  if (byId !== undefined) return byId;
  const byName = fields.filter(({ name }) => name === text);
  if (byName.length === 1) return byName[0]!;
  if (byName.length > 1) {
    const ids = byName.map(({ id }) => String(id));
    throw new AsperitasError(
      'ambiguous-field',
      `${set}: ${ids.length} fields are called "${text}" (ids ${ids.join(', ')}); name one by its id`,
      { set, field: text, ids },
    );
  }
  const known = fields.length === 0 ? 'the set has no fields' : `the set has ${listOf(fields)}`;
  throw new AsperitasError('no-such-field', `${set}: no field "${text}"; ${known}`, {
    set,
    field: text,
    fields: fields.map(({ id, name }) => `${id} ${name}`),
  });
}
