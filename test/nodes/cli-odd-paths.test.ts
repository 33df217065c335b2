/**
 * The command line given what its users did not mean: files for folders, words too many, a set named twice,
 * full disks behind `>`, names with blanks, colons and accents; a program that is its own module.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { makeTwoSites } from '../../examples/two-sites.ts';
import { type Ended, runCli, startCli } from '../support/cli.ts';
import { projectRoot } from '../support/shared-data.ts';

let folder: string;
let set: string;
const token = { ASPERITAS_TOKEN: 'a token for tests of odd words' };
const imaging = ['--field', '0', '--size', '32', '--scale', '1amin'];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  const { sites } = await makeTwoSites(folder, {
    layout: 'kat-7',
    integrations: 4,
    channels: 2,
    noiseJy: 0.1,
    radiusRad: 0.003,
    seed: 1,
  });
  set = join(sites.nancay.data, 'a:b é.ms');
  renameSync(join(sites.nancay.data, sites.nancay.set), set);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function assertRefused({ status, stderr }: Ended, about: RegExp, wanted: number): void {
  const lines = stderr.split('\n').filter((line) => line !== '' && !/^(plan:| {6})/.test(line));
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0]!, /^asperitas: /);
  assert.match(lines[0]!, about);
  assert.equal(status, wanted, stderr);
}

test('daemons refuse words too many, ports that are none and a file for a folder', async () => {
  const node = ['node', '--scheduler', 'ws://127.0.0.1:9', '--site', 'a'];
  assertRefused(await runCli(['scheduler', 'now'], token), /takes no now.*--help/, 2);
  assertRefused(await runCli([...node, 'low.ms'], token), /takes no low\.ms.*--help/, 2);
  assertRefused(await runCli(['scheduler', '--port', '99999'], token), /from 0 to 65535/, 2);
  assertRefused(await runCli([...node, '--port', '65536'], token), /from 0 to 65535/, 2);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  assertRefused(await runCli([...node, '--data', file], token), /not a folder/, 2);
});

test('a forgotten value does not swallow the next option, whatever its dashes', async () => {
  const words = ['image', set, ...imaging];
  assertRefused(await runCli([...words, '-name', '-make-psf']), /--name wants PREFIX/, 2);
  assertRefused(await runCli([...words, '--name', '']), /--name wants PREFIX/, 2);
  assertRefused(await runCli([...words, '--name', 'x', '--epsilon', '2']), /from 1e-7 to 0\.1/, 2);
  assertRefused(await runCli(['image', set, '--size', '32', '--scale', '30deg', '--name', 'x']), /30deg/, 2);
});

test('output into a file, below one, or into a folder that may not be written to', async () => {
  const file = join(folder, 'result');
  writeFileSync(file, '');
  const words = ['transients', set, ...imaging, '--threads', '1', '--out'];
  assertRefused(await runCli([...words, file]), /there is a file of that name/, 1);
  assertRefused(await runCli([...words, join(file, 'in')]), /is not a folder/, 1);
  // The superuser may write anywhere.
  if (process.getuid?.() === 0) return;
  const locked = join(folder, 'locked');
  mkdirSync(locked);
  chmodSync(locked, 0o555);
  assertRefused(await runCli([...words, join(locked, 'in')]), /permission denied/, 1);
});

test('a set named twice is refused, and so is a site without a scheduler', async () => {
  const out = ['--threads', '1', '--out', join(folder, 'refused')];
  const link = join(folder, 'link.ms');
  symlinkSync(set, link);
  assertRefused(await runCli(['transients', set, link, ...imaging, ...out]), /is given twice/, 2);
  assertRefused(await runCli(['transients', 'nancay:b.ms', ...imaging, ...out]), /SITE:PATH needs/, 1);
  assert.ok(!existsSync(join(folder, 'refused')));
});

test('a set with a colon, a blank and an accent is searched here and at a scheduler', async () => {
  const scheduler = startCli(['scheduler', '--port', '0'], token);
  const [, url] = await scheduler.said(/scheduler at (ws:\S+), token in the variable ASPERITAS_TOKEN/);
  const data = join(set, '..');
  const start = ['node', '--scheduler', url!, '--site', 'nancay', '--data', data, '--threads', '1'];
  const node = startCli([...start, '--memory', '512MiB'], token);
  await node.said(/threads for/);
  const at = ['--scheduler', url!, ...imaging];
  for (const [k, name] of ['nancay:a:b é.ms', './a:b é.ms'].entries()) {
    const out = join(folder, `é ${k}:`);
    const { status, stderr } = await runCli(['transients', name, ...at, '--out', out], token);
    assert.equal(status, 0, stderr);
    assert.ok(readdirSync(out).includes('catalogue.csv'));
  }
  const unknown = await runCli(['transients', 'a:b é.ms', ...at, '--out', join(folder, 'no')], token);
  assertRefused(unknown, /site a: there are nancay/, 1);
  for (const { child, ended } of [node, scheduler]) {
    child.kill('SIGTERM');
    assert.equal((await ended).status, 0);
  }
});

test('a full disk behind > is told in one line', { skip: !existsSync('/dev/full') }, () => {
  const cli = join(projectRoot, 'dist/nodes/cli.js');
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', `"$0" "$1" info "$2" > /dev/full`, process.execPath, cli, set],
    {
      encoding: 'utf8',
    },
  );
  assert.match(stderr, /^asperitas: can't write what it prints: .*\n$/);
  assert.equal(status, 1);
});

test('a program that names itself as a module is told so, and starts no cluster in its nodes', () => {
  const program = join(folder, 'itself.mjs');
  const nodes = pathToFileURL(join(projectRoot, 'dist/nodes/index.js')).href;
  const lines = [
    `import { LocalCluster } from '${nodes}';`,
    `await LocalCluster.start({ sites: { a: { threads: 1 } }, modules: [import.meta.url] });`,
  ];
  writeFileSync(program, lines.join('\n'));
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  assert.match(stderr, /a module that nodes load may not start a cluster/);
  assert.equal(status, 1);
});
