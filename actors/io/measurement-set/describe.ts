/**
 * Owns the description of a Measurement Set for people and programs: everything `asperitas info` says, as
 * plain data with stable names (docs/formats.md). Must not know: terminals, how it is printed.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ColumnSummary,
  describeColumn,
  describeStorage,
  type StorageSummary,
} from '../casacore/describe-table.ts';
import type { FlagCount } from './flag-count.ts';
import type { MeasurementSet } from './measurement-set.ts';

/** A field as described; angles in degrees, ICRS/J2000. */
export interface FieldDescription {
  readonly id: number;
  readonly name: string;
  readonly frame: string;
  readonly raDeg: number | null;
  readonly decDeg: number | null;
  readonly timeSteps: number;
  readonly intervalSeconds: number | null;
  readonly startMjdSeconds: number | null;
  readonly endMjdSeconds: number | null;
  /** Rows without autocorrelations. */
  readonly rows: number;
  readonly dataDescriptions: readonly number[];
}

export interface SpectralWindowDescription {
  readonly id: number;
  readonly name: string;
  readonly channels: number;
  readonly firstHz: number | null;
  readonly lastHz: number | null;
  readonly channelWidthHz: number | null;
  readonly referenceHz: number | null;
  readonly frame: string;
}

export interface SetDescription {
  readonly path: string;
  readonly telescope: string;
  readonly observer: string;
  readonly project: string;
  readonly rows: number;
  readonly bytesOnDisk: number;
  readonly byteOrder: string;
  readonly tableKind: string;
  readonly startMjdSeconds: number | null;
  readonly endMjdSeconds: number | null;
  readonly antennas: readonly {
    readonly id: number;
    readonly name: string;
    readonly station: string;
    readonly positionMetres: readonly (number | null)[];
    readonly diameterMetres: number;
  }[];
  readonly fields: readonly FieldDescription[];
  readonly spectralWindows: readonly SpectralWindowDescription[];
  readonly polarizations: readonly { readonly id: number; readonly correlations: readonly string[] }[];
  readonly dataDescriptions: readonly {
    readonly id: number;
    readonly spectralWindow: number;
    readonly polarization: number;
    readonly used: boolean;
  }[];
  /** The column that is imaged unless another is named; null where there is none. */
  readonly dataColumn: string | null;
  readonly columns: readonly ColumnSummary[];
  readonly storage: readonly StorageSummary[];
  readonly subtables: readonly string[];
  readonly flags?: FlagCount;
}

const degrees = (radians: number | undefined) => (radians === undefined ? null : (radians * 180) / Math.PI);
const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);

/** Bytes of the files in a directory and below; 0 for what can't be read. */
async function bytesBelow(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}

async function describeFields(set: MeasurementSet): Promise<readonly FieldDescription[]> {
  return Promise.all(
    (await set.fields()).map(async ({ id, name, frame, phaseCentre }) => {
      const slots = await set.timeSlots(id);
      const [first, last] = [slots[0], slots.at(-1)];
      const counts = slots.flatMap(({ rows }) => [...rows.values()]);
      return {
        id,
        name,
        frame,
        raDeg: degrees(phaseCentre?.raRad),
        decDeg: degrees(phaseCentre?.decRad),
        timeSteps: slots.length,
        intervalSeconds: first?.intervalSeconds ?? null,
        startMjdSeconds: first === undefined ? null : first.timeMjdSeconds - first.intervalSeconds / 2,
        endMjdSeconds: last === undefined ? null : last.timeMjdSeconds + last.intervalSeconds / 2,
        rows: counts.reduce((total, count) => total + count, 0),
        dataDescriptions: [...new Set(slots.flatMap(({ rows }) => [...rows.keys()]))].sort((a, b) => a - b),
      };
    }),
  );
}

/** Describes a set; reads its subtables and the times and ids of its rows, but no visibilities. */
export async function describeSet(set: MeasurementSet): Promise<SetDescription> {
  const { table } = set;
  const [{ telescope, observer, project }, fields, antennas, windows, polarizations, descriptions] =
    await Promise.all([
      set.observation(),
      describeFields(set),
      set.antennas(),
      set.spectralWindows(),
      set.polarizations(),
      set.dataDescriptions(),
    ]);
  const used = new Set(fields.flatMap(({ dataDescriptions }) => dataDescriptions));
  const starts = fields.flatMap(({ startMjdSeconds }) => startMjdSeconds ?? []);
  const ends = fields.flatMap(({ endMjdSeconds }) => endMjdSeconds ?? []);
  return {
    path: set.path,
    telescope,
    observer,
    project,
    rows: set.rowCount,
    bytesOnDisk: await bytesBelow(table.path),
    byteOrder: table.endian,
    tableKind: table.kind,
    startMjdSeconds: starts.length === 0 ? null : Math.min(...starts),
    endMjdSeconds: ends.length === 0 ? null : Math.max(...ends),
    antennas: antennas.map(({ id, name, station, position, diameterMetres }) => ({
      id,
      name,
      station,
      positionMetres: position.map(finite),
      diameterMetres,
    })),
    fields,
    spectralWindows: windows.map(({ id, name, freq, width, referenceHz, frame }) => ({
      id,
      name,
      channels: freq.length,
      firstHz: finite(freq[0]),
      lastHz: finite(freq.at(-1)),
      channelWidthHz: finite(width[0]),
      referenceHz: finite(referenceHz),
      frame,
    })),
    polarizations: polarizations.map(({ id, correlations }) => ({ id, correlations })),
    dataDescriptions: descriptions.map(({ id, spectralWindowId, polarizationId }) => ({
      id,
      spectralWindow: spectralWindowId,
      polarization: polarizationId,
      used: used.has(id),
    })),
    dataColumn: await set.dataColumn().catch(() => null),
    columns: await Promise.all(table.columns.map((info) => describeColumn(table, info))),
    storage: await describeStorage(table),
    subtables: [...table.subtableNames],
  };
}
