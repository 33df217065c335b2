/**
 * Damage that once hung the reader, left files open, or broke its error into several lines; the fuzz of the
 * neighbouring file looks for more of it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { AipsWriter } from '../../../../actors/io/casacore/aips-io-writer.ts';
import { openTable } from '../../../../actors/io/casacore/open-table.ts';
import { writeTable } from '../../../../actors/io/casacore/write-table.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';

let folder = '';
let path = '';
let count = 0;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-damage-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  path = join(folder, `table${count++}`);
  await writeTable(path, {
    rowCount: 3,
    columns: [{ name: 'X', type: 'int', cells: { layout: 'scalar', values: Int32Array.of(5, 6, 7) } }],
  });
});

/** The table.dat of a concatenation. */
function writeConcatenation(at: string, rowCount: number, parts: readonly string[]): void {
  const writer = new AipsWriter();
  const contents = () => {
    writer.uint(rowCount);
    writer.uint(1);
    writer.string('ConcatTable');
    writer.object(
      'ConcatTable',
      0,
      () => {
        writer.uint(parts.length);
        for (const part of parts) writer.string(part);
        writer.object('Block', 1, () => writer.uint(0));
      },
      false,
    );
  };
  writer.object('Table', 2, contents, true);
  mkdirSync(at);
  writeFileSync(join(at, 'table.dat'), writer.bytes);
}

/** The error of opening the table and reading its column; undefined where nothing is wrong. */
async function problem(): Promise<{ code: string; message: string } | undefined> {
  try {
    const table = await openTable(path);
    try {
      assert.deepEqual([...(await table.column('X').read({ start: 0, count: 3 })).values], [5, 6, 7]);
    } finally {
      await table.close();
    }
    return undefined;
  } catch (error) {
    assert.ok(isAsperitasError(error), String(error));
    assert.doesNotMatch(error.message, /\p{Cc}/u);
    return error;
  }
}

test('a pipe in a file’s place is an unreadable file, not a wait for its writer', async () => {
  for (const name of ['table.dat', 'table.info', 'table.lock', 'table.f0']) {
    const kept = readFileSync(join(path, name));
    rmSync(join(path, name));
    execFileSync('mkfifo', [join(path, name)]);
    assert.equal((await problem())?.code, 'unreadable-file', name);
    rmSync(join(path, name));
    writeFileSync(join(path, name), kept);
  }
  assert.equal(await problem(), undefined);
});

test('control characters in a table do not reach the error', async () => {
  const bytes = readFileSync(join(path, 'table.dat'));
  const at = bytes.indexOf('PlainTable');
  bytes.set([0x0a, 0x1b, 0x7f, 0xff], at);
  writeFileSync(join(path, 'table.dat'), bytes);
  const error = await problem();
  assert.equal(error?.code, 'unsupported-table');
  assert.match(error.message, /"\?{4}nTable"/);
});

test('a table that is closed opens no more files', async () => {
  const table = await openTable(path);
  await table.close();
  const reading = table.column('X').read({ start: 0, count: 1 });
  await assert.rejects(reading, (error) => isAsperitasError(error, 'table-closed'));
});

test('tables that stand on one another in a circle are damaged', async () => {
  const first = join(folder, 'circle1');
  const second = join(folder, 'circle2');
  writeConcatenation(first, 3, ['./circle2']);
  writeConcatenation(second, 3, ['./circle1']);
  path = first;
  const error = await problem();
  assert.equal(error?.code, 'damaged-table');
  assert.match(error.message, /stands on itself/);
});

test('a table that is many times part of a table is closed once', async () => {
  const levels = 12;
  const names = Array.from({ length: levels + 1 }, (_, level) => join(folder, `level${level}`));
  symlinkSync(path, names[0]!);
  for (let level = 1; level <= levels; level++)
    writeConcatenation(names[level]!, 3 * 8 ** level, new Array<string>(8).fill(`./level${level - 1}`));
  path = names[levels]!;
  const table = await openTable(path);
  assert.equal(table.rowCount, 3 * 8 ** levels);
  assert.deepEqual([...(await table.column('X').read({ start: 3 * 8 ** 7 - 1, count: 2 })).values], [7, 5]);
  // 8^12 calls would take an hour.
  await table.close();
});

test('more rows than can be counted are damage', async () => {
  const names = Array.from({ length: 15 }, (_, level) => join(folder, `many${level}`));
  symlinkSync(path, names[0]!);
  for (let level = 1; level < names.length; level++)
    writeConcatenation(names[level]!, 3, new Array<string>(16).fill(`./many${level - 1}`));
  path = names.at(-1)!;
  assert.equal((await problem())?.code, 'damaged-table');
});

test('a missing or exchanged file is told by its name', async () => {
  for (const name of readdirSync(path).filter((file) => file.startsWith('table.f'))) {
    rmSync(join(path, name));
    const missing = await problem();
    assert.equal(missing?.code, 'missing-file');
    assert.ok(missing.message.includes(join(path, name)));
    symlinkSync(name, join(path, name));
    assert.equal((await problem())?.code, 'unreadable-file');
  }
});
