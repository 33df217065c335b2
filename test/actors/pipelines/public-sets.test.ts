/**
 * The search on data of real telescopes: what is known of the field is found, and calibration, gaps and few
 * antennas make no transients. Where no image can be made, one line says why.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { lmFromSky } from '../../../actors/io/wcs.ts';
import { runTransients } from '../../../actors/pipelines/transients.ts';
import { searchDefaults } from '../../../actors/pipelines/transients-request.ts';
import { distanceInBeams } from '../../../actors/transient/select-detections.ts';
import { placeOf } from '../../../actors/transient/sky-model.ts';
import { AsperitasError } from '../../../runtime/index.ts';
import { InProcessCluster } from '../../support/in-process-cluster.ts';
import { sharedDataMissing, sharedSet } from '../../support/shared-data.ts';

const skip = sharedDataMissing;
const arcsec = Math.PI / 180 / 3600;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Request {
  readonly archive: string;
  readonly field?: number;
  readonly npix: number;
  readonly scaleArcsec: number;
}

async function search({ archive, field = 0, npix, scaleArcsec }: Request) {
  const path = sharedSet('public', archive);
  const outcome = await runTransients({
    cluster: new InProcessCluster({ here: dirname(path) }),
    out: mkdtempSync(join(folder, 'out-')),
    signal: new AbortController().signal,
    request: {
      sets: [{ site: 'here', path: basename(path) }],
      field,
      npixX: npix,
      npixY: npix,
      pixsize: scaleArcsec * arcsec,
      ...searchDefaults,
    },
  });
  const { phaseCentre } = outcome.plan;
  const beam = outcome.result.beams[0]!;
  return outcome.rows.map(({ source, found }) => {
    const place = placeOf(found.model);
    return {
      kind: source.kind,
      fluxJy: found.summary.peak.fluxJy,
      place,
      offBeams: (raDeg: number, decDeg: number) => {
        const [raRad, decRad] = [(raDeg * Math.PI) / 180, (decDeg * Math.PI) / 180];
        return distanceInBeams(place, lmFromSky(phaseCentre, { raRad, decRad })!, beam);
      },
    };
  });
}

test('LOFAR sees 3C 48, and it is steady', { skip }, async () => {
  const found = await search({ archive: 'dp3_tNDPPP-generic.MS.tgz', npix: 256, scaleArcsec: 5.681 });
  assert.equal(found.length, 1);
  assert.equal(found[0]!.kind, 'steady');
  assert.ok(found[0]!.fluxJy > 60 && found[0]!.fluxJy < 80);
  assert.ok(found[0]!.offBeams(24.42208, 33.15976) < 0.3);
});

test('the VLBA sees the core of M87 and its jet to the west-north-west, all steady', { skip }, async () => {
  const found = await search({
    archive: 'mojave_from_uvfits.ms.tgz',
    npix: 128,
    scaleArcsec: 0.00025,
  });
  assert.ok(found.length >= 2 && found.length <= 8, `${found.length} sources`);
  assert.ok(found.every(({ kind }) => kind === 'steady'));
  const [core, ...jet] = found.sort((a, b) => b.fluxJy - a.fluxJy);
  assert.ok(core!.offBeams(187.705930754, 12.3911232861) < 0.3);
  assert.ok(core!.fluxJy > 1.2 && core!.fluxJy < 1.6);
  for (const { place } of jet) {
    const degrees = (Math.atan2(place.l - core!.place.l, place.m - core!.place.m) * 180) / Math.PI;
    assert.ok(degrees > -100 && degrees < -55, `a knot at position angle ${degrees}`);
  }
});

test('six baselines of WSRT show 3C 343.1 and no transients', { skip }, async () => {
  const found = await search({ archive: 'dp3_tNDPPP_WSRT.MS.tgz', npix: 256, scaleArcsec: 19.56 });
  assert.deepEqual(
    found.map(({ kind }) => kind),
    ['steady'],
  );
  assert.ok(found[0]!.fluxJy > 2 && found[0]!.fluxJy < 4);
});

test('what can’t make an image is refused in one line', { skip }, async () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['dp3_tDish.MS.tgz', /flagged/],
    ['mwa_birli_1row.ms.tgz', /no rows of two antennas/],
    ['dp3_tNDPPP_bda_WSRT.MS.tgz', /POLARIZATION: there is no row 0/],
    ['skalow_sdc3.ms.tgz', /no Stokes I from its XX/],
    ['atca_0332-391.NODATA.ms.tgz', /column DATA: .*no such file/],
    ['ovrolwa_352.NODATA.ms.tgz', /column DATA: .*no such file/],
  ];
  for (const [archive, about] of refused) {
    await assert.rejects(search({ archive, npix: 64, scaleArcsec: 60 }), (error) => {
      assert.ok(error instanceof AsperitasError, String(error));
      assert.match(error.message, about);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  }
});

test('a baseline or two, or what was never calibrated, makes no sources', { skip }, async () => {
  for (const request of [
    { archive: 'alma_X5707.ms.tgz', field: 2, npix: 128, scaleArcsec: 2.663 },
    { archive: 'vla_simple.ms.tgz', field: 1, npix: 128, scaleArcsec: 8.965 },
    { archive: 'lwasv_adp.ms.tgz', npix: 64, scaleArcsec: 5800 },
  ]) {
    assert.deepEqual(await search(request), [], request.archive);
  }
});
