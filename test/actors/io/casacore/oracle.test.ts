/**
 * Every column of every reference table against the SHA-256 that casacore's own reading of it gives. Reading
 * the same column in other ways (blocks, lists of rows, slices) is held to the same cells.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashColumn } from '../../../../actors/io/casacore/hash.ts';
import { openTable } from '../../../../actors/io/casacore/open-table.ts';
import type { Table } from '../../../../actors/io/casacore/table.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';
import { sharedDataMissing, sharedFile, sharedSet } from '../../../support/shared-data.ts';

interface OracleTable {
  readonly nrow: number;
  readonly endian: string;
  readonly info: { readonly type: string; readonly subType: string };
  readonly columns: Readonly<Record<string, { readonly sha256?: string; readonly error?: string }>>;
}
type Oracle = Readonly<Record<string, OracleTable>>;

/** Columns that casacore reads and we do not, as `set/subtable/column`: none, and docs/formats.md says so. */
const unsupported: readonly string[] = [];

function readOracle(folder: string, name: string): Oracle {
  return JSON.parse(readFileSync(sharedFile(folder, 'oracle', `${name}.json`), 'utf8')) as Oracle;
}

/** Compares a table with its oracle; returns what differs, in words. */
async function differences(table: Table, oracle: OracleTable, name: string): Promise<string[]> {
  const found: string[] = [];
  if (table.rowCount !== oracle.nrow) found.push(`${name}: ${table.rowCount} rows, not ${oracle.nrow}`);
  if (table.info.type !== oracle.info.type) found.push(`${name}: type ${table.info.type}`);
  const names = table.columns.map((column) => column.name).sort();
  assert.deepEqual(names, Object.keys(oracle.columns).sort(), name);
  for (const [column, expected] of Object.entries(oracle.columns)) {
    if (unsupported.includes(`${name}/${column}`)) continue;
    try {
      const hash = await hashColumn(table.column(column), 0, table.rowCount);
      if (hash !== expected.sha256) found.push(`${name}/${column}: another hash`);
    } catch (error) {
      const isExpected = expected.error !== undefined && isAsperitasError(error, 'missing-file');
      if (!isExpected) found.push(`${name}/${column}: ${String(error)}`);
    }
  }
  return found;
}

async function checkSet(path: string, oracle: Oracle, name: string): Promise<void> {
  const found: string[] = [];
  for (const [sub, expected] of Object.entries(oracle)) {
    if (expected.columns === undefined) continue;
    const table = await openTable(sub === '.' ? path : join(path, sub));
    found.push(...(await differences(table, expected, sub === '.' ? name : `${name}/${sub}`)));
    await table.close();
  }
  assert.deepEqual(found, []);
}

const options = { skip: sharedDataMissing };

if (sharedDataMissing === false) {
  for (const folder of ['dev', 'public'] as const) {
    const oracles = readdirSync(sharedFile(folder, 'oracle')).map((file) => file.replace(/\.json$/, ''));
    for (const name of oracles) {
      test(`${folder}/${name} reads as casacore reads it`, async () => {
        const [set, table] = name.startsWith('zoo') ? name.split('.') : [name, undefined];
        const archive = folder === 'dev' && table === undefined ? `${set}.ms.tgz` : `${set}.tgz`;
        const root = sharedSet(folder, archive);
        await checkSet(table === undefined ? root : join(root, table!), readOracle(folder, name), name);
      });
    }
  }
} else {
  test('reference sets read as casacore reads them', options, () => {});
}
