/**
 * Damaged tables: whatever is wrong with the files, reading ends in values or in an error of one line that
 * names the file, and neither hangs nor takes memory out of proportion; columns in undamaged files read as
 * before. The cases follow from seeds. `ASPERITAS_FUZZ_CASES=5000` runs so many of each set, from
 * `ASPERITAS_FUZZ_SEED` on.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeTable } from '../../../../actors/io/casacore/write-table.ts';
import { sharedDataMissing, sharedSet } from '../../../support/shared-data.ts';
import type { FuzzResult } from '../../../support/table-fuzz-child.ts';

const wantedCases = process.env.ASPERITAS_FUZZ_CASES;
const firstSeed = Number(process.env.ASPERITAS_FUZZ_SEED ?? 1);
const child = fileURLToPath(new URL('../../../support/table-fuzz-child.js', import.meta.url));

/** Old space of the child in MiB; arrays are outside of it and held to the limits below. */
const heapMiB = 256;
/** The sets are of a megabyte at most; a block of cells is 4 MiB. */
const mostArrayBytes = 32 << 20;
const mostPeakBytes = 512 << 20;
/** A case takes milliseconds. A child silent for this long hangs. */
const silenceMs = Number(process.env.ASPERITAS_FUZZ_SILENCE_MS ?? 60_000);

/** Runs the cases of a set in a child; returns their results, and how the child ended. */
async function fuzz(source: string, cases: number): Promise<{ results: FuzzResult[]; ending: string }> {
  const process_ = spawn(
    process.execPath,
    [`--max-old-space-size=${heapMiB}`, child, source, String(firstSeed), String(cases)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const results: FuzzResult[] = [];
  let begun = '';
  let rest = '';
  let errors = '';
  const silence = setTimeout(() => process_.kill('SIGKILL'), silenceMs);
  process_.stdout.setEncoding('utf8').on('data', (text: string) => {
    silence.refresh();
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const parsed = JSON.parse(line) as FuzzResult | { readonly begins: number };
      if ('begins' in parsed) begun = `seed ${parsed.begins}`;
      else results.push(parsed);
    }
  });
  process_.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    process_.on('close', (...ended) => resolve(ended));
  });
  clearTimeout(silence);
  // Files left open are told on stderr: a child that ends well says nothing there.
  const isFine = code === 0 && errors === '';
  return { results, ending: isFine ? '' : `${begun}: ended by ${signal ?? code}: ${errors}` };
}

async function holds(source: string, usualCases: number): Promise<void> {
  const cases = Number(wantedCases ?? usualCases);
  const { results, ending } = await fuzz(source, cases);
  assert.equal(ending, '');
  assert.equal(results.length, cases);
  const bad = results.flatMap(({ seed, damages, problems, largestArrayBytes, peakBytes }) => {
    const found = [...problems];
    if (largestArrayBytes > mostArrayBytes) found.push(`an array of ${largestArrayBytes} bytes`);
    if (peakBytes > mostPeakBytes) found.push(`${peakBytes} bytes of memory`);
    const what = damages.map(({ target, words }) => `${target} ${words}`).join('; ');
    return found.map((problem) => `seed ${seed} (${what}): ${problem}`);
  });
  assert.deepEqual(bad, []);
  // Damage that never shows would mean that nothing is being read.
  assert.ok(results.filter(({ codes }) => Object.keys(codes).length > 0).length > cases / 4);
}

test('a damaged table of our own writing ends in values or in one clear line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'asperitas-fuzz-set-'));
  try {
    const rowCount = 300;
    const numbers = (count: number) => Float64Array.from({ length: count }, (_, k) => k / 3);
    await writeTable(join(folder, 'own'), {
      rowCount,
      columns: [
        { name: 'X', type: 'double', cells: { layout: 'scalar', values: numbers(rowCount) } },
        {
          name: 'TEXT',
          type: 'string',
          cells: {
            layout: 'scalar',
            values: Array.from({ length: rowCount }, (_, k) => 'text'.repeat(k % 9)),
          },
        },
        {
          name: 'FLAG',
          type: 'bool',
          cells: {
            layout: 'fixed',
            shape: [4, 5],
            values: new Uint8Array(20 * rowCount).fill(1),
            tiled: true,
          },
        },
        {
          name: 'ANY',
          type: 'double',
          cells: {
            layout: 'variable',
            dimensions: 1,
            runs: [
              { rowCount: 100, shape: [7], values: numbers(700) },
              { rowCount: 100, values: numbers(0) },
              { rowCount: 100, shape: [2], values: numbers(200) },
            ],
          },
        },
      ],
      keywords: { NAME: 'own', LIST: ['a', 'b'] },
    });
    await holds(folder, 100);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Cases of each: those of a Measurement Set take longer, as all of its tables are read. */
const sets = {
  'zoo.tgz': 40,
  'zoo_be.tgz': 40,
  'twoband.ms.tgz': 25,
  'dysco20.ms.tgz': 25,
  'mwa16.ms.tgz': 25,
};

for (const [archive, usualCases] of Object.entries(sets))
  test(`${archive}, damaged, ends in values or in one clear line`, { skip: sharedDataMissing }, async () => {
    await holds(sharedSet('dev', archive), usualCases);
  });
