/**
 * The main job end to end on a simulated observation that lies at two sites, one band each: all that was
 * put in is found, nothing else, and a repeated command goes on from finished frames.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openFitsImage } from '../../../actors/io/fits/read-image.ts';
import { type RunOutcome, runTransients, type TransientRun } from '../../../actors/pipelines/transients.ts';
import { fluxDensity } from '../../../actors/simulation/predict.ts';
import { matchSources } from '../../../examples/found-sources.ts';
import { makeTwoSites, type TwoSites } from '../../../examples/two-sites.ts';
import { isAsperitasError } from '../../../runtime/index.ts';
import { InProcessCluster } from '../../support/in-process-cluster.ts';

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
      weighting: { kind: 'natural' },
      epsilon: 1e-4,
      stokes: 'I',
      dataColumn: 'auto',
      intervalsOut: undefined,
      bands: 1,
      threshold: 6,
      ...changes,
    },
  } satisfies TransientRun;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  made = await makeTwoSites(folder, plan);
  first = clusterOf(made);
  outcome = await runTransients(runOf(first, join(folder, 'out')));
});
after(() => rmSync(folder, { recursive: true, force: true }));

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
  const names = readdirSync(join(folder, 'out')).sort();
  assert.equal(names.length, 14);
  assert.equal(first.heldResults, 0);
  const cube = await openFitsImage(join(folder, 'out', '1302MHz-residual-cube.fits'));
  try {
    assert.equal(cube.planeCount, 16);
  } finally {
    await cube.close();
  }
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
  const again = clusterOf(made);
  const resumed = await runTransients(runOf(again, out));
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
