/**
 * Holds the beam fit to Gaussians that are known and to WSClean's values, and the restored image to the
 * Gaussian.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { fitBeam, restore } from '../../../../actors/imaging/kernels/beam.ts';
import { sharedDataMissing, sharedFile } from '../../../support/shared-data.ts';

const arcsec = Math.PI / 180 / 3600;
const geometry = { npixX: 128, npixY: 100, pixsizeX: 2 * arcsec, pixsizeY: 3 * arcsec };
const degrees = (radians: number) => (radians * 180) / Math.PI;

for (const angle of [-80, -30, 0, 45, 89]) {
  test(`a Gaussian at position angle ${angle} is fitted as it was drawn`, () => {
    const drawn = {
      majorRad: 21 * arcsec,
      minorRad: 12 * arcsec,
      positionAngleRad: (angle * Math.PI) / 180,
    };
    const pixels = restore([{ x: 64, y: 50, flux: 1 }], drawn, geometry);
    const fitted = fitBeam({ pixels, ...geometry }, geometry)!;
    assert.ok(Math.abs(fitted.majorRad / drawn.majorRad - 1) < 1e-4);
    assert.ok(Math.abs(fitted.minorRad / drawn.minorRad - 1) < 1e-4);
    assert.ok(Math.abs(degrees(fitted.positionAngleRad) - angle) < 0.01);
  });
}

test('the position angle runs from north through east', () => {
  const beam = { majorRad: 30 * arcsec, minorRad: 9 * arcsec, positionAngleRad: Math.PI / 4 };
  const image = restore([{ x: 64, y: 50, flux: 2 }], beam, { ...geometry, pixsizeY: 2 * arcsec });
  assert.equal(image[50 * 128 + 64], 2);
  // North is up the rows, east towards the first column.
  assert.ok(image[54 * 128 + 60]! > 10 * image[54 * 128 + 68]!);
});

test('nothing is fitted where there is no main lobe', () => {
  const empty = new Float32Array(128 * 100);
  assert.equal(fitBeam({ pixels: empty, ...geometry }, geometry), undefined);
  assert.equal(fitBeam({ pixels: empty.map(() => 1), ...geometry }, geometry), undefined);
  assert.equal(fitBeam({ pixels: empty.map(() => Number.NaN), ...geometry }, geometry), undefined);
});

test('restored components lie on the background and a source at the edge is cut, not moved', () => {
  const beam = { majorRad: 10 * arcsec, minorRad: 10 * arcsec, positionAngleRad: 0 };
  const background = new Float32Array(128 * 100).fill(0.5);
  const image = restore([{ x: 0, y: 99, flux: 1 }], beam, geometry, background);
  assert.equal(image[99 * 128], 1.5);
  assert.ok(Math.abs(image[99 * 128 + 2]! - 0.5 - Math.exp(-4 * Math.LN2 * 0.16)) < 1e-6);
  assert.equal(background[99 * 128], 0.5);
});

/** Pixels and cards of a FITS image, for these tests alone. */
function readFits(path: string) {
  const bytes = gunzipSync(readFileSync(path));
  const cards: Record<string, number> = {};
  let at = 0;
  for (; !bytes.toString('latin1', at, at + 8).startsWith('END '); at += 80) {
    cards[bytes.toString('latin1', at, at + 8).trim()] = Number(
      bytes.toString('latin1', at + 10, at + 80).split('/')[0],
    );
  }
  const start = Math.ceil((at + 80) / 2880) * 2880;
  const length = cards.NAXIS1! * cards.NAXIS2!;
  const pixels = Float32Array.from({ length }, (_, k) => bytes.readFloatBE(start + 4 * k));
  return { pixels, cards };
}

// WSClean 3.1 minimises the same sum of squares but stops short of its minimum where the beam is oblique and
// has strong sidelobes (vlay27, natural: 13.06 where 12.94 can be had); elsewhere the two agree within 2 %.
const references = [
  { set: 'nenu24', image: 'nat-psf', tolerance: 0.02 },
  { set: 'nenu24', image: 'briggs0-psf', tolerance: 0.01 },
  { set: 'vlay27', image: 'briggs0-psf', tolerance: 0.02 },
  { set: 'vlay27', image: 'nat-psf', tolerance: 0.12 },
];
for (const { set, image, tolerance } of references) {
  test(`the beam of ${set} ${image} is WSClean's`, { skip: sharedDataMissing }, () => {
    const { pixels, cards } = readFits(sharedFile('dev', 'ref', set, `${image}.fits.gz`));
    const pixsize = (Math.abs(cards.CDELT1!) * Math.PI) / 180;
    const size = { npixX: cards.NAXIS1!, npixY: cards.NAXIS2! };
    const beam = fitBeam({ pixels, ...size }, { pixsizeX: pixsize, pixsizeY: pixsize })!;
    assert.ok(Math.abs(degrees(beam.majorRad) / cards.BMAJ! - 1) < tolerance);
    assert.ok(Math.abs(degrees(beam.minorRad) / cards.BMIN! - 1) < tolerance);
    const turn = degrees(beam.positionAngleRad) - cards.BPA!;
    assert.ok(Math.abs(turn - 180 * Math.round(turn / 180)) < 8);
  });
}
