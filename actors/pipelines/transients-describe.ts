/**
 * Owns what the search must know of a set before it starts: a task that looks at the set where it lies. Must
 * not know: how the work is divided.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AsperitasError } from '../../runtime/index.ts';
import { task } from '../../scheduler/index.ts';
import type { SetAddress } from '../imaging/block.ts';
import { locateSet, withSet } from '../imaging/set-access.ts';
import type { MeasurementSet } from '../io/measurement-set/measurement-set.ts';
import type { Direction } from '../visibility.ts';

/** A data description in which the field has rows. */
export interface DataSummary {
  readonly id: number;
  /** `[chan]` Hz in stored order */
  readonly freq: Float64Array;
  /** Hz, of one channel */
  readonly channelWidthHz: number;
  /** `[slot]` rows without autocorrelations */
  readonly rows: Int32Array;
}

/** One field of one set. */
export interface SetSummary {
  readonly set: SetAddress;
  readonly telescope: string;
  readonly antennas: number;
  readonly fieldId: number;
  readonly fieldName: string;
  readonly phaseCentre: Direction;
  readonly dataColumn: string;
  /** `[slot]` seconds, MJD UTC, and seconds */
  readonly timeS: Float64Array;
  readonly intervalS: Float64Array;
  readonly data: readonly DataSummary[];
  /** Bytes of all files and the time of the last change, milliseconds: whether it is still the same set. */
  readonly sizeBytes: number;
  readonly changedMs: number;
  /** Of the names and sizes of all files and of what each table.dat holds, by which the set is named in
   * records: to hash its data would mean to read it once more. */
  readonly metadataSha256: string;
}

type Footprint = Pick<SetSummary, 'sizeBytes' | 'changedMs' | 'metadataSha256'>;

async function footprint(path: string): Promise<Footprint> {
  let [sizeBytes, changedMs] = [0, 0];
  const files: { readonly name: string; readonly size: number }[] = [];
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const info = await stat(file).catch(() => undefined);
    // Locks are touched by whoever reads.
    if (info === undefined || entry.name === 'table.lock') continue;
    sizeBytes += info.size;
    changedMs = Math.max(changedMs, info.mtimeMs);
    files.push({ name: relative(path, file).split(sep).join('/'), size: info.size });
  }
  const hash = createHash('sha256');
  for (const { name, size } of files.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`${name}\0${size}\n`);
    if (name === 'table.dat' || name.endsWith('/table.dat')) hash.update(await readFile(join(path, name)));
  }
  return { sizeBytes, changedMs, metadataSha256: hash.digest('hex') };
}

async function summarise(set: MeasurementSet, address: SetAddress, request: DescribeRequest) {
  const field = await set.field(request.field);
  const slots = await set.timeSlots(field.id);
  const data: DataSummary[] = [];
  for (const { id, spectralWindow } of await set.bands(field.id)) {
    const { freq, width } = spectralWindow;
    data.push({
      id,
      freq,
      channelWidthHz: Math.abs(width[0] ?? 0),
      rows: Int32Array.from(slots, ({ rows }) => rows.get(id) ?? 0),
    });
  }
  const usable = data.filter(({ rows, freq }) => freq.length > 0 && rows.some((count) => count > 0));
  if (usable.length === 0) {
    throw new AsperitasError(
      'no-usable-data',
      `${set.path}: field ${field.id} "${field.name}" has no rows of two antennas; asperitas info lists ` +
        'the rows of each field',
      { set: set.path, field: field.id },
    );
  }
  if (field.phaseCentre === undefined) {
    throw new AsperitasError(
      'unsupported-frame',
      `${set.path}: the phase centre of field ${field.id} "${field.name}" is given in ${field.frame}; ` +
        'change it to J2000 first',
      { set: set.path, field: field.id, frame: field.frame },
    );
  }
  return {
    set: address,
    telescope: (await set.observation()).telescope,
    antennas: (await set.antennas()).length,
    fieldId: field.id,
    fieldName: field.name,
    phaseCentre: field.phaseCentre,
    dataColumn: await set.dataColumn(request.dataColumn),
    timeS: Float64Array.from(slots, (slot) => slot.timeMjdSeconds),
    intervalS: Float64Array.from(slots, (slot) => slot.intervalSeconds),
    data: usable,
  };
}

/** What is asked about each set. */
export interface DescribeRequest {
  readonly field: number | string;
  readonly dataColumn: string;
}

/** Looks at one field of a set. Throws `no-usable-data`, `no-such-field` and what opening the set throws. */
export const describeSetForSearch = task(
  'transients.describe',
  async (context, address: SetAddress, request: DescribeRequest): Promise<SetSummary> => {
    const real = await locateSet(context, address.path);
    const summary = await withSet(context, address.path, (set) => summarise(set, address, request));
    return { ...summary, ...(await footprint(real)) };
  },
);

/** Whether a node's site has the path: for sets given without a site. */
export const hasSet = task('transients.hasSet', async (context, path: string): Promise<boolean> => {
  return locateSet(context, path).then(
    () => true,
    () => false,
  );
});

/** Rows of a selection, as runs: spares every other task the index of all rows. */
export const rowRunsOf = task(
  'transients.rowRuns',
  async (
    context,
    path: string,
    selections: readonly { fieldId: number; dataDescriptionId: number; slots: readonly [number, number] }[],
  ): Promise<Uint32Array[]> =>
    withSet(context, path, async (set) => {
      const runs: Uint32Array[] = [];
      for (const selection of selections) runs.push(await set.rowRuns(selection));
      return runs;
    }),
);
