/** `asperitas image` on a small simulated set: names, headers, values, and what it refuses. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { command } from '../../../actors/commands/image.ts';
import { directImage } from '../../../actors/imaging/kernels/direct.ts';
import { isoFromMjd } from '../../../actors/io/calendar.ts';
import { openMeasurementSet } from '../../../actors/io/measurement-set/measurement-set.ts';
import { writeMeasurementSet } from '../../../actors/io/measurement-set/write.ts';
import { radians } from '../../../actors/io/wcs.ts';
import { runImages } from '../../../actors/pipelines/images.ts';
import type { ImagesRequest } from '../../../actors/pipelines/images-request.ts';
import { arrayLayouts } from '../../../actors/simulation/layouts.ts';
import { evenBand, simulateObservation } from '../../../actors/simulation/observe.ts';
import { transitTime } from '../../../actors/simulation/uvw.ts';
import { type CommandContext, isAsperitasError } from '../../../runtime/index.ts';
import { largestDifference, type ReadFits, readFits } from '../../support/fits-files.ts';
import { programMissing, runProgram } from '../../support/peers.ts';
import { type RunOptions, runCommand } from '../../support/run-command.ts';

type Options = CommandContext['options'];

const centre = { raRad: 2.1, decRad: 0.4 };
const [referenceHz, fluxJy, spectralIndex] = [1.4e9, 2, -1];
const integrations = 6;
const integrationSeconds = 10;
const silentIntegration = 2;
const stations = arrayLayouts['kat-7'];
const startMjdSeconds = transitTime(stations[0]!.position, centre, 59_300 * 86_400) - 30;

/** Three channels, and two that descend; all of integration 2 and the highest frequency are flagged. */
function observation(flagged: 'some' | 'all') {
  const correlations = ['XX', 'XY', 'YX', 'YY'] as const;
  const low = { name: 'low', firstHz: 1.3e9, channelWidthHz: 4e6, channels: 3, correlations };
  const high = { name: 'high', firstHz: 1.604e9, channelWidthHz: -4e6, channels: 2, correlations };
  const source = { fluxJy, referenceHz, spectralIndex, name: 'S' };
  const made = simulateObservation({
    telescope: 'SIMULATED',
    stations,
    field: { name: 'DEEP FIELD', phaseCentre: centre },
    bands: [evenBand(low), evenBand(high)],
    sources: [{ ...source, ...centre, lightCurve: { kind: 'ramp', start: 0, end: 100 } }],
    startMjdSeconds,
    integrationSeconds,
    integrations,
    noiseJy: 0,
    flaggedShare: 0.1,
    seed: 3,
  });
  made.blocks.forEach(({ flag, dataDescriptionId }, k) => {
    if (flagged === 'all' || Math.floor(k / 2) === silentIntegration) flag.fill(1);
    if (dataDescriptionId === 1) for (let row = 0; row < flag.length; row += 8) flag.fill(1, row, row + 4);
  });
  return made;
}

let folder: string;
let set: string;
let allFlagged: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  [set, allFlagged] = [join(folder, 'obs.ms'), join(folder, 'flagged.ms')];
  await writeMeasurementSet(set, observation('some'));
  await writeMeasurementSet(allFlagged, observation('all'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;
const basic = { size: ['16'], scale: '1amin', epsilon: '1e-6' };

/** Runs the command into a new folder. */
async function image(options: Options, how: RunOptions & { set?: string } = {}) {
  const out = mkdtempSync(join(folder, `out-${runs++}-`));
  const prefix = join(out, 'x');
  const printed = await runCommand(command, [how.set ?? set], { ...basic, name: prefix, ...options }, how);
  const files = readdirSync(out);
  const read = (suffix: string): Promise<ReadFits> => readFits(`${prefix}-${suffix}.fits`);
  return { ...printed, out, prefix, files, read };
}

const middle = ({ pixels, npixX, npixY }: ReadFits) => pixels[(npixY / 2) * npixX + npixX / 2]!;
const fluxAt = (hz: number, seconds: number) =>
  ((fluxJy * seconds) / 100) * (hz / referenceHz) ** spectralIndex;
const near = (value: number, wanted: number, tolerance = 1e-5) =>
  assert.ok(Math.abs(value - wanted) <= tolerance * Math.abs(wanted), `${value} is not ${wanted}`);

test('one image has the name of WSClean, and its header says what it shows', async () => {
  const { files, stdout, stderr, prefix, read } = await image({ size: ['20', '16'] });
  assert.deepEqual(files, ['x-dirty.fits']);
  assert.equal(stdout, `${prefix}-dirty.fits\n`);
  assert.equal(stderr, '');
  const { header, unit, freqHz, beam, npixX, npixY } = await read('dirty');
  assert.deepEqual([npixX, npixY, unit, beam], [20, 16, 'Jy/beam', undefined]);
  assert.deepEqual([header.get('CRPIX1'), header.get('CRPIX2')], [11, 9]);
  near(header.get('CRVAL1') as number, (2.1 * 180) / Math.PI, 1e-12);
  near(header.get('CDELT1') as number, -1 / 60, 1e-12);
  assert.deepEqual([freqHz, header.get('CDELT3')], [(1.298e9 + 1.606e9) / 2, 0.308e9]);
  assert.equal(header.get('DATE-OBS'), isoFromMjd((startMjdSeconds + 5) / 86_400));
  near(header.get('EXPTIME') as number, 60, 1e-6);
  assert.equal(header.get('OBJECT'), 'DEEP FIELD');
  assert.equal(header.get('TELESCOP'), 'SIMULATED');
  assert.equal(header.get('WSCDATAC'), 'DATA');
  assert.equal(header.get('WSCWEIGH'), 'natural');
  assert.match(readFileSync(`${prefix}-dirty.fits`, 'latin1'), /HISTORY asperitas image .*obs\.ms /);
});

test('intervals share the time steps out, each with its own time and flux', async () => {
  const { files, read } = await image({ 'intervals-out': '4' });
  assert.deepEqual(
    files,
    ['x-t0000', 'x-t0001', 'x-t0002', 'x-t0003'].map((name) => `${name}-dirty.fits`),
  );
  // floor(k * 6 / 4): one step, two, one, two.
  for (const [k, [first, end]] of [
    [0, 1] as const,
    [1, 3] as const,
    [3, 4] as const,
    [4, 6] as const,
  ].entries()) {
    const made = await read(`t000${k}-dirty`);
    assert.deepEqual([made.header.get('WSCTIMES'), made.header.get('WSCTIMEE')], [first, end]);
    near(made.header.get('EXPTIME') as number, 10 * (end - first), 1e-6);
    assert.equal(made.header.get('DATE-OBS'), isoFromMjd((startMjdSeconds + 5 + 10 * first) / 86_400));
  }
  // The second interval holds the integration that is flagged, and so shows the other one alone.
  const second = await image({ interval: ['1', '2'] });
  assert.deepEqual(second.files, ['x-dirty.fits']);
  assert.ok(
    largestDifference((await second.read('dirty')).pixels, (await read('t0001-dirty')).pixels) < 1e-6,
  );
});

test('channels are counted by frequency over all bands; their mean is MFS', async () => {
  const { files, stdout, stderr, prefix, read } = await image({ 'channels-out': '5', interval: ['3', '4'] });
  const names = ['0000', '0001', '0002', '0003', '0004', 'MFS'].map((name) => `x-${name}-dirty.fits`);
  assert.deepEqual(files, names);
  assert.deepEqual(stdout.match(/x-.*/g), names);
  const channels = await Promise.all([0, 1, 2, 3, 4].map((k) => read(`000${k}-dirty`)));
  const hz = [1.3e9, 1.304e9, 1.308e9, 1.6e9, 1.604e9];
  assert.deepEqual(
    channels.map(({ freqHz }) => freqHz),
    hz,
  );
  assert.ok(channels.every(({ header }) => header.get('CDELT3') === 4e6));
  for (const k of [0, 1, 2, 3]) near(middle(channels[k]!), fluxAt(hz[k]!, 30), 1e-4);
  assert.ok(channels[4]!.pixels.every(Number.isNaN));
  assert.equal(stderr, `${prefix}-0004-dirty.fits: every sample is flagged, so that all pixels are NaN\n`);
  const weights = channels.map(({ header }) => header.get('WSCIMGWG') as number);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = hz.reduce((sum, at, k) => sum + weights[k]! * fluxAt(at, 30), 0) / total;
  const mfs = await read('MFS-dirty');
  near(middle(mfs), mean, 1e-4);
  assert.equal(mfs.header.get('WSCIMGWG'), total);
  assert.deepEqual([mfs.freqHz, mfs.header.get('CDELT3')], [1.452e9, 0.308e9]);
});

test('intervals and channels combine; point spread functions come with beams', async () => {
  const options = {
    'intervals-out': '2',
    'channels-out': '2',
    'channel-range': ['1', '4'],
    'make-psf': true,
  };
  const { files, read } = await image(options);
  const parts = ['t0000-0000', 't0000-0001', 't0000-MFS', 't0001-0000', 't0001-0001', 't0001-MFS'];
  assert.deepEqual(
    files.sort(),
    parts.flatMap((part) => [`x-${part}-dirty.fits`, `x-${part}-psf.fits`]),
  );
  for (const part of parts) {
    const [dirty, psf] = [await read(`${part}-dirty`), await read(`${part}-psf`)];
    near(middle(psf), 1, 1e-5);
    assert.equal(Math.max(...psf.pixels), middle(psf));
    assert.ok(dirty.beam!.majorRad >= dirty.beam!.minorRad && dirty.beam!.minorRad > radians(1 / 60));
    assert.deepEqual(psf.beam, dirty.beam);
    assert.equal(psf.header.get('DATE-OBS'), dirty.header.get('DATE-OBS'));
  }
  // Three channels: one, and two of different bands.
  assert.deepEqual((await read('t0000-0000-dirty')).freqHz, 1.304e9);
  assert.deepEqual((await read('t0000-0001-dirty')).freqHz, (1.306e9 + 1.602e9) / 2);
});

test('images equal the direct Fourier sum over the samples they are said to hold', async () => {
  const { read } = await image({ spws: '1', interval: ['3', '6'] });
  const opened = await openMeasurementSet(set);
  const chunk = await opened.readChunk({
    fieldId: 0,
    dataDescriptionId: 1,
    slots: [3, 6],
    channels: [0, 2],
    stokes: 'I',
    dataColumn: 'auto',
  });
  await opened.close();
  const pixsize = radians(1 / 60);
  const sum = directImage(chunk, { npixX: 16, npixY: 16, pixsizeX: pixsize, pixsizeY: pixsize });
  const { pixels, header } = await read('dirty');
  const wanted = Float32Array.from(sum.values, (value) => value / sum.sumWeight);
  assert.ok(largestDifference(pixels, wanted) < 1e-5);
  near(header.get('WSCIMGWG') as number, sum.sumWeight, 1e-12);
  assert.equal(
    header.get('WSCNVIS'),
    chunk.mask.reduce((count, used) => count + used, 0),
  );
});

const request = {
  field: undefined,
  npixX: 16,
  npixY: 16,
  pixsize: radians(1 / 60),
  weighting: { kind: 'natural' },
  epsilon: 1e-6,
  stokes: 'I',
  dataColumn: 'auto',
  interval: undefined,
  intervalsOut: 1,
  channelRange: undefined,
  channelsOut: 1,
  spws: undefined,
  makePsf: true,
  mfWeighting: false,
} as const satisfies ImagesRequest;

for (const weighting of [
  { kind: 'natural' },
  { kind: 'uniform' },
  { kind: 'briggs', robust: 0.5 },
] as const) {
  test(`${weighting.kind} images made in many blocks are those made in one`, async () => {
    const weight = weighting.kind === 'briggs' ? ['briggs', '0.5'] : [weighting.kind];
    const whole = await image({ weight, 'make-psf': true });
    const prefix = join(mkdtempSync(join(folder, 'blocks-')), 'x');
    const { signal } = new AbortController();
    const asked = { ...request, weighting };
    const run = { path: set, request: asked, prefix, history: 'a test', signal, blockBytes: 5000 };
    const { files } = await runImages(run);
    assert.deepEqual(files, [`${prefix}-psf.fits`, `${prefix}-dirty.fits`]);
    for (const kind of ['psf', 'dirty']) {
      const [one, many] = [await whole.read(kind), await readFits(`${prefix}-${kind}.fits`)];
      assert.ok(largestDifference(one.pixels, many.pixels) < 1e-5);
      near(one.header.get('WSCIMGWG') as number, many.header.get('WSCIMGWG') as number, 1e-6);
      assert.equal(one.header.get('WSCNVIS'), many.header.get('WSCNVIS'));
    }
  });
}

test('with --mf-weighting the mean over channels is the image of all; without, it is not', async () => {
  const weight = ['uniform'];
  const one = await (await image({ weight })).read('dirty');
  const joint = await (await image({ weight, 'channels-out': '5', 'mf-weighting': true })).read('MFS-dirty');
  const apart = await (await image({ weight, 'channels-out': '5' })).read('MFS-dirty');
  assert.ok(largestDifference(one.pixels, joint.pixels) < 1e-5);
  assert.ok(largestDifference(one.pixels, apart.pixels) > 1e-3);
  near(joint.header.get('WSCIMGWG') as number, one.header.get('WSCIMGWG') as number, 1e-6);
});

test('where all is flagged the error says so and nothing is written', async () => {
  const refused = async (options: Options, about: RegExp, path = set) => {
    const out = mkdtempSync(join(folder, 'none-'));
    await assert.rejects(image({ ...options, name: join(out, 'x') }, { set: path }), (error) => {
      assert.ok(isAsperitasError(error, 'no-usable-data'), String(error));
      assert.match(error.message, about);
      return true;
    });
    assert.deepEqual(readdirSync(out), []);
  };
  await refused(
    { interval: ['2', '3'] },
    /"DEEP FIELD": every sample of DATA in the part asked for is flagged/,
  );
  await refused({ 'intervals-out': '3' }, /every sample of DATA is flagged/, allFlagged);
  await refused({ weight: ['uniform'], scale: '5deg' }, /no sample lies on the grid of uniform weights/);
});

test('wrong words are refused with what is possible', async () => {
  const refused = async (options: Options, code: string, about: RegExp) => {
    await assert.rejects(image(options), (error) => {
      assert.ok(isAsperitasError(error, code), String(error));
      assert.match(error.message, about);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  };
  await refused({ field: 'NOWHERE' }, 'no-such-field', /no field "NOWHERE"; the set has 0 "DEEP FIELD"/);
  await refused({ size: undefined }, 'usage', /--size is missing; see asperitas image --help/);
  await refused({ scale: undefined }, 'usage', /--scale is missing/);
  await refused({ name: undefined }, 'usage', /--name is missing/);
  await refused({ size: ['32768', '16384'] }, 'image-too-large', /--size 32768 16384/);
  await refused({ interval: ['4', '4'] }, 'bad-option', /--interval 4 4: it is empty/);
  await refused({ interval: ['0', '7'] }, 'bad-option', /only 6 time steps/);
  await refused({ interval: ['3'] }, 'bad-option', /two numbers/);
  await refused({ 'intervals-out': '7' }, 'bad-option', /only 6 time steps/);
  await refused({ 'intervals-out': '2', interval: ['5', '6'] }, 'bad-option', /only 1 time steps/);
  await refused({ 'channels-out': '6' }, 'bad-option', /only 5 channels/);
  await refused({ 'channel-range': ['0', '6'] }, 'bad-option', /only 5 channels/);
  await refused({ 'channels-out': '0' }, 'bad-option', /--channels-out 0/);
  await refused({ spws: '2' }, 'bad-option', /spectral windows 0, 1/);
  await refused({ spws: 'low' }, 'bad-option', /--spws low/);
  await refused({ 'data-column': 'MODEL_DATA' }, 'no-data-column', /it has DATA/);
  await refused({ name: join(folder, 'nowhere', 'x') }, 'cannot-write', /create it first/);
  await assert.rejects(runCommand(command, [], basic), (error) => isAsperitasError(error, 'usage'));
  await assert.rejects(runCommand(command, [set, set], basic), (error) => isAsperitasError(error, 'usage'));
});

test('a run that is stopped leaves whole files and what was there before', async () => {
  const out = mkdtempSync(join(folder, 'stopped-'));
  const prefix = join(out, 'x');
  writeFileSync(`${prefix}-t0005-dirty.fits`, 'an older image');
  const controller = new AbortController();
  const asked = { ...request, makePsf: false, intervalsOut: 6 };
  const run = { path: set, request: asked, prefix, history: 'a test', signal: controller.signal };
  const onStage = (stage: string) => {
    if (stage === 'image 3 of 6') controller.abort();
  };
  await assert.rejects(runImages(run, { onStage }), { name: 'AbortError' });
  const names = ['x-t0000-dirty.fits', 'x-t0001-dirty.fits', 'x-t0005-dirty.fits'];
  assert.deepEqual(readdirSync(out).sort(), names);
  assert.equal(readFileSync(`${prefix}-t0005-dirty.fits`, 'utf8'), 'an older image');
  await readFits(`${prefix}-t0001-dirty.fits`);
});

test('progress is shown on a terminal and nowhere else', async () => {
  const shown = await image({ 'intervals-out': '2' }, { terminal: true });
  assert.match(shown.stderr, /image 1 of 2.*image 2 of 2/s);
  assert.ok(shown.stderr.endsWith('\r\u001b[K'), 'the line is taken away at the end');
  assert.equal((await image({ 'intervals-out': '2' })).stderr, '');
});

test('an independent program finds nothing to say about the files', {
  skip: programMissing('fitsverify', '-l'),
}, async () => {
  const { prefix } = await image({ 'channels-out': '2', 'make-psf': true });
  for (const suffix of ['0000-dirty', '0001-psf', 'MFS-dirty']) {
    const { stdout } = runProgram('fitsverify', ['-q', `${prefix}-${suffix}.fits`]);
    assert.match(stdout, /verification OK/);
  }
});
