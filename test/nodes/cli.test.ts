/**
 * The command line as its users meet it: real processes, real exit statuses, one line for every mistake, no
 * stack trace; daemons started by hand, searched over, stopped by signals.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeTwoSites, type TwoSites } from '../../examples/two-sites.ts';
import { type Ended, runCli, startCli } from '../support/cli.ts';

let folder: string;
let made: TwoSites;
const token = { ASPERITAS_TOKEN: 'a token for tests of daemons' };
const search = ['--field', '0', '--size', '32', '--scale', '1amin', '--threads', '1'];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  made = await makeTwoSites(folder, {
    layout: 'kat-7',
    integrations: 4,
    channels: 2,
    noiseJy: 0.1,
    radiusRad: 0.003,
    seed: 1,
  });
});
after(() => rmSync(folder, { recursive: true, force: true }));

const setOf = (site: 'nancay' | 'paris'): string => join(made.sites[site].data, made.sites[site].set);

/** One line on stderr, no stack, the exit status. */
function assertRefused({ status, stderr }: Ended, about: RegExp, wanted = 1): void {
  const lines = stderr.split('\n').filter((line) => line !== '' && !/^(plan:| {6})/.test(line));
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0]!, /^asperitas: /);
  assert.match(lines[0]!, about);
  assert.equal(status, wanted, stderr);
}

test('the overview names every command, and every command has its help', async () => {
  const { status, stdout } = await runCli(['--help']);
  assert.equal(status, 0);
  for (const name of ['transients', 'image', 'info', 'table', 'scheduler', 'node']) {
    assert.match(stdout, new RegExp(`^  ${name} +\\S`, 'm'));
    const help = await runCli([name, '--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, new RegExp(`^usage: asperitas ${name}`));
  }
  assert.match((await runCli(['--version'])).stdout, /^asperitas \d+\.\d+\.\d+\n$/);
});

test('wrong words end with status 2 and say where help is', async () => {
  assertRefused(await runCli(['imagine']), /no command imagine; the commands are transients/, 2);
  assertRefused(await runCli(['info', '--jsn']), /no option --jsn.*info --help/, 2);
  assertRefused(await runCli(['transients', 'x.ms', '--size', '32']), /--out is missing/, 2);
  assertRefused(await runCli(['node', '--site', 'a']), /--scheduler is missing/, 2);
  assertRefused(await runCli(['scheduler', '--port', 'seven'], token), /--port seven/, 2);
});

test('what is no Measurement Set is named', async () => {
  const file = join(folder, 'notes.txt');
  writeFileSync(file, 'not a table');
  const empty = join(folder, 'empty.ms');
  mkdirSync(empty);
  const out = join(folder, 'refused');
  assertRefused(await runCli(['info', join(folder, 'none.ms')]), /none\.ms/);
  for (const path of [join(folder, 'none.ms'), file, empty]) {
    assertRefused(await runCli(['transients', path, ...search, '--out', out]), new RegExp(path));
  }
  assert.ok(!existsSync(out), 'nothing is made for a search that cannot be');
});

test('a field that does not exist and an image of too many pixels are refused with advice', async () => {
  const out = join(folder, 'refused');
  const field = ['--field', '7', '--size', '32', '--scale', '1amin', '--out', out];
  assertRefused(await runCli(['transients', setOf('nancay'), ...field]), /low\.ms.*field/);
  const huge = ['--field', '0', '--size', '60000', '--scale', '1asec', '--threads', '1', '--out', out];
  assertRefused(await runCli(['transients', setOf('nancay'), ...huge]), /--size 60000.*ask for fewer/);
  assert.ok(!existsSync(out));
});

test('a scheduler that cannot be reached, and a wrong token', async () => {
  const at = (url: string) => ['--scheduler', url, ...search, '--out', join(folder, 'refused')];
  const nobody = await runCli(['transients', 'nancay:low.ms', ...at('ws://127.0.0.1:9')], token);
  assertRefused(nobody, /can't reach ws:\/\/127\.0\.0\.1:9/);
  const scheduler = startCli(['scheduler', '--port', '0'], token);
  try {
    const [, url] = await scheduler.said(/scheduler at (ws:\S+),/);
    const wrong = { ASPERITAS_TOKEN: 'another token' };
    assertRefused(await runCli(['transients', 'nancay:low.ms', ...at(url!)], wrong), /refused the token/);
    assertRefused(await runCli(['node', '--scheduler', url!, '--site', 'a'], wrong), /refused the token/);
    const none = { ASPERITAS_TOKEN: '', XDG_STATE_HOME: join(folder, 'no-state') };
    assertRefused(await runCli(['node', '--scheduler', url!, '--site', 'a'], none), /no token: .* copy/);
  } finally {
    scheduler.child.kill('SIGTERM');
  }
  assert.equal((await scheduler.ended).status, 0);
});

test('daemons started by hand search two sites, lose a node half-way, and end on SIGTERM', async () => {
  const scheduler = startCli(['scheduler', '--port', '0', '--check'], token);
  const [, url] = await scheduler.said(/scheduler at (ws:\S+),/);
  const start = (site: 'nancay' | 'paris', name: string) =>
    startCli(
      [
        ...['node', '--scheduler', url!, '--site', site, '--name', name],
        ...['--threads', '1', '--memory', '512MiB', '--data', made.sites[site].data],
      ],
      token,
    );
  const nodes = [start('nancay', 'n1'), start('nancay', 'n2'), start('paris', 'p1'), start('paris', 'p2')];
  for (const node of nodes) await node.said(/threads for/);
  const out = join(folder, 'by-hand');
  const options = ['--scheduler', url!, ...search, '--out', out];
  const large = ['--scheduler', url!, '--field', '0', '--size', '4096', '--scale', '1asec', '--out', out];
  const refused = await runCli(['transients', 'nancay:low.ms', ...large], token);
  assertRefused(refused, /node n[12] at nancay has 512 MiB but its 1 threads need .*a smaller --size/);
  assert.ok(!existsSync(out));
  const running = startCli(['transients', 'nancay:low.ms', 'high.ms', ...options], token);
  await running.said(/plan: 2 sets at nancay, paris/);
  nodes[1]!.child.kill('SIGKILL');
  const { status, stdout, stderr } = await running.ended;
  assert.equal(status, 0, stderr);
  assert.match(stdout, /written to /);
  const names = readdirSync(out);
  for (const name of ['catalogue.csv', 'lightcurves.csv', 'report.html', 'provenance.json', 'trace.json']) {
    assert.ok(names.includes(name), `${name} is missing`);
  }
  for (const node of [nodes[0]!, nodes[2]!, nodes[3]!]) {
    node.child.kill('SIGTERM');
    assert.equal((await node.ended).status, 0);
  }
  scheduler.child.kill('SIGTERM');
  assert.equal((await scheduler.ended).status, 0);
});

test('a second node of one name ends with one line, and the first works on', async () => {
  const scheduler = startCli(['scheduler', '--port', '0'], token);
  const [, url] = await scheduler.said(/scheduler at (ws:\S+),/);
  const words = ['node', '--scheduler', url!, '--site', 'nancay', '--name', 'n1', '--threads', '1'];
  const first = startCli(words, token);
  await first.said(/threads for/);
  assertRefused(await runCli(words, token), /a node named n1 is there already .*--name/);
  for (const { child, ended } of [first, scheduler]) {
    child.kill('SIGTERM');
    const { status, stderr } = await ended;
    assert.deepEqual([status, stderr], [0, '']);
  }
});

test('a node finds its scheduler again when that is started anew, and works for it', async () => {
  const first = startCli(['scheduler', '--port', '0'], token);
  const [, url] = await first.said(/scheduler at (ws:\S+),/);
  const words = ['--scheduler', url!, '--site', 'nancay', '--data', made.sites.nancay.data];
  const node = startCli(['node', ...words, '--threads', '1', '--memory', '512MiB'], token);
  await node.said(/threads for/);
  first.child.kill('SIGKILL');
  await node.said(/is gone; looking for it again/);
  const second = startCli(['scheduler', '--port', new URL(url!).port], token);
  await node.said(/found the scheduler/);
  const options = ['--scheduler', url!, '--field', '0', '--size', '32', '--scale', '1amin'];
  const ended = await runCli(['transients', 'low.ms', ...options, '--out', join(folder, 'again')], token);
  assert.equal(ended.status, 0, ended.stderr);
  for (const { child, ended: end } of [node, second]) {
    child.kill('SIGTERM');
    assert.equal((await end).status, 0);
  }
});

test('Ctrl-C stops a search cleanly, and the same command goes on', async () => {
  const out = join(folder, 'stopped');
  const words = ['transients', setOf('nancay'), '--field', '0', '--size', '512', '--scale', '20asec'];
  const running = startCli([...words, '--threads', '1', '--out', out]);
  await running.said(/plan: 1 set/);
  running.child.kill('SIGINT');
  const stopped = await running.ended;
  assert.equal(stopped.status, 130, stopped.stderr);
  assert.match(stopped.stderr, /asperitas: stopped\n$/);
  assert.ok(!stopped.stderr.includes('    at '), 'no stack trace');
  const again = await runCli([...words, '--threads', '1', '--out', out]);
  assert.equal(again.status, 0, again.stderr);
  assert.ok(!readdirSync(out).some((name) => name.startsWith('.')), 'nothing half-done is left');
});
