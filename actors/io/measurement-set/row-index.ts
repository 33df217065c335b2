/**
 * Owns the index of a main table's rows: which rows belong to which field, time slot and data description.
 * Rows are kept as runs (start, count, stride), so that the index of a set sorted by time, by baseline or
 * with interleaved spectral windows stays small. Pure: it is fed columns and asked for runs. Must not know:
 * tables, files.
 */

/** One time step of a field. Slots are counted within the field, not within the set. */
export interface TimeSlot {
  readonly index: number;
  /** seconds, MJD UTC, centre of the integration */
  readonly timeMjdSeconds: number;
  /** The longest INTERVAL among the slot's rows, seconds. */
  readonly intervalSeconds: number;
  /** Rows by DATA_DESC_ID, autocorrelations not counted. */
  readonly rows: ReadonlyMap<number, number>;
}

/** Columns of a contiguous range of rows; all arrays have one value a row. */
export interface IndexColumns {
  readonly time: ArrayLike<number>;
  readonly interval: ArrayLike<number>;
  readonly fieldId: ArrayLike<number>;
  readonly dataDescriptionId: ArrayLike<number>;
  readonly antenna1: ArrayLike<number>;
  readonly antenna2: ArrayLike<number>;
}

/** Times nearer than this share of an INTERVAL are one time slot. */
const slotTolerance = 0.01;
/** Seconds; two roundings of one MJD in seconds differ by about a microsecond. */
const leastTolerance = 1e-5;

/** Numbers of a run in the arrays below, and in what `RowIndex.runs` returns. */
const runWords = 3;

/** Rows of one field, data description and exact TIME. */
interface Group {
  readonly time: number;
  readonly fieldId: number;
  readonly dataDescriptionId: number;
  longestInterval: number;
  shortestInterval: number;
  crossRows: number;
  /** The run that the next row may extend. */
  openRun: number;
}

interface FieldIndex {
  readonly slots: readonly TimeSlot[];
  /** `[slot]` the slot's groups, in the order of their first rows. */
  readonly groups: readonly (readonly number[])[];
}

/** The finished index. */
export class RowIndex {
  readonly #runs: Uint32Array;
  readonly #runsOfGroup: readonly Uint32Array[];
  readonly #groups: readonly Group[];
  readonly #fields: ReadonlyMap<number, FieldIndex>;

  constructor(runs: Uint32Array, groupOfRun: Uint32Array, groups: readonly Group[]) {
    this.#runs = runs;
    this.#groups = groups;
    this.#runsOfGroup = runsByGroup(groupOfRun, groups.length);
    this.#fields = indexFields(groups);
  }

  /** Ids of the fields that have rows, ascending. */
  get fieldIds(): readonly number[] {
    return [...this.#fields.keys()].sort((a, b) => a - b);
  }

  /** The time steps of a field, ascending in time; none for a field without rows. */
  timeSlots(fieldId: number): readonly TimeSlot[] {
    return this.#fields.get(fieldId)?.slots ?? [];
  }

  /**
   * The rows of a field and data description in the slots `[start, end)`, ordered by slot and then by row, as
   * triplets (start, count, stride). Autocorrelations are among them.
   */
  runs(fieldId: number, dataDescriptionId: number, start: number, end: number): Uint32Array {
    const out: number[] = [];
    for (const ids of this.#fields.get(fieldId)?.groups.slice(start, end) ?? []) {
      const runs = ids
        .filter((id) => this.#groups[id]!.dataDescriptionId === dataDescriptionId)
        .flatMap((id) => Array.from(this.#runsOfGroup[id]!));
      // Two exact times in one slot may interleave; one time's runs are in order already.
      runs.sort((a, b) => this.#runs[a * runWords]! - this.#runs[b * runWords]!);
      for (const run of runs) {
        for (let word = 0; word < runWords; word++) out.push(this.#runs[run * runWords + word]!);
      }
    }
    return Uint32Array.from(out);
  }
}

/** Takes the columns of the main table piece by piece, in row order, and makes the index. */
export class RowIndexBuilder {
  readonly #groups: Group[] = [];
  readonly #byTime = new Map<number, Map<number, Map<number, number>>>();
  #runs = new Uint32Array(runWords * 1024);
  #groupOfRun = new Uint32Array(1024);
  #runCount = 0;

  /**
   * Adds the rows from `firstRow` on. Rows without a time or with a negative data description are left out.
   */
  add(firstRow: number, columns: IndexColumns): void {
    const { time, interval, fieldId, dataDescriptionId, antenna1, antenna2 } = columns;
    let last: Group | undefined;
    let lastId = -1;
    for (let k = 0; k < time.length; k++) {
      const [t, field, description] = [time[k]!, fieldId[k]!, dataDescriptionId[k]!];
      if (!Number.isFinite(t) || field < 0 || description < 0) continue;
      if (last?.time !== t || last.fieldId !== field || last.dataDescriptionId !== description) {
        lastId = this.#groupOf(t, field, description);
        last = this.#groups[lastId]!;
      }
      const seconds = interval[k]!;
      if (seconds > last.longestInterval) last.longestInterval = seconds;
      if (seconds > 0 && seconds < last.shortestInterval) last.shortestInterval = seconds;
      if (antenna1[k] !== antenna2[k]) last.crossRows++;
      this.#extend(last, lastId, firstRow + k);
    }
  }

  finish(): RowIndex {
    return new RowIndex(
      this.#runs.slice(0, this.#runCount * runWords),
      this.#groupOfRun.subarray(0, this.#runCount),
      this.#groups,
    );
  }

  #groupOf(time: number, fieldId: number, dataDescriptionId: number): number {
    const fields = getOrMake(this.#byTime, time, () => new Map<number, Map<number, number>>());
    const descriptions = getOrMake(fields, fieldId, () => new Map<number, number>());
    return getOrMake(descriptions, dataDescriptionId, () => {
      this.#groups.push({
        time,
        fieldId,
        dataDescriptionId,
        longestInterval: 0,
        shortestInterval: Number.POSITIVE_INFINITY,
        crossRows: 0,
        openRun: -1,
      });
      return this.#groups.length - 1;
    });
  }

  #extend(group: Group, groupId: number, row: number): void {
    if (group.openRun >= 0) {
      const at = group.openRun * runWords;
      const [start, count] = [this.#runs[at]!, this.#runs[at + 1]!];
      // The second row of a run sets its stride; a third that does not keep it starts a new run.
      if (count === 1) this.#runs[at + 2] = row - start;
      if (count === 1 || row === start + count * this.#runs[at + 2]!) {
        this.#runs[at + 1] = count + 1;
        return;
      }
    }
    const run = this.#runCount++;
    if (run === this.#groupOfRun.length) {
      this.#runs = grown(this.#runs);
      this.#groupOfRun = grown(this.#groupOfRun);
    }
    this.#runs.set([row, 1, 1], run * runWords);
    this.#groupOfRun[run] = groupId;
    group.openRun = run;
  }
}

/** The row numbers of runs, one after the other. */
export function expandRuns(runs: Uint32Array): Uint32Array {
  let total = 0;
  for (let at = 0; at < runs.length; at += runWords) total += runs[at + 1]!;
  const rows = new Uint32Array(total);
  let to = 0;
  for (let at = 0; at < runs.length; at += runWords) {
    const [start, count, stride] = [runs[at]!, runs[at + 1]!, runs[at + 2]!];
    for (let k = 0; k < count; k++) rows[to++] = start + k * stride;
  }
  return rows;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** `[group]` the numbers of its runs, ascending: a counting sort. */
function runsByGroup(groupOfRun: Uint32Array, groupCount: number): Uint32Array[] {
  const ends = new Uint32Array(groupCount + 1);
  for (const group of groupOfRun) ends[group + 1]!++;
  for (let group = 0; group < groupCount; group++) ends[group + 1]! += ends[group]!;
  const next = ends.slice();
  const sorted = new Uint32Array(groupOfRun.length);
  groupOfRun.forEach((group, run) => {
    sorted[next[group]!++] = run;
  });
  return Array.from({ length: groupCount }, (_, group) => sorted.subarray(ends[group]!, ends[group + 1]!));
}

function indexFields(groups: readonly Group[]): Map<number, FieldIndex> {
  const byField = new Map<number, number[]>();
  groups.forEach(({ fieldId }, id) => {
    getOrMake(byField, fieldId, () => []).push(id);
  });
  return new Map([...byField].map(([fieldId, ids]) => [fieldId, indexField(groups, ids)]));
}

/** Joins a field's groups into time slots. `ids` are in the order of first rows. */
function indexField(groups: readonly Group[], ids: readonly number[]): FieldIndex {
  const byTime = [...ids].sort((a, b) => groups[a]!.time - groups[b]!.time || a - b);
  const slots: number[][] = [];
  let first = Number.NaN;
  for (const id of byTime) {
    const { time, shortestInterval } = groups[id]!;
    const tolerance = Number.isFinite(shortestInterval) ? slotTolerance * shortestInterval : 0;
    if (!(time - first <= Math.max(tolerance, leastTolerance))) {
      slots.push([]);
      first = time;
    }
    slots.at(-1)!.push(id);
  }
  const times = slots.map((members) => groups[members[0]!]!.time);
  const step = medianStep(times);
  return {
    groups: slots,
    slots: slots.map((members, index) => {
      const rows = new Map<number, number>();
      let longest = 0;
      for (const id of members) {
        const { dataDescriptionId, crossRows, longestInterval } = groups[id]!;
        rows.set(dataDescriptionId, (rows.get(dataDescriptionId) ?? 0) + crossRows);
        longest = Math.max(longest, longestInterval);
      }
      return { index, timeMjdSeconds: times[index]!, intervalSeconds: longest > 0 ? longest : step, rows };
    }),
  };
}

/** Stands in for an INTERVAL that the writer left at zero; zero for a single time. */
function medianStep(times: readonly number[]): number {
  const steps = times
    .slice(1)
    .map((time, k) => time - times[k]!)
    .sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}
