/**
 * Tables that are written come back through the reader, value for value: every storage manager, every type,
 * texts across buckets, undefined cells, shapes that change. (That casacore reads them too was checked by
 * hand.)
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CellRun, ColumnToWrite } from '../../../../actors/io/casacore/column-to-write.ts';
import { openTable } from '../../../../actors/io/casacore/open-table.ts';
import type { Table, Values } from '../../../../actors/io/casacore/table.ts';
import { writeTable } from '../../../../actors/io/casacore/write-table.ts';

const rowCount = 5000;
const count = <T>(length: number, of: (k: number) => T): T[] => Array.from({ length }, (_, k) => of(k));

const scalars: readonly (ColumnToWrite & { readonly cells: { readonly values: Values } })[] = [
  {
    name: 'INT',
    type: 'int',
    cells: { layout: 'scalar', values: Int32Array.from(count(rowCount, (k) => 7 - 3 * k)) },
  },
  {
    name: 'BOOL',
    type: 'bool',
    cells: { layout: 'scalar', values: Uint8Array.from(count(rowCount, (k) => Number(k % 3 === 0))) },
  },
  {
    name: 'TEXT',
    type: 'string',
    cells: { layout: 'scalar', values: count(rowCount, (k) => 'x'.repeat(k % 20) + k) },
  },
  {
    name: 'LONG',
    type: 'string',
    cells: { layout: 'scalar', values: count(rowCount, (k) => (k === 3 ? 'é'.repeat(40_000) : '')) },
  },
  {
    name: 'COMPLEX',
    type: 'complex',
    cells: { layout: 'scalar', values: Float32Array.from(count(2 * rowCount, (k) => k / 8)) },
  },
];

const fixed: readonly (ColumnToWrite & { readonly cells: { readonly values: Values } })[] = [
  {
    name: 'VECTOR',
    type: 'double',
    keywords: { QuantumUnits: ['m', 'm', 'm'], MEASINFO: { type: 'uvw', Ref: 'ITRF' } },
    cells: { layout: 'fixed', shape: [3], values: Float64Array.from(count(3 * rowCount, (k) => k / 2)) },
  },
  {
    name: 'BOOLS',
    type: 'bool',
    cells: {
      layout: 'fixed',
      shape: [5],
      values: Uint8Array.from(count(5 * rowCount, (k) => Number(k % 7 === 0))),
    },
  },
  {
    name: 'TEXTS',
    type: 'string',
    cells: { layout: 'fixed', shape: [2], values: count(2 * rowCount, (k) => `text ${k}`) },
  },
  {
    name: 'TILED',
    type: 'double',
    cells: {
      layout: 'fixed',
      tiled: true,
      shape: [3],
      values: Float64Array.from(count(3 * rowCount, (k) => k / 4)),
    },
  },
];

/** Rows 0 to 2 and 8 to the end have one shape, rows 3 to 7 another. */
const runsOf = (perValue: number, make: (values: number[]) => Values): CellRun[] => [
  { rowCount: 3, shape: [2, 3], values: make(count(3 * 6 * perValue, (k) => k % 2)) },
  { rowCount: 5, shape: [1, 3], values: make(count(5 * 3 * perValue, (k) => (k + 1) % 2)) },
  {
    rowCount: rowCount - 8,
    shape: [2, 3],
    values: make(count((rowCount - 8) * 6 * perValue, (k) => k % 5 && 1)),
  },
];

const variable: readonly (ColumnToWrite & { readonly cells: { readonly runs: readonly CellRun[] } })[] = [
  {
    name: 'TILED_COMPLEX',
    type: 'complex',
    cells: {
      layout: 'variable',
      tiled: true,
      dimensions: 2,
      runs: runsOf(2, (values) => Float32Array.from(values)),
    },
  },
  {
    name: 'TILED_BOOL',
    type: 'bool',
    cells: {
      layout: 'variable',
      tiled: true,
      dimensions: 2,
      runs: runsOf(1, (values) => Uint8Array.from(values)),
    },
  },
  {
    name: 'FLOATS',
    type: 'float',
    cells: { layout: 'variable', dimensions: 2, runs: runsOf(1, (values) => Float32Array.from(values)) },
  },
  {
    name: 'SOME_TEXTS',
    type: 'string',
    cells: {
      layout: 'variable',
      dimensions: 1,
      runs: [
        { rowCount: 2, shape: [2], values: ['X', 'Y', 'longer than eight', ''] },
        { rowCount: rowCount - 3, values: [] },
        { rowCount: 1, shape: [1], values: ['end'] },
      ],
    },
  },
];

let folder: string;
let table: Table;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-write-table-'));
  const path = join(folder, 'table');
  await writeTable(path, {
    rowCount,
    columns: [...scalars, ...fixed, ...variable],
    keywords: {
      VERSION: { float: 2 },
      COUNT: { int: -7 },
      RATIO: { double: 0.1 },
      NAME: 'a name',
      YES: true,
      CODES: Uint32Array.of(3, 64),
      NESTED: { inner: { deep: { int: 1 } }, words: ['a', 'bc'] },
    },
    info: { type: 'A type', subType: 'a subtype' },
  });
  table = await openTable(path);
});
after(async () => {
  await table.close();
  rmSync(folder, { recursive: true, force: true });
});

test('scalars and arrays of one shape come back', async () => {
  for (const { name, cells } of [...scalars, ...fixed]) {
    const { values } = await table.column(name).read({ start: 0, count: rowCount });
    assert.deepEqual(values, cells.values, name);
  }
});

test('arrays of changing shape come back, undefined ones as undefined', async () => {
  for (const { name, type, cells } of variable) {
    let start = 0;
    for (const { rowCount: rows, shape, values } of cells.runs) {
      const found = await table.column(name).readCells({ start, count: rows });
      start += rows;
      assert.deepEqual(found[0]?.shape, shape, name);
      const perCell = values.length / rows;
      const last = found.at(-1)?.values;
      assert.deepEqual(last, shape && values.slice((rows - 1) * perCell), `${name} (${type})`);
    }
  }
});

test('keywords of table and columns, and the words of table.info, come back', () => {
  const { VERSION, COUNT, RATIO, NAME, YES, CODES, NESTED } = table.keywords;
  assert.deepEqual([VERSION, COUNT, RATIO, NAME, YES], [2, -7, 0.1, 'a name', true]);
  assert.deepEqual(CODES, { shape: [2], values: Uint32Array.of(3, 64) });
  assert.deepEqual(NESTED, { inner: { deep: 1 }, words: { shape: [2], values: ['a', 'bc'] } });
  assert.deepEqual(table.column('VECTOR').keywords.MEASINFO, { type: 'uvw', Ref: 'ITRF' });
  assert.deepEqual(table.info, { type: 'A type', subType: 'a subtype' });
});

test('each column lies in the storage manager that was meant for it', () => {
  const managerOf = (name: string) => table.column(name).storageManager;
  assert.deepEqual(['INT', 'VECTOR', 'FLOATS', 'TILED', 'TILED_BOOL'].map(managerOf), [
    'StandardStMan',
    'StandardStMan',
    'StandardStMan',
    'TiledColumnStMan',
    'TiledShapeStMan',
  ]);
});

test('a table without rows, and one with a single row, are tables', async () => {
  for (const rows of [0, 1]) {
    const path = join(folder, `rows-${rows}`);
    const values = Int32Array.from(count(rows, () => 42));
    await writeTable(path, {
      rowCount: rows,
      columns: [{ name: 'A', type: 'int', cells: { layout: 'scalar', values } }],
    });
    const small = await openTable(path);
    assert.equal(small.rowCount, rows);
    assert.deepEqual((await small.column('A').read({ start: 0, count: rows })).values, values);
    await small.close();
  }
});
