/**
 * The main job end to end on a simulated observation that lies at two sites, one band each: all that was
 * put in is found, nothing else, and a repeated command goes on from finished frames.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openFitsImage } from '../../../actors/io/fits/read-image.ts';
import { type RunOutcome, runTransients, type TransientRun } from '../../../actors/pipelines/transients.ts';
import { hasSet } from '../../../actors/pipelines/transients-describe.ts';
import { searchDefaults } from '../../../actors/pipelines/transients-request.ts';
import { fluxDensity } from '../../../actors/simulation/predict.ts';
import { matchSources } from '../../../examples/found-sources.ts';
import { makeTwoSites, type TwoSites } from '../../../examples/two-sites.ts';
import { isAsperitasError, type SiteName } from '../../../runtime/index.ts';
import { InProcessCluster } from '../../support/in-process-cluster.ts';
import { parseXml } from '../../support/xml.ts';

const plan = {
  layout: 'vla-d',
  integrations: 16,
  channels: 2,
  noiseJy: 0.25,
  radiusRad: 0.0019,
  seed: 5,
} as const;
let made: TwoSites;
let folder: string;
let outcome: RunOutcome;
let first: InProcessCluster;

const clusterOf = ({ sites }: TwoSites): InProcessCluster =>
  new InProcessCluster({ nancay: sites.nancay.data, paris: sites.paris.data });

function runOf(cluster: InProcessCluster, out: string, changes: Partial<TransientRun['request']> = {}) {
  return {
    cluster,
    out,
    signal: new AbortController().signal,
    request: {
      sets: [
        { site: 'nancay', path: 'low.ms' },
        { site: undefined, path: 'high.ms' },
      ],
      field: 'DEMO',
      npixX: 64,
      npixY: 64,
      pixsize: plan.radiusRad / 26,
      ...searchDefaults,
      ...changes,
    },
  } satisfies TransientRun;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  made = await makeTwoSites(folder, plan);
  first = clusterOf(made);
  await first.compute(hasSet.with({ site: 'nancay' as SiteName })('low.ms'));
  outcome = await runTransients(runOf(first, join(folder, 'out')));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Names of all files, relative, sorted. */
const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

const written = (name: string): string => readFileSync(join(folder, 'out', name), 'utf8');
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('every source is found at its place, as what it is, and nothing else', () => {
  const { matches, missed, extra } = matchSources(outcome, made.sources);
  assert.deepEqual([missed, extra], [[], []]);
  for (const { truth, rows, offsetBeams } of matches) {
    assert.ok(offsetBeams < 0.1, `${truth.name} is ${offsetBeams} beams off`);
    assert.equal(
      rows.source.kind,
      truth.name.startsWith('S') && truth.name !== 'STEEP' ? 'steady' : 'transient',
    );
  }
  assert.equal(outcome.result.complete, true);
});

test('light curves are the truth within their errors, in both bands', () => {
  const truth = made.sources.map((source) => ({
    ...source,
    flux: (band: number, frame: number) => {
      const { freqHz } = outcome.plan.bands[band]!;
      return fluxDensity(source, frame * made.integrationSeconds, freqHz);
    },
  }));
  for (const { truth: source, chiSquare, points } of matchSources(outcome, truth).matches) {
    assert.equal(points, 32);
    assert.ok(chiSquare > 0.45 && chiSquare < 1.75, `${source.name}: ${chiSquare}`);
  }
  for (const power of outcome.result.noisePower) assert.ok(Math.abs(power - 1) < 0.05, `${power}`);
});

test('the rows say when transients are seen and are complete', () => {
  const [flare] = matchSources(outcome, made.sources).matches.filter(({ truth }) => truth.name === 'FLARE');
  const { source, points } = flare!.rows;
  const seconds = (mjd: number): number => mjd * 86_400 - made.startMjdSeconds;
  assert.ok(Math.abs(seconds(source.peakMjd) - (0.35 * 160 + 5)) < 11, `${seconds(source.peakMjd)}`);
  assert.ok(seconds(source.startMjd) >= 30 && seconds(source.startMjd) <= 60, `${seconds(source.startMjd)}`);
  assert.ok(source.endMjd > source.peakMjd);
  assert.match(source.id, /^J08\d{4}\.\d\+\d{6}$/);
  assert.equal(points.length, 32);
  assert.deepEqual([...new Set(points.map(({ band }) => band))], ['1302MHz', '1602MHz']);
});

test('images are left as FITS files and nothing is left held or half-done', async () => {
  const names = filesBelow(join(folder, 'out'));
  assert.equal(names.filter((name) => name.endsWith('.fits')).length, 14);
  assert.deepEqual(names, [...outcome.names].sort());
  assert.equal(first.heldResults, 0);
  const cube = await openFitsImage(join(folder, 'out', '1302MHz-residual-cube.fits'));
  try {
    assert.equal(cube.planeCount, 16);
  } finally {
    await cube.close();
  }
});

test('catalogue and light curves hold every source and every frame', () => {
  const rows = written('catalogue.csv').trimEnd().split('\n').slice(1);
  assert.deepEqual(
    rows.map((row) => row.split(',')[0]),
    outcome.rows.map(({ source }) => source.id),
  );
  const points = written('lightcurves.csv').trimEnd().split('\n').slice(1);
  assert.equal(points.length, outcome.rows.length * 32);
  assert.ok(points.some((line) => line.endsWith(',limit')));
  assert.equal(parseXml(written('catalogue.vot')).name, 'VOTABLE');
});

test('each transient has its alert, for tests unless told', () => {
  const transients = outcome.rows.filter(({ source }) => source.kind === 'transient');
  const alerts = outcome.names.filter((name) => name.startsWith('alerts/'));
  assert.deepEqual(
    alerts,
    transients.map(({ source }) => `alerts/${source.id}.xml`),
  );
  const ivorns = alerts.map((name) => {
    const { attributes } = parseXml(written(name));
    assert.equal(attributes.role, 'test');
    return attributes.ivorn;
  });
  assert.equal(new Set(ivorns).size, 3);
});

test('the report shows each transient before, at and after its peak', () => {
  const html = written('report.html');
  for (const { source } of outcome.rows) assert.ok(html.includes(`id="${source.id}"`), source.id);
  assert.equal(html.match(/<figure><svg viewBox="0 0 100 100"/g)?.length, 9);
  assert.match(html, /nancay\/nancay-1[\s\S]*paris\/paris-1/);
  assert.match(html, /data-value="0\.0[12]\d*">[12]\.\d %/, 'a share of 2 % was flagged');
});

interface Record_ {
  readonly software: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: readonly { readonly site: string; readonly sha256: string; readonly sizeBytes: number }[];
  readonly outputs: readonly { readonly path: string; readonly sizeBytes: number; readonly sha256: string }[];
  readonly graph: { readonly tasks: number; readonly byFunction: Readonly<Record<string, number>> };
  readonly started: string;
  readonly ended: string;
}

test('the record names what went in and what came out by hashes that anyone can compute again', () => {
  const record = JSON.parse(written('provenance.json')) as Record_;
  const outputs = outcome.names.filter((name) => name !== 'provenance.json');
  assert.deepEqual(
    record.outputs.map(({ path }) => path),
    outputs,
  );
  for (const { path, sizeBytes, sha256: hash } of record.outputs) {
    const bytes = readFileSync(join(folder, 'out', path));
    assert.deepEqual([sizeBytes, hash], [bytes.length, sha256(bytes)], path);
  }
  for (const [k, path] of ['nancay/low.ms', 'paris/high.ms'].entries()) {
    const set = join(folder, path);
    const files = filesBelow(set).filter((name) => !name.endsWith('table.lock'));
    const hash = createHash('sha256');
    let size = 0;
    for (const name of files) {
      const bytes = readFileSync(join(set, name));
      size += bytes.length;
      hash.update(`${name}\0${bytes.length}\n`);
      if (/(^|\/)table\.dat$/.test(name)) hash.update(bytes);
    }
    const { site, sha256: recorded, sizeBytes } = record.inputs[k]!;
    assert.deepEqual([site, recorded, sizeBytes], [path.split('/')[0], hash.digest('hex'), size]);
  }
  assert.equal(record.graph.byFunction['imaging.dirtyFrames'], outcome.plan.blocks.length);
  assert.deepEqual(record.parameters.size, [64, 64]);
  assert.equal(record.software.node, process.versions.node);
  assert.match(record.software.asperitas!, /^\d+\.\d+\.\d+/);
  assert.ok(record.started < record.ended);
});

test('the trace holds every run of this search and none of an earlier one', () => {
  const { traceEvents } = JSON.parse(written('trace.json')) as {
    traceEvents: { ph: string; ts: number; dur: number; args: { fn: string } }[];
  };
  const runs = traceEvents.filter(({ ph }) => ph === 'X');
  const record = JSON.parse(written('provenance.json')) as Record_;
  assert.equal(runs.length, record.graph.tasks);
  assert.ok(runs.every(({ ts, dur }) => ts >= 0 && dur >= 0));
  // Both sites were asked for the set without one; the question before the search was not part of it.
  assert.equal(record.graph.byFunction['transients.hasSet'], 2);
  assert.equal(first.counts.get('transients.hasSet'), 3);
});

test('a run that was stopped goes on from the frames it had finished, to the same result', async () => {
  const out = join(folder, 'stopped');
  const stopping = clusterOf(made);
  stopping.failAfter = { fn: 'imaging.dirtyFrames', runs: 5 };
  await assert.rejects(runTransients(runOf(stopping, out)), /stopped by the test/);
  const saved = readdirSync(join(out, '.resume'), { recursive: true }).filter((name) =>
    /\.frames$/.test(String(name)),
  );
  assert.equal(saved.length, 5);
  // What earlier runs left: an alert that no longer holds, half a file; and what is not ours.
  mkdirSync(join(out, 'alerts'));
  const old = ['alerts/J000000.0+000000.xml', 'report.html.0123abcd.partial', '900MHz-image.fits'];
  const foreign = ['800MHz-image.fits', 'alerts/notes.xml'];
  for (const name of [...old, ...foreign]) writeFileSync(join(out, name), 'old');
  const record = { outputs: [{ path: '900MHz-image.fits' }, { path: '../made' }, { path: 'report.html' }] };
  writeFileSync(join(out, 'provenance.json'), JSON.stringify(record));
  const again = clusterOf(made);
  const resumed = await runTransients({ ...runOf(again, out), role: 'observation' });
  assert.deepEqual(filesBelow(out), [...resumed.names, ...foreign].sort());
  const alert = resumed.names.find((name) => name.startsWith('alerts/'))!;
  assert.equal(parseXml(readFileSync(join(out, alert), 'utf8')).attributes.role, 'observation');
  assert.equal(again.counts.get('imaging.dirtyFrames'), outcome.plan.blocks.length - 5);
  assert.deepEqual(
    resumed.rows.map(({ source }) => source),
    outcome.rows.map(({ source }) => source),
  );
  assert.equal(readdirSync(out).includes('.resume'), false);
});

test('what cannot be searched is refused in one line', async () => {
  const refused = async (changes: Partial<TransientRun['request']>, code: string, about: RegExp) => {
    await assert.rejects(runTransients(runOf(clusterOf(made), join(folder, 'none'), changes)), (error) => {
      assert.ok(isAsperitasError(error, code), String(error));
      assert.match(error.message, about);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  };
  await refused({ field: 7 }, 'no-such-field', /low\.ms/);
  await refused({ sets: [{ site: undefined, path: 'absent.ms' }] }, 'no-such-file', /absent\.ms/);
  await refused({ sets: [{ site: 'berlin', path: 'low.ms' }] }, 'no-such-site', /berlin/);
  await refused({ sets: [{ site: 'nancay', path: '../paris/high.ms' }] }, 'outside-data-folder', /high\.ms/);
  await refused({ npixX: 16384, npixY: 16384 }, 'not-enough-memory', /smaller --size/);
});
