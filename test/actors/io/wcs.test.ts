/**
 * The SIN projection: against the truth of the reference sets, both ways, at the poles and at the horizon.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  formatDec,
  formatRa,
  lmFromPixel,
  lmFromSky,
  pixelFromSky,
  radians,
  separationRad,
  skyFromLm,
  skyFromPixel,
} from '../../../actors/io/wcs.ts';
import { sharedDataMissing, sharedFile } from '../../support/shared-data.ts';

const centre = { raRad: radians(123.4), decRad: radians(33.21) };
const geometry = { npixX: 512, npixY: 256, pixsizeX: 1e-5, pixsizeY: 2e-5 };
const milliarcsecond = radians(1 / 3.6e6);

interface Truth {
  readonly fields: readonly {
    readonly ra_deg: number;
    readonly dec_deg: number;
    readonly sources: readonly { ra_deg: number; dec_deg: number; l: number; m: number }[];
  }[];
}

test('directions and direction cosines agree with the truth of every reference set', {
  skip: sharedDataMissing,
}, () => {
  const files = readdirSync(sharedFile('dev')).filter((name) => name.endsWith('.truth.json'));
  let checked = 0;
  for (const name of files) {
    const truth = JSON.parse(readFileSync(sharedFile('dev', name), 'utf8')) as Truth;
    for (const field of truth.fields) {
      const middle = { raRad: radians(field.ra_deg), decRad: radians(field.dec_deg) };
      for (const { ra_deg, dec_deg, l, m } of field.sources) {
        const sky = { raRad: radians(ra_deg), decRad: radians(dec_deg) };
        const found = lmFromSky(middle, sky)!;
        assert.ok(Math.hypot(found.l - l, found.m - m) < 1e-10, `${name}: l, m of ${ra_deg}, ${dec_deg}`);
        assert.ok(separationRad(skyFromLm(middle, { l, m })!, sky) < milliarcsecond / 10, name);
        checked += 1;
      }
    }
  }
  assert.ok(checked >= 12, `only ${checked} sources were checked`);
});

test('the reference pixel is the phase centre, first column east, first row south', () => {
  const middle = skyFromPixel(geometry, centre, { x: 256, y: 128 })!;
  assert.ok(separationRad(middle, centre) < 1e-12);
  assert.deepEqual(lmFromPixel(geometry, { x: 255, y: 127 }), { l: 1e-5, m: -2e-5 });
  assert.ok(skyFromPixel(geometry, centre, { x: 0, y: 128 })!.raRad > centre.raRad);
  assert.ok(skyFromPixel(geometry, centre, { x: 256, y: 0 })!.decRad < centre.decRad);
});

test('pixels survive the way to the sky and back, also beside the pole and across zero hours', () => {
  for (const decDeg of [-90, -89.9999, -30, 0, 60, 89.9999, 90]) {
    for (const raDeg of [0, 0.0001, 180, 359.9999]) {
      const middle = { raRad: radians(raDeg), decRad: radians(decDeg) };
      for (const pixel of [
        { x: 3.25, y: 250.5 },
        { x: 500, y: 1 },
        { x: 256, y: 129 },
      ]) {
        const back = pixelFromSky(geometry, middle, skyFromPixel(geometry, middle, pixel)!)!;
        assert.ok(Math.hypot(back.x - pixel.x, back.y - pixel.y) < 1e-6, `${decDeg} ${raDeg}`);
      }
    }
  }
});

test('beyond the horizon there is no sky', () => {
  assert.equal(skyFromLm(centre, { l: 0.9, m: 0.5 }), undefined);
  assert.equal(lmFromSky(centre, { raRad: centre.raRad + Math.PI, decRad: -centre.decRad }), undefined);
});

test('separations are right from nanoradians to half a turn', () => {
  const near = { raRad: centre.raRad, decRad: centre.decRad + 1e-9 };
  assert.ok(Math.abs(separationRad(centre, near) - 1e-9) < 1e-15);
  const opposite = { raRad: centre.raRad + Math.PI, decRad: -centre.decRad };
  assert.ok(Math.abs(separationRad(centre, opposite) - Math.PI) < 1e-12);
  assert.ok(Math.abs(separationRad({ raRad: 0, decRad: 0 }, { raRad: 1, decRad: 0 }) - 1) < 1e-15);
});

test('sexagesimal text never shows 60 and keeps the sign of small southern declinations', () => {
  assert.equal(formatRa(radians(123.4)), '08:13:36.00');
  assert.equal(formatRa(radians(359.9999999)), '00:00:00.00');
  assert.equal(formatRa(radians(-15)), '23:00:00.00');
  assert.equal(formatDec(radians(33.21)), '+33:12:36.0');
  assert.equal(formatDec(radians(-0.5), 0), '-00:30:00');
  assert.equal(formatDec(radians(59.999999999)), '+60:00:00.0');
  assert.equal(formatDec(radians(-1e-9)), '+00:00:00.0');
});
