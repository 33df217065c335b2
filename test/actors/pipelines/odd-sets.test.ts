/**
 * Sets in which something is missing: flagged throughout, a single time, a single channel, one or two
 * antennas, a field without rows. Each gives what it can, or says in one line what is wrong.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { command } from '../../../actors/commands/image.ts';
import type { ObservationToWrite } from '../../../actors/io/measurement-set/observation.ts';
import { writeMeasurementSet } from '../../../actors/io/measurement-set/write.ts';
import { runTransients } from '../../../actors/pipelines/transients.ts';
import { searchDefaults } from '../../../actors/pipelines/transients-request.ts';
import { arrayLayouts } from '../../../actors/simulation/layouts.ts';
import { evenBand, simulateObservation } from '../../../actors/simulation/observe.ts';
import { transitTime } from '../../../actors/simulation/uvw.ts';
import { isAsperitasError } from '../../../runtime/index.ts';
import { InProcessCluster } from '../../support/in-process-cluster.ts';
import { runCommand } from '../../support/run-command.ts';

const centre = { raRad: 1, decRad: 0.5 };
const stations = arrayLayouts['vla-d'];
const steady = {
  name: 'A',
  raRad: 1.0008,
  decRad: 0.5006,
  fluxJy: 5,
  lightCurve: { kind: 'steady' },
} as const;
const box = { kind: 'box', start: 30, end: 60 } as const;
const pulse = { name: 'T', raRad: 0.999, decRad: 0.499, fluxJy: 4, lightCurve: box };

let folder: string;
let made = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A small observation of a steady source, and of one that is there from 30 to 60 s. */
function observe(shape: {
  readonly antennas?: number;
  readonly channels?: number;
  readonly bands?: number;
  readonly integrations?: number;
  readonly flaggedShare?: number;
}): ObservationToWrite {
  const { antennas = 27, channels = 4, bands = 1, integrations = 10, flaggedShare = 0 } = shape;
  return simulateObservation({
    telescope: 'SIMULATED',
    stations: stations.slice(0, antennas),
    field: { name: 'F', phaseCentre: centre },
    bands: Array.from({ length: bands }, (_, k) =>
      evenBand({
        name: `B${k}`,
        firstHz: 1.8e9 + 2e8 * k,
        channelWidthHz: 4e6,
        channels,
        correlations: ['XX', 'YY'],
      }),
    ),
    sources: [steady, pulse].map((source) => ({ ...source, referenceHz: 1.8e9, spectralIndex: 0 })),
    startMjdSeconds: Math.round(transitTime(stations[0]!.position, centre, 59800 * 86_400)),
    integrationSeconds: 10,
    integrations,
    noiseJy: 0.5,
    flaggedShare,
    seed: 11,
  });
}

async function write(observation: ObservationToWrite): Promise<string> {
  const name = `odd-${made++}.ms`;
  await writeMeasurementSet(join(folder, name), observation);
  return name;
}

const pixsize = 5e-5;

async function search(path: string, field: number | string = 0) {
  const outcome = await runTransients({
    cluster: new InProcessCluster({ here: folder }),
    out: mkdtempSync(join(folder, 'out-')),
    signal: new AbortController().signal,
    request: {
      sets: [{ site: 'here', path }],
      field,
      npixX: 64,
      npixY: 64,
      pixsize,
      ...searchDefaults,
    },
  });
  return outcome.rows.map(({ source }) => source.kind);
}

async function image(path: string, field = '0') {
  const options = { field, size: ['64'], scale: `${pixsize}rad`, name: join(folder, `${path}-image`) };
  return runCommand(command, [join(folder, path)], options);
}

/** Both commands refuse the set, in one line. */
async function refuses(path: string, code: string, about: RegExp, field = 0): Promise<void> {
  for (const attempt of [() => search(path, field), () => image(path, String(field))]) {
    await assert.rejects(attempt, (error) => {
      assert.ok(isAsperitasError(error, code), String(error));
      assert.match(error.message, about);
      assert.ok(!error.message.includes('\n'), error.message);
      return true;
    });
  }
}

test('the whole set gives both sources', async () => {
  assert.deepEqual((await search(await write(observe({})))).sort(), ['steady', 'transient']);
});

test('a set that is flagged throughout is refused', async () => {
  await refuses(await write(observe({ flaggedShare: 1 })), 'no-usable-data', /every sample .*flagged/);
});

test('times and bands that are flagged throughout are left out', async () => {
  const observation = observe({ bands: 2 });
  const spoil = (keep: (block: (typeof observation.blocks)[number], index: number) => boolean) => ({
    ...observation,
    blocks: observation.blocks.map((block, index) =>
      keep(block, index) ? block : { ...block, flag: block.flag.map(() => 1) },
    ),
  });
  const times = await write(spoil((_, index) => ![0, 1, 8, 9].includes(index)));
  assert.deepEqual((await search(times)).sort(), ['steady', 'transient']);
  const bands = await write(spoil(({ dataDescriptionId }) => dataDescriptionId === 0));
  assert.deepEqual((await search(bands)).sort(), ['steady', 'transient']);
  assert.equal((await image(bands)).status, 0);
});

test('a single time has a sky, and nothing in it has changed', async () => {
  const path = await write(observe({ integrations: 1 }));
  assert.deepEqual(await search(path), ['steady']);
  assert.equal((await image(path)).status, 0);
});

test('a single channel is enough', async () => {
  const path = await write(observe({ channels: 1 }));
  assert.deepEqual((await search(path)).sort(), ['steady', 'transient']);
  assert.equal((await image(path)).status, 0);
});

test('two antennas make an image, but can’t tell what changes', async () => {
  const path = await write(observe({ antennas: 2 }));
  assert.ok((await search(path)).every((kind) => kind === 'steady'));
  assert.equal((await image(path)).status, 0);
});

test('one antenna alone is refused', async () => {
  const { blocks, ...rest } = observe({ antennas: 2 });
  const alone = blocks.map((block) => ({ ...block, antenna2: block.antenna1 }));
  await refuses(await write({ ...rest, blocks: alone }), 'no-usable-data', /no rows of two antennas/);
});

test('a field without rows is refused, and so is one that is not there', async () => {
  const observation = observe({});
  const fields = [...observation.fields, { name: 'EMPTY', phaseCentre: centre }];
  const path = await write({ ...observation, fields });
  await refuses(path, 'no-usable-data', /field 1 "EMPTY" has no rows/, 1);
  await refuses(path, 'no-such-field', /field/, 2);
});
