/**
 * How fast the visibilities of a Measurement Set come from disk: `reading.js [SET] [--peer PYTHON]`. Reads
 * DATA, FLAG and WEIGHT in blocks of rows, and, as the ceiling, the same files with nothing but positioned
 * reads; with a cold and a warm page cache; and what python-casacore takes for the same blocks, if a Python
 * that has it is named. Without a set a table of about 140 MB is written and read. Must not know: storage
 * managers.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openTable } from '../actors/io/casacore/open-table.ts';
import { writeTable } from '../actors/io/casacore/write-table.ts';

/** Rows are read in blocks of about this many bytes of visibilities, as the chunk reader does. */
const blockBytes = 16 << 20;
/** Each figure is the best of this many runs. */
const runs = 5;
const columnNames = ['DATA', 'FLAG', 'WEIGHT'];

/** A way of reading, and what it took. */
interface Figure {
  readonly what: string;
  readonly bytes: number;
  readonly warmSeconds: number;
  readonly coldSeconds: number;
}

/** Writes a table with the columns that are read, `[row, 64 chan, 4 corr]`. */
async function writeExample(path: string): Promise<void> {
  const [rowCount, channels, correlations] = [60_000, 64, 4];
  const samples = rowCount * channels * correlations;
  const cell = { layout: 'variable', tiled: true } as const;
  const shape = [correlations, channels];
  await writeTable(path, {
    rowCount,
    columns: [
      {
        name: 'DATA',
        type: 'complex',
        cells: {
          ...cell,
          dimensions: 2,
          runs: [{ rowCount, shape, values: new Float32Array(2 * samples).fill(1) }],
        },
      },
      {
        name: 'FLAG',
        type: 'bool',
        cells: { ...cell, dimensions: 2, runs: [{ rowCount, shape, values: new Uint8Array(samples) }] },
      },
      {
        name: 'WEIGHT',
        type: 'float',
        cells: {
          ...{ ...cell, dimensions: 1 },
          runs: [
            { rowCount, shape: [correlations], values: new Float32Array(rowCount * correlations).fill(1) },
          ],
        },
      },
    ],
  });
}

/** Asks the kernel to forget a file; false where it can't. */
function forget(file: string): boolean {
  try {
    execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function readRaw(files: readonly string[]): Promise<void> {
  const buffer = new Uint8Array(1 << 20);
  for (const file of files) {
    const handle = await open(file, 'r');
    for (let at = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    await handle.close();
  }
}

async function readColumns(path: string, names: readonly string[], blockRows: number): Promise<void> {
  const table = await openTable(path);
  for (let start = 0; start < table.rowCount; start += blockRows) {
    const rows = { start, count: Math.min(blockRows, table.rowCount - start) };
    for (const name of names) await table.column(name).read(rows);
  }
  await table.close();
}

const peerScript = `
import sys, time, json, subprocess, casacore.tables as ct
path, names = sys.argv[1], sys.argv[2].split(',')
step, runs, files = int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
def once(cold):
    if cold:
        for f in files:
            subprocess.run(['dd', 'if=' + f, 'iflag=nocache', 'count=0'], stderr=subprocess.DEVNULL)
    begin = time.perf_counter()
    t = ct.table(path, ack=False)
    for start in range(0, t.nrows(), step):
        for n in names: t.getcol(n, start, min(step, t.nrows() - start))
    t.close()
    return time.perf_counter() - begin
print(json.dumps([min(once(False) for _ in range(runs)), min(once(True) for _ in range(runs))]))
`;

/** The best of several runs, each after the files were forgotten or not. */
async function best(files: readonly string[], isCold: boolean, read: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    if (isCold && !files.every(forget)) return Number.NaN;
    const begin = performance.now();
    await read();
    least = Math.min(least, (performance.now() - begin) / 1000);
  }
  return least;
}

async function measure(path: string, peer: string | undefined): Promise<Figure[]> {
  const table = await openTable(path);
  const [shape] = await table.column('DATA').readShapes({ start: 0, count: 1 });
  const cellBytes = (shape ?? []).reduce((product, length) => product * length, 8);
  const blockRows = Math.max(1, Math.floor(blockBytes / cellBytes));
  const filesOf = (name: string) => {
    const number = table.column(name).storageNumber;
    return readdirSync(path)
      .filter((file) => new RegExp(`^table\\.f${number}(\\D|$)`).test(file))
      .map((file) => join(path, file));
  };
  const all = columnNames.flatMap(filesOf);
  const sizeOf = (files: readonly string[]) => files.reduce((total, file) => total + statSync(file).size, 0);
  const figures: Figure[] = [];
  const add = async (what: string, files: readonly string[], read: () => Promise<void>) => {
    const warmSeconds = await best(files, false, read);
    const coldSeconds = await best(files, true, read);
    figures.push({ what, bytes: sizeOf(files), warmSeconds, coldSeconds });
  };
  await add('the same files, positioned reads', all, () => readRaw(all));
  await add(columnNames.join(' + '), all, () => readColumns(path, columnNames, blockRows));
  for (const name of columnNames) await add(name, filesOf(name), () => readColumns(path, [name], blockRows));
  if (peer !== undefined) {
    const words = ['-c', peerScript, path, columnNames.join(','), String(blockRows), String(runs), ...all];
    const [warmSeconds, coldSeconds] = JSON.parse(
      execFileSync(peer, words, { encoding: 'utf8' }),
    ) as number[];
    figures.push({ what: 'python-casacore, all three', bytes: sizeOf(all), warmSeconds, coldSeconds });
  }
  await table.close();
  return figures;
}

function report(path: string, figures: readonly Figure[]): string {
  const rate = (bytes: number, seconds: number) =>
    Number.isNaN(seconds) ? '-' : (bytes / 1e6 / seconds).toFixed(0);
  const line = (what: string, ...figures: string[]) =>
    what.padEnd(34) + figures.map((figure) => figure.padStart(10)).join('');
  const lines = figures.map(({ what, bytes, warmSeconds, coldSeconds }) =>
    line(what, (bytes / 1e6).toFixed(1), rate(bytes, warmSeconds), rate(bytes, coldSeconds)),
  );
  const peak = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  return [
    `${path}: best of ${runs}, blocks of ${blockBytes >> 20} MiB of visibilities; peak memory ${peak} MiB`,
    line('bytes as stored', 'MB', 'warm MB/s', 'cold MB/s'),
    ...lines,
    '',
  ].join('\n');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { peer: { type: 'string' } },
});
const folder = mkdtempSync(join(tmpdir(), 'asperitas-reading-'));
try {
  let [path] = positionals;
  if (path === undefined) {
    path = join(folder, 'example');
    await writeExample(path);
  }
  process.stdout.write(report(path, await measure(path, values.peer)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
