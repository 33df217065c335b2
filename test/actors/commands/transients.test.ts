/** The command line of the main job: what it asks for, what it prints, what it refuses. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { command } from '../../../actors/commands/transients.ts';
import { makeTwoSites, type TwoSites } from '../../../examples/two-sites.ts';
import { isAsperitasError } from '../../../runtime/index.ts';
import type { OpenClusterOptions } from '../../../scheduler/index.ts';
import { InProcessCluster } from '../../support/in-process-cluster.ts';

let folder: string;
let made: TwoSites;

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

type Options = Readonly<Record<string, string | boolean | readonly string[]>>;

/** Runs the command over a cluster in this process, and tells what was asked and printed. */
async function runCommand(args: readonly string[], options: Options) {
  const asked: OpenClusterOptions[] = [];
  let closed = 0;
  const text = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') =>
    new PassThrough().on('data', (bytes: Buffer) => {
      text[name] += bytes.toString();
    });
  const openCluster = async (how: OpenClusterOptions) => {
    asked.push(how);
    const sites = how.sites === undefined ? { nancay: { data: made.sites.nancay.data } } : how.sites;
    const data = Object.fromEntries(Object.entries(sites).map(([site, about]) => [site, about.data!]));
    return { cluster: new InProcessCluster(data), close: async () => void closed++ };
  };
  const [stdout, stderr] = [stream('stdout'), stream('stderr')];
  const signal = new AbortController().signal;
  const status = await command.run({ args, options, stdout, stderr, signal, services: { openCluster } });
  return { status, asked, closed, ...text };
}

const basic = { field: '0', size: ['32'], scale: '1amin' };

test('one set is searched on this machine, over its own folder', async () => {
  const out = join(folder, 'one');
  const set = join(made.sites.nancay.data, 'low.ms');
  const { status, asked, closed, stdout, stderr } = await runCommand([set], { ...basic, out, threads: '2' });
  assert.equal(status, 0);
  assert.equal(closed, 1);
  assert.deepEqual(asked[0]!.sites, { local: { data: made.sites.nancay.data, nodes: 1, threads: 2 } });
  assert.match(stderr, /^plan: 1 set at local; field "DEMO" of SIMULATED; 1 band: 1302MHz\n {6}4 frames/);
  assert.match(stdout, /^id +kind +ra_deg/);
  assert.match(stdout, new RegExp(`written to ${out}\n$`));
  assert.ok(existsSync(join(out, '1302MHz-dirty-cube.fits')));
  assert.ok(!stderr.includes('\u001b'), 'no progress line where there is no terminal');
  const { command: words } = JSON.parse(readFileSync(join(out, 'provenance.json'), 'utf8')) as {
    command: string[];
  };
  const given = ['--field', '0', '--size', '32', '--scale', '1amin', '--out', out, '--threads', '2'];
  assert.deepEqual(words, ['asperitas', 'transients', set, ...given]);
});

test('sets of two folders are searched over the folder that holds both', async () => {
  const sets = [join(made.sites.nancay.data, 'low.ms'), join(made.sites.paris.data, 'high.ms')];
  const { asked, stderr } = await runCommand(sets, { ...basic, out: join(folder, 'two'), bands: '2' });
  assert.equal(asked[0]!.sites!.local!.data, folder);
  assert.match(stderr, /4 bands: 1300MHz, 1304MHz, 1600MHz, 1604MHz/);
});

test('at a scheduler, sets are paths at its sites', async () => {
  const options = { ...basic, out: join(folder, 'three'), scheduler: 'ws://127.0.0.1:1', 'token-file': 'x' };
  const { asked, stderr } = await runCommand(['nancay:low.ms'], options);
  assert.equal(asked[0]!.scheduler, 'ws://127.0.0.1:1');
  assert.equal(asked[0]!.tokenFile, 'x');
  assert.match(stderr, /1 set at nancay/);
});

test('wrong words are refused before anything is started', async () => {
  const refused = async (options: Options, code: string, about: RegExp, args = ['x.ms']) => {
    await assert.rejects(runCommand(args, { ...basic, out: folder, ...options }), (error) => {
      assert.ok(isAsperitasError(error, code), String(error));
      assert.match(error.message, about);
      return true;
    });
  };
  await refused({}, 'usage', /name a Measurement Set/, []);
  await refused({ scale: '3parsec' }, 'bad-option', /--scale 3parsec/);
  await refused({ scale: '0asec' }, 'bad-option', /above zero/);
  await refused({ size: ['31'] }, 'bad-option', /even/);
  await refused({ size: ['many'] }, 'bad-option', /--size many/);
  await refused({ weight: ['heavy'] }, 'bad-option', /--weight heavy/);
  await refused({ pol: 'XX' }, 'bad-option', /--pol XX/);
  await refused({ threshold: '1' }, 'bad-option', /--threshold 1/);
  await refused({ role: 'drill' }, 'bad-option', /--role drill: test or observation/);
  await refused({ bands: '1.5' }, 'bad-option', /--bands 1.5/);
  await refused({ local: true, scheduler: 'ws://x' }, 'usage', /not both/);
  await refused({}, 'no-such-file', /x\.ms: no such file/);
});
