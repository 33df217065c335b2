/** `asperitas table`, as a user sees it: pages for people, JSON without loss, hashes, one-line errors. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { cellParts, keywordJson } from '../../../actors/commands/exact-json.ts';
import { command } from '../../../actors/commands/table.ts';
import { cellText, rowsText } from '../../../actors/commands/table-text.ts';
import { nearNames } from '../../../actors/io/casacore/near-names.ts';
import { isAsperitasError } from '../../../runtime/index.ts';
import { sharedDataMissing, sharedFile, sharedSet } from '../../support/shared-data.ts';

const skip = sharedDataMissing;

interface Printed {
  readonly out: string;
  readonly problems: string;
  readonly status: number;
}

function collector(): { stream: Writable; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, text: () => text };
}

/** What the command prints. */
async function look(
  path: string,
  options: Readonly<Record<string, string | boolean>> = {},
): Promise<Printed> {
  const [out, problems] = [collector(), collector()];
  const { signal } = new AbortController();
  const streams = { stdout: out.stream, stderr: problems.stream };
  const status = await command.run({ args: [path], options, ...streams, signal, services: {} });
  return { out: out.text(), problems: problems.text(), status };
}

/** The message that the command fails with. */
async function failure(
  code: string,
  path: string,
  options: Readonly<Record<string, string>>,
): Promise<string> {
  let message = '';
  await assert.rejects(look(path, options), (error) => {
    message = String((error as Error).message);
    return isAsperitasError(error, code);
  });
  assert.ok(!message.includes('\n'));
  return message;
}

const set = () => sharedSet('dev', 'twoband.ms.tgz');
const zoo = (table: string) => join(sharedSet('dev', 'zoo.tgz'), table);

test('a page says the kind, rows, columns, keywords and subtables', { skip }, async () => {
  const { out, status } = await look(set());
  assert.equal(status, 0);
  for (const words of [
    /plain table, big-endian, 864 rows \(Measurement Set\)/,
    / {2}FLAG +bool +2 x \d+ +Tiled\w+StMan \d+\n/,
    / {2}MS_VERSION = 2\n/,
    /Subtables \(12\)\n {2}ANTENNA DATA_DESCRIPTION/,
  ])
    assert.match(out, words);
  assert.doesNotMatch(out, /MEASINFO/);
  assert.match(
    (await look(set(), { keywords: true })).out,
    /Column UVW\n(.*\n)*? {2}MEASINFO =\n {4}type = uvw/,
  );
});

test('cells that fit the page stand in a table, others in a paragraph for each row', { skip }, async () => {
  const { out } = await look(`${set()}::ANTENNA`, { columns: 'NAME,DISH_DIAMETER', rows: '1:3' });
  assert.match(out, /^ {2}row {2}NAME +DISH_DIAMETER\n {4}1 {2}\S+ +25\n {4}2 {2}\S+ +25\n$/);
  const wide = await look(set(), { rows: '863' });
  assert.match(wide.out, /^row 863\n/);
  assert.match(wide.out, /\n {2}DATA +\[2 x \d+\] \S+i, .*\.\.\.\n/);
  for (const line of wide.out.split('\n')) assert.ok(line.length <= 110, line);
});

test('JSON has the exact values, innermost axis first', { skip }, async () => {
  const { out } = await look(zoo('ssm_scalars'), { rows: ':', json: true });
  const table = JSON.parse(out) as { rows: number[]; columns: Record<string, unknown[]> };
  assert.deepEqual(table.rows, [0, 41]);
  const oracle = JSON.parse(readFileSync(sharedFile('dev', 'oracle', 'zoo.ssm_scalars.json'), 'utf8'));
  for (const name of ['S_int', 'S_double', 'S_float', 'S_string', 'S_short'])
    for (const [key, row] of [
      ['first', 0],
      ['mid', 20],
      ['last', 40],
    ] as const)
      assert.deepEqual(table.columns[name][row], oracle['.'].columns[name][key], `${name} ${key}`);
  const cell = { shape: [2, 3], values: Int32Array.of(1, 2, 3, 4, 5, 6) };
  assert.equal([...cellParts(cell, 'int')].join(''), '[[1,2],[3,4],[5,6]]');
});

test('JSON keeps what JSON.stringify would bend', () => {
  const text = (values: Float64Array | BigInt64Array | Float32Array, type: 'double' | 'int64' | 'complex') =>
    [...cellParts({ shape: [type === 'complex' ? 1 : values.length], values }, type)].join('');
  assert.equal(
    text(Float64Array.of(-0, Number.NaN, -1 / 0, 5e-324), 'double'),
    '[-0.0,"NaN","-Infinity",5e-324]',
  );
  assert.equal(text(BigInt64Array.of(9007199254740993n), 'int64'), '[9007199254740993]');
  assert.equal(text(Float32Array.of(0.1, 2), 'complex'), '[[0.10000000149011612,2]]');
  assert.equal([...cellParts(undefined, 'int')].join(''), 'null');
  assert.equal(keywordJson({ a: { re: 1, im: -2 }, b: { table: '/x' } }), '{"a":[1,-2],"b":{"table":"/x"}}');
});

test('fingerprints are the ones of casacore, whole or by rows', { skip }, async () => {
  const { out } = await look(`${set()}::SPECTRAL_WINDOW`, { hash: true });
  const oracle = JSON.parse(readFileSync(sharedFile('dev', 'oracle', 'twoband.json'), 'utf8'));
  const expected: Record<string, { sha256: string }> = oracle.SPECTRAL_WINDOW.columns;
  assert.deepEqual(
    Object.fromEntries(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')),
    ),
    Object.fromEntries(Object.entries(expected).map(([name, { sha256 }]) => [name, sha256])),
  );
  const nothing = await look(set(), { hash: true, columns: 'TIME', rows: '0:0', json: true });
  assert.deepEqual(JSON.parse(nothing.out), {
    TIME: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  });
});

test('a column whose file is missing is told on stderr, the others are printed', { skip }, async () => {
  const table = sharedSet('public', 'ovrolwa_352.NODATA.ms.tgz');
  const { out, problems, status } = await look(table, { hash: true, columns: 'DATA,ANTENNA1', rows: '0:9' });
  assert.equal(status, 1);
  assert.match(out, /^ANTENNA1 [0-9a-f]{64}\n$/);
  assert.match(problems, /^\S+: column DATA: \S+table\.f17_TSM1: no such file.*\n$/);
});

test('errors are one line and say what to ask for instead', { skip }, async () => {
  assert.match(
    await failure('no-such-column', set(), { columns: 'DTA' }),
    /no column DTA; did you mean DATA\?/,
  );
  assert.match(await failure('no-such-column', set(), { columns: 'Q' }), /there are .* and \d+ more/);
  assert.match(
    await failure('no-such-row', set(), { rows: '5:865' }),
    /5:865 asked of a table with 864 rows/,
  );
  assert.match(await failure('bad-option', set(), { rows: 'a:b' }), /--rows a:b: give rows as/);
  assert.match(await failure('not-a-table', join(set(), '..'), {}), /not a casacore table/);
});

test('names that are like the wanted one are found', () => {
  const names = ['DATA', 'CORRECTED_DATA', 'MODEL_DATA', 'FLAG', 'FLAG_ROW', 'WEIGHT', 'TIME'];
  assert.deepEqual(nearNames('data', names).slice(0, 1), ['DATA']);
  assert.deepEqual(nearNames('FLAGS', names).slice(0, 1), ['FLAG']);
  assert.deepEqual(nearNames('CORECTED_DATA', names).slice(0, 1), ['CORRECTED_DATA']);
  assert.deepEqual(nearNames('XYZZY', names), []);
});

test('texts of cells are short and on one line', () => {
  const values = Float32Array.from({ length: 400 }, (_, i) => i / 10);
  assert.equal(cellText({ shape: [4, 100], values }, 'float'), '[4 x 100] 0, 0.1, 0.2, 0.3, 0.4, 0.5, ...');
  assert.equal(cellText({ shape: [], values: ['a\nb\u001b[2J'] }, 'string'), 'a\\nb\\u001b[2J');
  assert.equal(cellText({ shape: [0, 4], values: [] }, 'string'), '[0 x 4]');
  assert.equal(cellText({ shape: [], values: Float32Array.of(0.1) }, 'float'), '0.1');
  assert.equal(rowsText({ start: 7, names: ['A'], cells: [['x']] }), '  row  A\n    7  x\n');
});
