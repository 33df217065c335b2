/**
 * Owns the reading of the small subtables that describe a Measurement Set: antennas, fields, spectral
 * windows, polarisations, data descriptions, observation. Each is read whole, once, when first asked for.
 * Must not know: the rows of the main table, Stokes parameters.
 */
import { AsperitasError, isAsperitasError } from '../../../runtime/index.ts';
import type { Cell, Table } from '../casacore/table.ts';
import { correlationName } from './correlations.ts';
import { limits } from './limits.ts';

export interface Antenna {
  readonly id: number;
  readonly name: string;
  readonly station: string;
  /** metres, ITRF */
  readonly position: readonly [number, number, number];
  readonly diameterMetres: number;
}

export interface SpectralWindow {
  readonly id: number;
  readonly name: string;
  /** `[chan]` Hz, channel centres in stored order: they may descend. Empty where the set does not say. */
  readonly freq: Float64Array;
  /** `[chan]` Hz; negative where frequencies descend, if the writer said so. */
  readonly width: Float64Array;
  readonly referenceHz: number;
  /** The frame of the frequencies, such as `TOPO`. */
  readonly frame: string;
}

export interface Polarization {
  readonly id: number;
  /** In stored order; an unusual one is `corr-type-N`. */
  readonly correlations: readonly string[];
}

/** A row of DATA_DESCRIPTION: what DATA_DESC_ID = `id` means. */
export interface DataDescription {
  readonly id: number;
  readonly spectralWindowId: number;
  readonly polarizationId: number;
}

export interface Observation {
  readonly telescope: string;
  readonly observer: string;
  readonly project: string;
  /** seconds, MJD UTC; as the OBSERVATION table says, which may be wider or wrong: trust the rows. */
  readonly timeRange: readonly [number, number] | undefined;
}

const frequencyFrames = ['REST', 'LSRK', 'LSRD', 'BARY', 'GEO', 'TOPO', 'GALACTO', 'LGROUP', 'CMB'];

/** The error for a subtable that lacks what the standard promises. */
export function damaged(table: Table | string, what: string, cause?: unknown): AsperitasError {
  const path = typeof table === 'string' ? table : table.path;
  return new AsperitasError(
    'damaged-measurement-set',
    `${path}: ${what}; the set can't be imaged until its writer or a repair supplies it`,
    { table: path },
    { cause },
  );
}

/** Opens a subtable; throws `damaged-measurement-set` naming it where it is absent or unreasonably large. */
export async function openSubtable(main: Table, name: string): Promise<Table> {
  let table: Table;
  try {
    table = await main.subtable(name);
  } catch (error) {
    const absent = ['no-such-subtable', 'missing-file', 'not-a-table'].some((code) =>
      isAsperitasError(error, code),
    );
    if (!absent) throw error;
    throw damaged(`${main.path}/${name}`, `the ${name} subtable is missing`, error);
  }
  if (table.rowCount > limits.subtableRows) {
    throw damaged(table, `${table.rowCount} rows in the ${name} subtable is beyond belief`);
  }
  return table;
}

const allRows = (table: Table) => ({ start: 0, count: table.rowCount });

/** Text of a scalar column, or blanks where the set's writer left the column out. */
export async function readTexts(table: Table, column: string): Promise<readonly string[]> {
  if (!table.hasColumn(column) || table.rowCount === 0) return new Array<string>(table.rowCount).fill('');
  const { values } = await table.column(column).read(allRows(table));
  return Array.from(values as readonly string[], (text) => text.trim());
}

/** Numbers of a scalar column; `fallback` where the writer left it out, or an error where there is none. */
export async function readNumbers(table: Table, column: string, fallback?: number): Promise<number[]> {
  if (!table.hasColumn(column)) {
    if (fallback === undefined) throw damaged(table, `the column ${column} is missing`);
    return new Array<number>(table.rowCount).fill(fallback);
  }
  if (table.rowCount === 0) return [];
  const { values } = await table.column(column).read(allRows(table));
  return Array.from(values as ArrayLike<number>, Number);
}

/** Cells of an array column, `undefined` where a cell (or the whole column) has no value. */
export async function readArrays(table: Table, column: string): Promise<readonly (Cell | undefined)[]> {
  if (!table.hasColumn(column)) return new Array<undefined>(table.rowCount).fill(undefined);
  return table.column(column).readCells(allRows(table));
}

const numbersOf = (cell: Cell | undefined): Float64Array | undefined =>
  cell === undefined ? undefined : Float64Array.from(cell.values as ArrayLike<number>, Number);

/** ANTENNA. */
export async function readAntennas(main: Table): Promise<readonly Antenna[]> {
  const table = await openSubtable(main, 'ANTENNA');
  const [names, stations, diameters, positions] = await Promise.all([
    readTexts(table, 'NAME'),
    readTexts(table, 'STATION'),
    readNumbers(table, 'DISH_DIAMETER', 0),
    readArrays(table, 'POSITION'),
  ]);
  return names.map((name, id) => {
    const xyz = numbersOf(positions[id]);
    const position = [xyz?.[0] ?? Number.NaN, xyz?.[1] ?? Number.NaN, xyz?.[2] ?? Number.NaN] as const;
    return { id, name, station: stations[id]!, position, diameterMetres: diameters[id]! };
  });
}

/** SPECTRAL_WINDOW. */
export async function readSpectralWindows(main: Table): Promise<readonly SpectralWindow[]> {
  const table = await openSubtable(main, 'SPECTRAL_WINDOW');
  const [names, references, frames, frequencies, widths] = await Promise.all([
    readTexts(table, 'NAME'),
    readNumbers(table, 'REF_FREQUENCY', Number.NaN),
    readNumbers(table, 'MEAS_FREQ_REF', Number.NaN),
    readArrays(table, 'CHAN_FREQ'),
    readArrays(table, 'CHAN_WIDTH'),
  ]);
  return frequencies.map((cell, id) => {
    // Windows that no row uses may be left unfilled; they fail only when they are asked for.
    const freq = numbersOf(cell) ?? new Float64Array(0);
    const width = numbersOf(widths[id]);
    return {
      id,
      name: names[id]!,
      freq,
      width: width?.length === freq.length ? width : new Float64Array(freq.length).fill(Number.NaN),
      referenceHz: references[id]! > 0 ? references[id]! : (freq[freq.length >> 1] ?? Number.NaN),
      frame: frequencyFrames[frames[id]!] ?? 'unknown',
    };
  });
}

/** POLARIZATION. */
export async function readPolarizations(main: Table): Promise<readonly Polarization[]> {
  const table = await openSubtable(main, 'POLARIZATION');
  const types = await readArrays(table, 'CORR_TYPE');
  return types.map((cell, id) => ({
    id,
    correlations: Array.from(numbersOf(cell) ?? [], (code) => correlationName(code)),
  }));
}

/** DATA_DESCRIPTION. */
export async function readDataDescriptions(main: Table): Promise<readonly DataDescription[]> {
  const table = await openSubtable(main, 'DATA_DESCRIPTION');
  const [windows, polarizations] = await Promise.all([
    readNumbers(table, 'SPECTRAL_WINDOW_ID'),
    readNumbers(table, 'POLARIZATION_ID'),
  ]);
  return windows.map((spectralWindowId, id) => ({
    id,
    spectralWindowId,
    polarizationId: polarizations[id]!,
  }));
}

/** The first row of OBSERVATION; blanks where the table is empty or absent, since imaging can do without. */
export async function readObservation(main: Table): Promise<Observation> {
  if (!main.subtableNames.includes('OBSERVATION')) {
    return { telescope: '', observer: '', project: '', timeRange: undefined };
  }
  const table = await openSubtable(main, 'OBSERVATION');
  const [telescopes, observers, projects, ranges] = await Promise.all([
    readTexts(table, 'TELESCOPE_NAME'),
    readTexts(table, 'OBSERVER'),
    readTexts(table, 'PROJECT'),
    readArrays(table, 'TIME_RANGE'),
  ]);
  const range = numbersOf(ranges[0]);
  return {
    telescope: telescopes[0] ?? '',
    observer: observers[0] ?? '',
    project: projects[0] ?? '',
    timeRange: range !== undefined && range.length >= 2 ? [range[0]!, range[1]!] : undefined,
  };
}
