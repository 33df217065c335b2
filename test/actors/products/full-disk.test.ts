/** Where there is no room, a product says so and leaves nothing behind; what was written before stays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { temporaryFolder } from '../../support/peers.ts';

const url = (path: string): string => String(new URL(`../../../${path}`, import.meta.url));

/** Writes a small product, then larger ones, into a folder without room, and tells how it went. */
const script = (folder: string): string => `
  import { readdirSync } from 'node:fs';
  import { writeCatalogueCsv } from '${url('actors/products/catalogue.js')}';
  import { writeLightCurves } from '${url('actors/products/light-curves.js')}';
  import { writeReport } from '${url('actors/products/report.js')}';
  import { madeCurves, madeReport, madeSources } from '${url('test/support/report-input.js')}';
  await writeCatalogueCsv('${folder}/catalogue.csv', madeSources);
  const points = [...madeCurves().values()].flat();
  const many = Array.from({ length: 20 }, () => points).flat();
  const codes = [];
  for (const write of [
    () => writeLightCurves('${folder}/lightcurves.csv', many),
    () => writeReport('${folder}/report.html', madeReport()),
  ]) {
    await write().catch((error) => codes.push(error.code, error.message));
  }
  console.log(JSON.stringify([codes, readdirSync('${folder}')]));`;

function runIn(program: string, args: readonly string[], folder: string): [string[], string[]] {
  const node = [process.execPath, '--input-type=module', '-e', script(folder)];
  const { stdout, stderr } = spawnSync(program, [...args, 'sh', ...node], { encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as [string[], string[]];
}

const canMount = (): false | string =>
  spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' }).status === 0
    ? false
    : 'this process may not mount a small file system';

test('a full disk leaves what was whole before and nothing else', { skip: canMount() }, () => {
  const mounted = 'mount -t tmpfs -o size=64k none /mnt && exec "$@"';
  const [codes, left] = runIn('unshare', ['-rm', 'sh', '-c', mounted], '/mnt');
  assert.deepEqual([codes[0], codes[2]], ['disk-full', 'disk-full']);
  assert.match(codes[1]!, /no space left to write \/mnt\/lightcurves\.csv/);
  assert.deepEqual(left, ['catalogue.csv']);
});

test('a limit on the size of files leaves nothing half-written either', (t) => {
  const folder = temporaryFolder(t);
  const [codes, left] = runIn('sh', ['-c', 'ulimit -f 64 && exec "$@"'], folder);
  assert.deepEqual([codes[0], codes[2]], ['cannot-write', 'cannot-write']);
  assert.match(codes[1]!, /lightcurves\.csv: it would be larger/);
  assert.deepEqual(left, ['catalogue.csv']);
});
