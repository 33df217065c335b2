/**
 * Holds `asperitas image` to the images that WSClean made of the same sets with the same options. Naturally
 * weighted images are compared in their middle: their pixels do not depend on the size of the image.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { command } from '../../../actors/commands/image.ts';
import { fitBeam } from '../../../actors/imaging/kernels/beam.ts';
import { mjdFromIso } from '../../../actors/io/calendar.ts';
import { radians } from '../../../actors/io/wcs.ts';
import type { CommandContext } from '../../../runtime/index.ts';
import { largestDifference, middleOf, type ReadFits, readFits } from '../../support/fits-files.ts';
import { type ReferenceImages, referenceSets } from '../../support/reference-images.ts';
import { runCommand } from '../../support/run-command.ts';
import { sharedDataMissing, sharedFile } from '../../support/shared-data.ts';

const skip = sharedDataMissing;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const largest = (pixels: Float32Array) => pixels.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

interface Imaged {
  readonly references: ReferenceImages;
  readonly files: readonly string[];
  read(suffix: string): Promise<ReadFits>;
  /** The image that WSClean made. */
  reference(name: string): Promise<ReadFits>;
}

/** Images a set as its references were, but for the size. */
async function imaged(name: string, npix: number, options: CommandContext['options']): Promise<Imaged> {
  const set = referenceSets.find((candidate) => candidate.name === name)!;
  const references = set.references();
  const out = mkdtempSync(join(folder, `${name}-`));
  const { scale, field } = references;
  const basic = { field: String(field), scale, size: [String(npix)], epsilon: '1e-5', name: join(out, 'x') };
  const { status } = await runCommand(command, [set.path()], { ...basic, ...options });
  assert.equal(status, 0);
  return {
    references,
    files: readdirSync(out).sort(),
    read: (suffix) => readFits(join(out, `x-${suffix}.fits`)),
    reference: (file) => readFits(sharedFile('dev', 'ref', name, `${file}.fits.gz`)),
  };
}

/** Cards that must be the same in both headers. */
const sameCards = [
  ...['CTYPE', 'CUNIT', 'CRVAL', 'CDELT'].flatMap((key) => [1, 2, 3, 4].map((axis) => `${key}${axis}`)),
  ...['SPECSYS', 'BTYPE', 'OBJECT', 'TELESCOP', 'OBSERVER', 'WSCDATAC', 'WSCFIELD', 'WSCWEIGH'],
];

function checkHeader(ours: ReadFits, reference: ReadFits): void {
  for (const card of sameCards) {
    const [value, wanted] = [ours.header.get(card), reference.header.get(card)];
    if (typeof wanted === 'number') {
      const difference = (value as number) - wanted;
      // Right ascensions may be written from -180 or from 0 degrees up.
      const off = Math.abs(card === 'CRVAL1' ? difference - 360 * Math.round(difference / 360) : difference);
      assert.ok(off <= 1e-9 * Math.abs(wanted), `${card} ${value}, not ${wanted}`);
    } else assert.equal(value, wanted, card);
  }
  assert.equal(ours.unit.toUpperCase(), reference.unit);
  for (const [axis, npix] of [ours.npixX, ours.npixY].entries()) {
    assert.equal(ours.header.get(`CRPIX${axis + 1}`), npix / 2 + 1);
  }
  // WSClean counts a Stokes I of two correlations four times.
  const weights = [ours, reference].map(({ header }) => header.get('WSCIMGWG') as number);
  assert.ok(Math.abs((4 * weights[0]!) / weights[1]! - 1) < 1e-5, `weights ${weights.join()}`);
}

/** Compares with the middle of the reference. */
function checkPixels(ours: ReadFits, reference: ReadFits, tolerance: number): void {
  const share = largestDifference(ours.pixels, middleOf(reference, ours.npixX)) / largest(reference.pixels);
  assert.ok(share < tolerance, `pixels differ by ${share} of the peak`);
}

/** The header's beam is what fits the reference's point spread function; beam.test.ts judges the fit. */
function checkBeam({ beam, header }: ReadFits, psf: ReadFits): void {
  const pixsize = radians(Math.abs(psf.header.get('CDELT1') as number));
  const wanted = fitBeam(psf, { pixsizeX: pixsize, pixsizeY: pixsize })!;
  assert.ok(Math.abs(beam!.majorRad / wanted.majorRad - 1) < 1e-3);
  assert.ok(Math.abs(beam!.minorRad / wanted.minorRad - 1) < 1e-3);
  assert.ok(Math.abs(beam!.positionAngleRad - wanted.positionAngleRad) < 1e-3);
  assert.equal(radians(header.get('BMAJ') as number), beam!.majorRad);
}

test('twoband: two bands make one image and one beam', { skip }, async () => {
  const { files, read, reference } = await imaged('twoband', 96, { 'make-psf': true });
  assert.deepEqual(files, ['x-dirty.fits', 'x-psf.fits']);
  for (const kind of ['dirty', 'psf']) {
    const [ours, wanted] = [await read(kind), await reference(`nat-${kind}`)];
    checkHeader(ours, wanted);
    checkPixels(ours, wanted, 3e-5);
    assert.equal(ours.header.get('WSCNVIS'), wanted.header.get('WSCNVIS'));
  }
  const [ours, wanted] = [await read('dirty'), await reference('nat-dirty')];
  assert.ok(Math.abs(ours.startMjd! - wanted.startMjd!) * 86_400 < 0.11);
});

test('mwa16: Briggs weights, the beam that they give', { skip }, async () => {
  const { read, reference } = await imaged('mwa16', 256, { 'make-psf': true, weight: ['briggs', '0'] });
  for (const kind of ['dirty', 'psf']) {
    const [ours, wanted] = [await read(kind), await reference(`briggs0-${kind}`)];
    checkHeader(ours, wanted);
    checkPixels(ours, wanted, 3e-5);
    checkBeam(ours, await reference('briggs0-psf'));
  }
});

test('mwa16: uniform weights', { skip }, async () => {
  const { read, references } = await imaged('mwa16', 256, { weight: ['uniform'] });
  const { pixels } = await read('dirty');
  const wanted = references.images['uniform-dirty']!.at_probe_pixels;
  const peak = Math.max(...wanted.map(Number));
  references.probes.forEach(({ x, y }, k) => {
    const off = Math.abs(pixels[y * 256 + x]! - wanted[k]!);
    assert.ok(off < 3e-5 * peak, `probe ${k}: ${pixels[y * 256 + x]}, not ${wanted[k]}`);
  });
});

test('dysco20: compressed data', { skip }, async () => {
  const { read, reference } = await imaged('dysco20', 32, {});
  checkHeader(await read('dirty'), await reference('nat-dirty'));
  checkPixels(await read('dirty'), await reference('nat-dirty'), 3e-5);
});

test('vlay27: an image for each time step of one field of several', { skip }, async () => {
  const { files, read, reference, references } = await imaged('vlay27', 16, { 'intervals-out': '60' });
  const intervals = references.intervals!;
  assert.equal(files.length, intervals.length);
  for (const [k, { date_obs }] of intervals.entries()) {
    const { startMjd } = await read(`t${String(k).padStart(4, '0')}-dirty`);
    // WSClean cuts the seconds after one digit.
    assert.ok(Math.abs(startMjd! - mjdFromIso(date_obs!)) * 86_400 < 0.11);
  }
  for (const name of ['t0000-dirty', 't0030-dirty']) {
    const [ours, wanted] = [await read(name), await reference(`int-${name}`)];
    checkHeader(ours, wanted);
    // These references were made at WSClean's default accuracy.
    checkPixels(ours, wanted, 2e-4);
  }
});

test('twoband: an image for each of 21 channels of two bands, and their mean', { skip }, async () => {
  const { files, read, reference, references } = await imaged('twoband', 96, { 'channels-out': '21' });
  const channels = references.channels!;
  assert.equal(files.length, channels.length + 1);
  assert.equal(files.at(-1), 'x-MFS-dirty.fits');
  const inside = (x: number, y: number) => [x, y].every((at) => at >= 80 && at < 176);
  const probes = references.probes.flatMap(({ x, y }, k) =>
    inside(x, y) ? [{ x: x - 80, y: y - 80, k }] : [],
  );
  assert.ok(probes.length > 3);
  for (const [index, { freq_hz, exact_dft_at_probe_pixels }] of channels.entries()) {
    const { pixels, freqHz } = await read(`${String(index).padStart(4, '0')}-dirty`);
    assert.ok(Math.abs(freqHz! - freq_hz) < 1);
    for (const { x, y, k } of probes) {
      const exact = exact_dft_at_probe_pixels![k]!;
      assert.ok(Math.abs(pixels[y * 96 + x]! - exact) < 3e-5, `channel ${index}, probe ${k}`);
    }
  }
  // Natural weights: the mean over channels is the image of all.
  checkPixels(await read('MFS-dirty'), await reference('nat-dirty'), 3e-5);
  checkHeader(await read('MFS-dirty'), await reference('nat-dirty'));
});
