/**
 * Owns the shorthand in which the tables of a new Measurement Set are put down: columns of numbers, texts and
 * arrays with the units and reference frames that casacore's measures look for.
 * Must not know: which tables and columns a set has.
 */
import type { RecordToWrite } from '../casacore/aips-io-writer.ts';
import type { CellRun, ColumnToWrite, WritableType } from '../casacore/column-to-write.ts';

export const units = (...names: readonly string[]): RecordToWrite => ({ QuantumUnits: names });

const measure = (type: string, frame: string, ...names: readonly string[]): RecordToWrite => ({
  ...units(...names),
  MEASINFO: { type, Ref: frame },
});

/** Seconds, MJD UTC. */
export const utc = measure('epoch', 'UTC', 's');
/** Right ascension and declination, radians. */
export const j2000 = measure('direction', 'J2000', 'rad', 'rad');
/** Metres, geocentric. */
export const itrf = measure('position', 'ITRF', 'm', 'm', 'm');
/** Metres along the axes of the phase centre; casacore writes ITRF here, whatever the axes are. */
export const uvwMetres = measure('uvw', 'ITRF', 'm', 'm', 'm');
/** Hz, in the frame that each row's MEAS_FREQ_REF names. */
export const frequency: RecordToWrite = {
  ...units('Hz'),
  MEASINFO: {
    type: 'frequency',
    VarRefCol: 'MEAS_FREQ_REF',
    TabRefTypes: ['REST', 'LSRK', 'LSRD', 'BARY', 'GEO', 'TOPO', 'GALACTO', 'LGROUP', 'CMB', 'Undefined'],
    TabRefCodes: Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 64),
  },
};

const arrayTypes = { bool: Uint8Array, int: Int32Array, double: Float64Array } as const;

/** A column with one number (or bool, 0 or 1) a row. */
export function numbers(
  name: string,
  type: keyof typeof arrayTypes,
  values: readonly number[],
  keywords: RecordToWrite = {},
): ColumnToWrite {
  return { name, type, keywords, cells: { layout: 'scalar', values: arrayTypes[type].from(values) } };
}

/** A column with one text a row. */
export function texts(name: string, values: readonly string[]): ColumnToWrite {
  return { name, type: 'string', cells: { layout: 'scalar', values } };
}

/** A column of vectors of one length. */
export function vectors(
  name: string,
  length: number,
  values: Float64Array,
  keywords: RecordToWrite,
): ColumnToWrite {
  return { name, type: 'double', keywords, cells: { layout: 'fixed', shape: [length], values } };
}

/** A column of arrays of any shape. */
export interface ArraysToWrite {
  readonly name: string;
  readonly type: WritableType;
  readonly dimensions: number;
  readonly runs: readonly CellRun[];
  readonly keywords?: RecordToWrite;
  readonly tiled?: boolean;
}

export function arrays({
  name,
  type,
  dimensions,
  runs,
  keywords = {},
  tiled = false,
}: ArraysToWrite): ColumnToWrite {
  return { name, type, keywords, cells: { layout: 'variable', dimensions, runs, tiled } };
}

/** `count` times the same. */
export const times = <T>(count: number, value: T): readonly T[] => new Array<T>(count).fill(value);
