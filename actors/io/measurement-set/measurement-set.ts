/**
 * Owns the view of a Measurement Set (version 2) that the rest of the project has: what was observed, when,
 * in which fields and bands, and chunks of visibilities ready for imaging. Everything is read when first
 * asked for. Must not know: how casacore stores columns (casacore/), what is made of the chunks.
 */
import { existsSync } from 'node:fs';
import { AsperitasError, isAsperitasError } from '../../../runtime/index.ts';
import type { Stokes, VisibilityChunk } from '../../visibility.ts';
import { openTable } from '../casacore/open-table.ts';
import type { Table } from '../casacore/table.ts';
import { chunkSize, readPlannedChunk } from './chunk-reader.ts';
import { resolveDataColumn, visibilityColumns } from './columns.ts';
import { stokesRecipe } from './correlations.ts';
import { type Field, readFields, resolveField, toJ2000 } from './fields.ts';
import { limits } from './limits.ts';
import { expandRuns, type RowIndex, RowIndexBuilder, type TimeSlot } from './row-index.ts';
import {
  type Antenna,
  type DataDescription,
  damaged,
  type Observation,
  type Polarization,
  readAntennas,
  readDataDescriptions,
  readObservation,
  readPolarizations,
  readSpectralWindows,
  type SpectralWindow,
} from './subtables.ts';

/** What a chunk is to hold. Plain data: it can travel to the node that reads it. */
export interface ChunkSelection {
  readonly fieldId: number;
  readonly dataDescriptionId: number;
  /** Time slots `[start, end)` of the field. */
  readonly slots: readonly [start: number, end: number];
  /** Channels `[start, end)` of the data description's spectral window, in stored order. */
  readonly channels: readonly [start: number, end: number];
  readonly stokes: Stokes;
  /** A column's name, or `auto`: CORRECTED_DATA where there is one, else DATA. */
  readonly dataColumn: string;
  /** What `rowRuns` returned for this selection: spares a reader elsewhere the index of all rows. */
  readonly rowRuns?: Uint32Array;
  /** Mask rows whose FLAG_ROW is set. Off by default, as in WSClean: FLAG alone decides. */
  readonly useFlagRow?: boolean;
}

/** Which rows a chunk holds: all that its size depends on, but the channels. */
export type ChunkRows = Pick<ChunkSelection, 'fieldId' | 'dataDescriptionId' | 'slots' | 'rowRuns'>;

/** What a data description stands for. */
export interface Band extends DataDescription {
  readonly spectralWindow: SpectralWindow;
  readonly correlations: readonly string[];
}

/** Columns without which no visibility can be placed. */
const neededColumns = ['TIME', 'ANTENNA1', 'ANTENNA2', 'FIELD_ID', 'DATA_DESC_ID', 'UVW', 'FLAG', 'WEIGHT'];

/** Opens a Measurement Set. Throws `no-such-file`, `not-a-table` or `not-a-measurement-set`. */
export async function openMeasurementSet(path: string): Promise<MeasurementSet> {
  const table = await openTable(path).catch((error: unknown) => {
    if (!isAsperitasError(error, 'missing-file') || existsSync(path)) throw error;
    throw new AsperitasError('no-such-file', `${path}: no such file or directory; check the path`, { path });
  });
  const lacking = neededColumns.filter((name) => !table.hasColumn(name));
  if (lacking.length > 0) {
    await table.close();
    throw new AsperitasError(
      'not-a-measurement-set',
      `${path}: a casacore table, but not a Measurement Set: it has no ${lacking.join(', ')}`,
      { path, columns: lacking },
    );
  }
  return new MeasurementSet(path, table);
}

/** Runs `read` when first asked, and again only after a failure. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let promise: Promise<T> | undefined;
  return () => {
    promise ??= read().catch((error: unknown) => {
      promise = undefined;
      throw error;
    });
    return promise;
  };
}

/** An open Measurement Set. `close` it when done; several chunks may be read at once. */
export class MeasurementSet {
  readonly path: string;
  /** The main table. */
  readonly table: Table;
  readonly antennas: () => Promise<readonly Antenna[]>;
  readonly fields: () => Promise<readonly Field[]>;
  readonly spectralWindows: () => Promise<readonly SpectralWindow[]>;
  readonly polarizations: () => Promise<readonly Polarization[]>;
  readonly dataDescriptions: () => Promise<readonly DataDescription[]>;
  readonly observation: () => Promise<Observation>;
  readonly #index: () => Promise<RowIndex>;

  constructor(path: string, table: Table) {
    this.path = path;
    this.table = table;
    this.antennas = once(() => readAntennas(table));
    this.fields = once(() => readFields(table));
    this.spectralWindows = once(() => readSpectralWindows(table));
    this.polarizations = once(() => readPolarizations(table));
    this.dataDescriptions = once(() => readDataDescriptions(table));
    this.observation = once(() => readObservation(table));
    this.#index = once(() => indexRows(table));
  }

  /** Rows of the main table: all fields, bands and autocorrelations. */
  get rowCount(): number {
    return this.table.rowCount;
  }

  /** The columns that hold visibilities, such as DATA and CORRECTED_DATA. */
  get dataColumns(): readonly string[] {
    return visibilityColumns(this.table);
  }

  /** The column that `auto` (or a name) means for a field's visibilities; throws `no-data-column`. */
  async dataColumn(wanted = 'auto'): Promise<string> {
    return resolveDataColumn(this.table, wanted);
  }

  /** The field with an id or a name; throws `no-such-field`, `ambiguous-field`. */
  async field(wanted: number | string): Promise<Field> {
    return resolveField(await this.fields(), wanted, this.path);
  }

  /** Ids of the fields that have rows. */
  async observedFieldIds(): Promise<readonly number[]> {
    return (await this.#index()).fieldIds;
  }

  /** The time steps of a field, ascending. Steps are counted within the field. */
  async timeSlots(fieldId: number): Promise<readonly TimeSlot[]> {
    return (await this.#index()).timeSlots(fieldId);
  }

  /** The data descriptions in which a field has rows, each with its spectral window and correlations. */
  async bands(fieldId: number): Promise<readonly Band[]> {
    const present = new Set((await this.timeSlots(fieldId)).flatMap(({ rows }) => [...rows.keys()]));
    return Promise.all([...present].sort((a, b) => a - b).map((id) => this.band(id)));
  }

  /** What a DATA_DESC_ID stands for; throws `damaged-measurement-set` where the subtables don't say. */
  async band(dataDescriptionId: number): Promise<Band> {
    const description = (await this.dataDescriptions())[dataDescriptionId];
    if (description === undefined) {
      throw damaged(`${this.path}/DATA_DESCRIPTION`, `there is no row ${dataDescriptionId}`);
    }
    const { spectralWindowId, polarizationId } = description;
    const spectralWindow = (await this.spectralWindows())[spectralWindowId];
    if (spectralWindow === undefined) {
      throw damaged(`${this.path}/SPECTRAL_WINDOW`, `there is no row ${spectralWindowId}`);
    }
    const { freq } = spectralWindow;
    if (freq.length === 0 || !freq.every((hz) => hz > 0)) {
      throw damaged(
        `${this.path}/SPECTRAL_WINDOW`,
        `row ${spectralWindowId} of CHAN_FREQ holds no frequencies`,
      );
    }
    const polarization = (await this.polarizations())[polarizationId];
    if (polarization === undefined) {
      throw damaged(`${this.path}/POLARIZATION`, `there is no row ${polarizationId}`);
    }
    return { ...description, spectralWindow, correlations: polarization.correlations };
  }

  /** The rows of a selection, as runs (start, count, stride); to be put into `ChunkSelection.rowRuns`. */
  async rowRuns(selection: ChunkRows): Promise<Uint32Array> {
    const { fieldId, dataDescriptionId, slots, rowRuns } = selection;
    if (rowRuns !== undefined) return rowRuns;
    return (await this.#index()).runs(fieldId, dataDescriptionId, ...slots);
  }

  /** Samples of a selection before flags: rows without autocorrelations, times channels. */
  async countVisibilities(selection: ChunkSelection): Promise<number> {
    return (await this.#countRows(selection)) * (selection.channels[1] - selection.channels[0]);
  }

  /** Bytes of the chunk's arrays; reading needs up to `limits.pieceBytes` more. */
  async chunkBytes(selection: ChunkSelection): Promise<number> {
    return chunkSize(await this.#countRows(selection), selection.channels[1] - selection.channels[0]);
  }

  /**
   * Reads the visibilities of a selection: rows ordered by time slot, channels in stored order. A selection
   * without rows gives a chunk without rows. Throws `bad-selection`, `no-stokes`, `no-data-column`,
   * `unsupported-frame`, `damaged-measurement-set`, and what the columns throw.
   */
  async readChunk(selection: ChunkSelection, signal?: AbortSignal): Promise<VisibilityChunk> {
    const { dataColumn, useFlagRow = false, channels, fieldId, dataDescriptionId, stokes } = selection;
    const band = await this.band(dataDescriptionId);
    const { freq } = band.spectralWindow;
    const [start, end] = channels;
    if (
      !(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= freq.length)
    ) {
      throw new AsperitasError(
        'bad-selection',
        `${this.path}: channels ${start} to ${end} are not in data description ${dataDescriptionId}, ` +
          `which has ${freq.length}`,
        { set: this.path, dataDescription: dataDescriptionId, channels: freq.length },
      );
    }
    if (band.correlations.length === 0) {
      throw damaged(`${this.path}/POLARIZATION`, `row ${band.polarizationId} of CORR_TYPE is empty`);
    }
    const recipe = stokesRecipe(band.correlations, stokes, this.path);
    const phaseCentre = await this.#phaseCentre(fieldId);
    const rows = expandRuns(await this.rowRuns(selection));
    const correlationCount = band.correlations.length;
    const plan = { rows, freq, channels, correlationCount, recipe, phaseCentre, dataColumn, useFlagRow };
    return readPlannedChunk(this.table, plan, signal);
  }

  async close(): Promise<void> {
    await this.table.close();
  }

  async #phaseCentre(fieldId: number) {
    const { name, frame, phaseCentre } = await this.field(fieldId);
    if (phaseCentre !== undefined) return phaseCentre;
    if (toJ2000(0, 0, frame) !== undefined) {
      throw damaged(`${this.path}/FIELD`, `row ${fieldId} of PHASE_DIR holds no direction`);
    }
    throw new AsperitasError(
      'unsupported-frame',
      `${this.path}: the phase centre of field ${fieldId} "${name}" is given in ${frame}; only J2000, ` +
        'ICRS, B1950 and GALACTIC are read: change the phase centre of the set to one of them first',
      { set: this.path, field: fieldId, frame },
    );
  }

  async #countRows({ fieldId, dataDescriptionId, slots }: ChunkRows): Promise<number> {
    const chosen = (await this.timeSlots(fieldId)).slice(...slots);
    return chosen.reduce((total, { rows }) => total + (rows.get(dataDescriptionId) ?? 0), 0);
  }
}

/** Reads the columns of the index in pieces. */
async function indexRows(table: Table): Promise<RowIndex> {
  if (table.rowCount > limits.rows) {
    throw new AsperitasError(
      'table-too-large',
      `${table.path}: ${table.rowCount} rows; at most ${limits.rows} are read: split the set`,
      { table: table.path, rows: table.rowCount },
    );
  }
  const builder = new RowIndexBuilder();
  const names = ['TIME', 'INTERVAL', 'FIELD_ID', 'DATA_DESC_ID', 'ANTENNA1', 'ANTENNA2'];
  for (let start = 0; start < table.rowCount; start += limits.indexRows) {
    const rows = { start, count: Math.min(limits.indexRows, table.rowCount - start) };
    const read = async (name: string) => {
      // A set without INTERVAL still has times, from which the slots' lengths follow.
      if (name === 'INTERVAL' && !table.hasColumn(name)) return new Float64Array(rows.count);
      return (await table.column(name).read(rows)).values as ArrayLike<number>;
    };
    const [time, interval, fieldId, dataDescriptionId, antenna1, antenna2] = await Promise.all(
      names.map(read),
    );
    builder.add(start, {
      time: time!,
      interval: interval!,
      fieldId: fieldId!,
      dataDescriptionId: dataDescriptionId!,
      antenna1: antenna1!,
      antenna2: antenna2!,
    });
  }
  return builder.finish();
}
