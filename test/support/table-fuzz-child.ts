/**
 * The process in which damaged tables are read (test/actors/io/casacore/fuzz.test.ts starts it with little
 * memory): `table-fuzz-child.js SOURCE FIRST_SEED COUNT`. Prints a line of JSON before and after each case;
 * what a line lists under `problems` breaks the promise that damage ends in one clear line and harms nothing
 * else.
 */
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describeColumn } from '../../actors/io/casacore/describe-table.ts';
import { hashColumn } from '../../actors/io/casacore/hash.ts';
import { openTable } from '../../actors/io/casacore/open-table.ts';
import type { ColumnInfo, Table } from '../../actors/io/casacore/table.ts';
import { describeSet } from '../../actors/io/measurement-set/describe.ts';
import { openMeasurementSet } from '../../actors/io/measurement-set/measurement-set.ts';
import { isAsperitasError } from '../../runtime/index.ts';
import { type Damage, damage, linkCopy } from './table-damage.ts';

/** What one case came to. */
export interface FuzzResult {
  readonly seed: number;
  readonly damages: readonly Damage[];
  /** Codes of the errors met, with their numbers. */
  readonly codes: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  /** The largest single array that was asked for, and the most memory the process ever had. */
  readonly largestArrayBytes: number;
  readonly peakBytes: number;
}

let largestArrayBytes = 0;

/** Makes a global array class note the sizes it is asked for: untouched memory shows nowhere else. */
function watchAllocations(
  name: 'Uint8Array' | 'Uint32Array' | 'Float64Array' | 'Float32Array' | 'Array',
): void {
  const target = globalThis[name] as unknown as new (...args: unknown[]) => object;
  const width = name === 'Uint8Array' ? 1 : name.endsWith('32Array') ? 4 : 8;
  const watched = new Proxy(target, {
    construct(original, args, newTarget) {
      if (typeof args[0] === 'number') largestArrayBytes = Math.max(largestArrayBytes, args[0] * width);
      return Reflect.construct(original, args, newTarget) as object;
    },
  });
  (globalThis as unknown as Record<string, unknown>)[name] = watched;
}

/** Rows read of a table that says it has very many: the work follows from what is asked. */
const mostRows = 400;

/** Fingerprints by table (relative to the copy) and column; an error stands as its code. */
type Findings = Map<string, string>;

class Reading {
  readonly root: string;
  readonly problems: string[] = [];
  readonly codes: Record<string, number> = {};
  readonly findings: Findings = new Map();
  /** Storage of the columns, by the same keys. */
  readonly columns = new Map<string, ColumnInfo & { readonly kind: string }>();
  readonly #seen = new Set<string>();

  constructor(root: string) {
    this.root = root;
  }

  /** Runs a step; whatever it throws is judged. */
  async attempt<T>(what: string, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      this.#judge(what, error);
      return undefined;
    }
  }

  #judge(what: string, error: unknown): void {
    if (!isAsperitasError(error)) {
      this.problems.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
      return;
    }
    const { code, message } = error;
    this.codes[code] = (this.codes[code] ?? 0) + 1;
    this.findings.set(what, code);
    const complaints = [
      /\p{Cc}/u.test(message) ? 'more than one line' : '',
      message.length > 1000 ? 'too long' : '',
      message.includes(this.root) ? '' : 'names no file or table',
      code === 'damaged-table' && !/at byte \d+/.test(message) ? 'names no offset' : '',
    ];
    for (const complaint of complaints)
      if (complaint !== '') this.problems.push(`${what}: ${complaint}: ${code} ${message.slice(0, 1500)}`);
  }

  /** Opens, describes and reads a table and its subtables, each once. */
  async table(path: string): Promise<void> {
    const table = await this.attempt(`open ${basename(path)}`, () => openTable(path));
    if (table === undefined) return;
    await this.#walk(table);
    await table.close();
  }

  async #walk(table: Table): Promise<void> {
    const real = realpathSync(table.path);
    if (this.#seen.has(real) || !real.startsWith(this.root)) return;
    this.#seen.add(real);
    const name = real.slice(this.root.length);
    for (const column of table.columns) {
      await describeColumn(table, column);
      await this.#column(table, column, `${name}/${column.name}`);
    }
    for (const subtable of table.subtableNames) {
      const opened = await this.attempt(`${name} open ${subtable}`, () => table.subtable(subtable));
      if (opened !== undefined) await this.#walk(opened);
    }
  }

  async #column(table: Table, info: ColumnInfo, key: string): Promise<void> {
    this.columns.set(key, { ...info, kind: table.kind });
    const column = table.column(info.name);
    const { rowCount } = table;
    const head = Math.min(rowCount, mostRows);
    const hash = await this.attempt(key, () => hashColumn(column, 0, head));
    if (hash !== undefined) this.findings.set(key, hash);
    if (rowCount > head)
      await this.attempt(`${key} at its end`, () => hashColumn(column, rowCount - 100, rowCount));
    const block = { start: 0, count: Math.min(rowCount, 200) };
    await this.attempt(`${key} as a block`, () => column.read(block));
    const rows = Uint32Array.from({ length: block.count }, (_, k) => block.count - 1 - k);
    await this.attempt(`${key} backwards`, () => column.read(rows));
  }

  /** As the tasks see it: description, index of rows, visibilities. */
  async measurementSet(path: string): Promise<void> {
    const set = await this.attempt('set', () => openMeasurementSet(path));
    if (set === undefined) return;
    await this.attempt('set described', () => describeSet(set));
    await this.attempt('set read', async () => {
      for (const fieldId of await set.observedFieldIds()) {
        const count = Math.min(3, (await set.timeSlots(fieldId)).length);
        for (const { id, spectralWindow } of await set.bands(fieldId))
          await set.readChunk({
            ...{ fieldId, dataDescriptionId: id, slots: [0, count], stokes: 'I', dataColumn: 'auto' },
            channels: [0, spectralWindow.freq.length],
          });
      }
    });
    await set.close();
  }
}

async function readAll(root: string): Promise<Reading> {
  const reading = new Reading(root);
  if (existsSync(join(root, 'ANTENNA'))) {
    await reading.table(root);
    await reading.measurementSet(root);
  } else for (const name of readdirSync(root).sort()) await reading.table(join(root, name));
  return reading;
}

/** Whether damage may show in a column: it is stored in the damaged file, or stands on what is. */
function mayShow(
  { kind, storageManager, storageNumber }: Reading['columns'] extends Map<string, infer V> ? V : never,
  key: string,
  damages: readonly Damage[],
): boolean {
  if (kind !== 'plain' || storageManager === 'DyscoStMan') return true;
  return damages.some(({ target, words }) => {
    if (words.startsWith('a link to')) return true;
    if (basename(target) === 'table.info') return false;
    if (dirname(`/${target}`).replace(/^\/$/, '') !== dirname(key).replace(/^\/$/, '')) return false;
    const number = /^table\.f(\d+)/.exec(basename(target))?.[1];
    return number === undefined || Number(number) === storageNumber;
  });
}

/** Columns that read otherwise than before though their files are as they were. */
function strayed(intact: Reading, reading: Reading, damages: readonly Damage[]): string[] {
  return [...intact.findings].flatMap(([key, hash]) => {
    const column = intact.columns.get(key);
    // A table or subtable that could not be opened has no columns to compare.
    if (column === undefined || !reading.columns.has(key) || mayShow(column, key, damages)) return [];
    const found = reading.findings.get(key);
    return found === hash ? [] : [`${key}: undamaged, but ${found}`];
  });
}

async function main([source, first, count]: readonly string[]): Promise<void> {
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'asperitas-fuzz-')));
  const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
  try {
    const intact = await readAll(realpathSync(source!));
    if (intact.problems.length > 0) throw new Error(intact.problems.join('\n'));
    for (const name of ['Uint8Array', 'Uint32Array', 'Float64Array', 'Float32Array', 'Array'] as const)
      watchAllocations(name);
    for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
      print({ begins: seed });
      const copy = join(work, String(seed));
      linkCopy(source!, copy);
      const damages = damage(copy, seed);
      largestArrayBytes = 0;
      const reading = await readAll(copy);
      const problems = [...reading.problems, ...strayed(intact, reading, damages)];
      const peakBytes = process.resourceUsage().maxRSS * 1024;
      print({
        seed,
        damages,
        codes: reading.codes,
        problems,
        largestArrayBytes,
        peakBytes,
      } satisfies FuzzResult);
      rmSync(copy, { recursive: true, force: true });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2));
