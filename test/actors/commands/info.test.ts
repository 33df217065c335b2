/** `asperitas info`, as a user sees it: a page of at most 100 columns, or JSON with the documented keys. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { command } from '../../../actors/commands/info.ts';
import { durationText, isAsperitasError, sizeText } from '../../../runtime/index.ts';
import { projectRoot, sharedDataMissing, sharedSet } from '../../support/shared-data.ts';

const skip = sharedDataMissing;

/** What the command prints. */
async function info(
  args: readonly string[],
  options: Readonly<Record<string, boolean>> = {},
): Promise<string> {
  let text = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const { signal } = new AbortController();
  assert.equal(await command.run({ args, options, stdout, stderr: stdout, signal, services: {} }), 0);
  return text;
}

test('a page of text names telescope, fields, bands, times, columns and storage managers', {
  skip,
}, async () => {
  const text = await info([sharedSet('dev', 'vlay27.ms.tgz')], { flags: true });
  for (const words of [
    /SIM-VLA/,
    /2021-01-01 07:12:00\.0 to 2021-01-01 07:23:20\.0 UTC \(11 min 20 s\)/,
    /44928 rows, \d+\.\d MB on disk, little-endian/,
    /1 {2}TARGET {2}08:13:36\.00 {2}\+33:12:36\.0 {2}J2000 {5}60 {6}10 s {2}42120 {2}0 1/,
    /0 {4}0 {2}L-lo {9}8 {3}1372 {2}1400 {6}4 {2}TOPO {3}RR RL LR LL/,
    /Antennas \(27; longest baseline 2949 m; diameter 25 m\)/,
    /CORRECTED_DATA is imaged unless another is named/,
    /WEIGHT_SPECTRUM {2}float {4}4 x 8 {2}TiledShapeStMan 19/,
    /8\.96 % of all samples/,
  ]) {
    assert.match(text, words);
  }
});

test('no line is wider than 100 columns, whatever the set', { skip }, async () => {
  for (const archive of ['alma_X5707.ms.tgz', 'ovrolwa_352.NODATA.ms.tgz', 'dp3_tNDPPP_bda_WSRT.MS.tgz']) {
    const lines = (await info([sharedSet('public', archive)])).split('\n').slice(1);
    assert.deepEqual(
      lines.filter((line) => line.length > 100),
      [],
    );
  }
});

test('JSON has the documented keys and no others', { skip }, async () => {
  const text = await info([sharedSet('dev', 'twoband.ms.tgz')], { json: true, flags: true });
  const description = JSON.parse(text) as Record<string, unknown>;
  const documented = readFileSync(join(projectRoot, 'docs/formats.md'), 'utf8');
  const section = documented.slice(documented.indexOf('`asperitas info --json`'));
  const known = (key: string) => section.includes(`\`${key}\``) || section.includes(`\`${key}[]\``);
  const keysOf = (value: unknown): string[] =>
    typeof value !== 'object' || value === null
      ? []
      : Array.isArray(value)
        ? value.slice(0, 1).flatMap(keysOf)
        : Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
  assert.deepEqual(
    keysOf(description).filter((key) => !known(key)),
    [],
  );
  assert.deepEqual([description.rows, description.byteOrder], [864, 'big']);
});

test('several sets give a list; none, or a wrong path, an error', { skip }, async () => {
  const paths = ['twoband.ms.tgz', 'mwa16.ms.tgz'].map((archive) => sharedSet('dev', archive));
  assert.equal((JSON.parse(await info(paths, { json: true })) as unknown[]).length, 2);
  await assert.rejects(info([]), (error) => isAsperitasError(error, 'usage'));
  await assert.rejects(info(['/no/such.ms']), (error) => isAsperitasError(error, 'no-such-file'));
});

test('sizes and durations are short', () => {
  assert.deepEqual([0, 999, 1500, 32.8e6, 4.2e12].map(sizeText), [
    '0 bytes',
    '999 bytes',
    '1.50 kB',
    '32.8 MB',
    '4.20 TB',
  ]);
  assert.deepEqual([0.1, 10, 60, 3725].map(durationText), ['0.1 s', '10 s', '1 min 00 s', '1 h 02 min 05 s']);
});
