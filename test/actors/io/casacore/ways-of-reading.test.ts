/**
 * However cells are asked for (in blocks, by lists of rows, cut to boxes, with tiles at hand or not) they are
 * the cells that reading one by one gives.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keptIndexes } from '../../../../actors/io/casacore/array-file.ts';
import { openTable } from '../../../../actors/io/casacore/open-table.ts';
import type { Cell, Column } from '../../../../actors/io/casacore/table.ts';
import { randomStream } from '../../../../actors/simulation/random.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';
import { sharedDataMissing, sharedSet } from '../../../support/shared-data.ts';

const random = randomStream(7);
const below = (limit: number) => Math.floor(random.uniform() * limit);

/** The values of a cell that a box keeps, one string each. */
function boxed({ type }: Column, { shape, values }: Cell, starts: number[], counts: number[]): string[] {
  const parts = type === 'complex' || type === 'dcomplex' ? 2 : 1;
  const kept = [...keptIndexes(shape, starts, counts)];
  return kept.flatMap((index) =>
    Array.from({ length: parts }, (_, part) => String(values[index * parts + part])),
  );
}

/** Reads some rows in some way and compares; false where their shapes differ. */
async function agrees(
  column: Column,
  rowCount: number,
  all: readonly (Cell | undefined)[],
): Promise<boolean> {
  const start = below(rowCount);
  const count = 1 + below(rowCount - start);
  const rows = Array.from({ length: count }, (_, k) => start + k);
  const isList = random.uniform() < 0.3;
  if (isList) for (let k = 0; k < count; k++) rows[k] = below(rowCount);
  const shape = all[rows[0]!]?.shape;
  if (shape === undefined) return false;
  const isCut = column.isArray && random.uniform() < 0.5;
  const starts = shape.map((length) => (isCut ? below(length) : 0));
  const counts = shape.map((length, axis) => (isCut ? 1 + below(length - starts[axis]!) : length));
  const slice = isCut ? starts.map((from, axis) => ({ start: from, count: counts[axis]! })) : undefined;
  try {
    const read = await column.read(isList ? Uint32Array.from(rows) : { start, count }, slice);
    assert.deepEqual(read.shape, counts);
    const expected = rows.flatMap((row) => boxed(column, all[row]!, starts, counts));
    assert.deepEqual([...read.values].map(String), expected, `${column.name} rows ${rows} of ${starts}`);
    return true;
  } catch (error) {
    if (isAsperitasError(error, 'ragged-column') || isAsperitasError(error, 'undefined-cell')) return false;
    throw error;
  }
}

for (const archive of ['zoo.tgz', 'zoo_be.tgz'])
  test(`blocks, lists and boxes of ${archive} are its cells`, { skip: sharedDataMissing }, async () => {
    const root = sharedSet('dev', archive);
    let compared = 0;
    for (const name of readdirSync(root)) {
      const table = await openTable(join(root, name));
      const { rowCount } = table;
      for (const { name: columnName, type } of table.columns) {
        if (rowCount === 0 || type === 'record') continue;
        const column = table.column(columnName);
        const all = await column.readCells({ start: 0, count: rowCount });
        for (let k = 0; k < 6; k++) if (await agrees(column, rowCount, all)) compared++;
      }
      await table.close();
    }
    assert.ok(compared > 300, `${compared}`);
  });
