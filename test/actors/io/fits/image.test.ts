/** FITS images and cubes: round trips, and what independent readers see in them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CubePlane, ImageDescription } from '../../../../actors/io/fits/image-description.ts';
import { openFitsImage } from '../../../../actors/io/fits/read-image.ts';
import { writeFitsCube, writeFitsImage } from '../../../../actors/io/fits/write-image.ts';
import { radians, skyFromPixel } from '../../../../actors/io/wcs.ts';
import {
  askPython,
  programMissing,
  pythonModuleMissing,
  runProgram,
  temporaryFolder,
} from '../../../support/peers.ts';

const description: ImageDescription = {
  geometry: { npixX: 40, npixY: 30, pixsizeX: radians(3 / 3600), pixsizeY: radians(4 / 3600) },
  phaseCentre: { raRad: radians(-0.25), decRad: radians(33.21) },
  unit: 'Jy/beam',
  stokes: 'I',
  freqHz: 1.53e9,
  bandwidthHz: 3.2e8,
  startMjd: 59215.30005787037,
  durationS: 600,
  beam: { majorRad: radians(0.0055), minorRad: radians(0.0042), positionAngleRad: radians(-30) },
  telescope: 'SIM-VLA',
  object: "Barnard's",
  history: ["asperitas image 'a set.ms' --scale 3asec"],
};

/** Values whose bytes are all different, and a NaN. */
function somePixels(offset = 0): Float32Array {
  const pixels = Float32Array.from({ length: 1200 }, (_, index) => Math.fround(Math.sin(index + offset) / 7));
  pixels[17] = Number.NaN;
  return pixels;
}

function somePlanes(count: number): CubePlane[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    pixels: somePixels(index),
    timeMjd: 59215.3 + (index * 10 + (index > 3 ? 60 : 0)) / 86400,
    dtS: 10,
    sumOfWeights: index === 2 ? 0 : 1000 + index,
  }));
}

test('an image comes back as it was written', async (t) => {
  const path = join(temporaryFolder(t), 'a.fits');
  await writeFitsImage(path, { description, pixels: somePixels() });
  assert.equal(readFileSync(path).length % 2880, 0);
  const image = await openFitsImage(path);
  assert.deepEqual(image.shape, [40, 30, 1, 1]);
  assert.deepEqual(await image.readPlane(0), somePixels());
  assert.equal(image.unit, 'Jy/beam');
  assert.equal(image.freqHz, 1.53e9);
  assert.ok(Math.abs(image.startMjd! - description.startMjd!) < 1e-8);
  assert.ok(Math.abs(image.beam!.majorRad - description.beam!.majorRad) < 1e-15);
  assert.equal(image.header.get('OBJECT'), "Barnard's");
  assert.equal(image.geometry!.npixY, 30);
  assert.ok(Math.abs(image.geometry!.pixsizeY - description.geometry.pixsizeY) < 1e-18);
  await assert.rejects(image.readPlane(1), RangeError);
  await image.close();
});

test('pixels in shared memory are written without being changed', async (t) => {
  const path = join(temporaryFolder(t), 'shared.fits');
  const pixels = new Float32Array(new SharedArrayBuffer(4800 + 8), 8, 1200);
  pixels.set(somePixels());
  await writeFitsImage(path, { description, pixels });
  assert.deepEqual(Float32Array.from(pixels), somePixels());
  const image = await openFitsImage(path);
  assert.deepEqual(await image.readPlane(0), somePixels());
  await image.close();
});

test('the planes of a cube may come in any order and keep their times', async (t) => {
  const path = join(temporaryFolder(t), 'cube.fits');
  const planes = somePlanes(7);
  const shuffled = [3, 0, 6, 2, 5, 1, 4].map((index) => planes[index]!);
  await writeFitsCube(path, { description, planeCount: 7, planes: shuffled });
  const cube = await openFitsImage(path);
  assert.equal(cube.planeCount, 7);
  for (const { index, pixels } of planes) assert.deepEqual(await cube.readPlane(index), pixels);
  const times = (await cube.readTable('TIMES'))!;
  assert.deepEqual(
    times.columns.get('time_mjd'),
    Float64Array.from(planes, ({ timeMjd }) => timeMjd),
  );
  assert.deepEqual(
    times.columns.get('sum_of_weights'),
    Float64Array.of(1000, 1001, 0, 1003, 1004, 1005, 1006),
  );
  assert.equal(cube.freqHz, 1.53e9);
  await cube.close();
});

test('a cube with a missing or a doubled plane is a defect, and leaves no file', async (t) => {
  const folder = temporaryFolder(t);
  const planes = somePlanes(3);
  for (const wrong of [planes.slice(0, 2), [...planes, planes[0]!]]) {
    const path = join(folder, 'wrong.fits');
    await assert.rejects(writeFitsCube(path, { description, planeCount: 3, planes: wrong }), TypeError);
    assert.throws(() => readFileSync(path), { code: 'ENOENT' });
  }
});

test('a cube is never held: its planes are asked for one after the other', async (t) => {
  let taken = 0;
  const [pixels] = [somePixels()];
  async function* planes(): AsyncGenerator<CubePlane> {
    for (const plane of somePlanes(50)) {
      taken += 1;
      // One buffer for all planes: each must be on disk before the next is asked for.
      pixels.fill(plane.index);
      yield { ...plane, pixels };
    }
  }
  const path = join(temporaryFolder(t), 'stream.fits');
  await writeFitsCube(path, { description, planeCount: 50, planes: planes() });
  assert.equal(taken, 50);
  const cube = await openFitsImage(path);
  for (const index of [0, 31, 49]) assert.ok((await cube.readPlane(index)).every((value) => value === index));
  await cube.close();
});

const astropyReads = `
import sys, json, numpy as np
from astropy.io import fits
from astropy.wcs import WCS
with fits.open(sys.argv[1]) as f:
    f.verify('exception')
    h = f[0].header
    w = WCS(h)
    n = h['NAXIS3']
    sky = w.celestial.pixel_to_world(3, 25)
    out = {'shape': list(f[0].data.shape), 'ra': sky.icrs.ra.deg, 'dec': sky.icrs.dec.deg,
           'value': float(f[0].data[0, n - 1, 20, 31]), 'nan': bool(np.isnan(f[0].data[0, 0, 0, 17])),
           'types': list(w.wcs.ctype), 'bmaj': h['BMAJ'], 'object': h['OBJECT']}
    last = w.pixel_to_world(20, 15, n - 1, 0)
    if n > 1:
        out['last'] = [x for x in last if type(x).__name__ == 'Time'][0].mjd
        out['times'] = [float(x) for x in f['TIMES'].data['time_mjd']]
print(json.dumps(out))`;

interface Seen {
  readonly shape: number[];
  readonly ra: number;
  readonly dec: number;
  readonly value: number;
  readonly nan: boolean;
  readonly types: string[];
  readonly object: string;
  readonly last?: number;
  readonly times?: number[];
}

test('astropy reads pixels, directions and times as we mean them', {
  skip: pythonModuleMissing('astropy'),
}, async (t) => {
  const folder = temporaryFolder(t);
  await writeFitsImage(join(folder, 'i.fits'), { description, pixels: somePixels() });
  const planes = somePlanes(4);
  await writeFitsCube(join(folder, 'c.fits'), { description, planeCount: 4, planes });
  const [image, cube] = ['i.fits', 'c.fits'].map(
    (name) => askPython(astropyReads, join(folder, name)) as Seen,
  ) as [Seen, Seen];
  assert.deepEqual(image.shape, [1, 1, 30, 40]);
  assert.deepEqual(cube.shape, [1, 4, 30, 40]);
  assert.deepEqual(image.types, ['RA---SIN', 'DEC--SIN', 'FREQ', 'STOKES']);
  const ours = skyFromPixel(description.geometry, description.phaseCentre, { x: 3, y: 25 })!;
  for (const seen of [image, cube]) {
    assert.ok(
      Math.abs(radians(seen.ra) - ours.raRad) < 1e-12 && Math.abs(radians(seen.dec) - ours.decRad) < 1e-12,
    );
    assert.ok(seen.nan);
    assert.equal(seen.object, "Barnard's");
  }
  assert.equal(image.value, somePixels()[20 * 40 + 31]);
  assert.equal(cube.value, planes[3]!.pixels[20 * 40 + 31]);
  assert.deepEqual(
    cube.times,
    planes.map(({ timeMjd }) => timeMjd),
  );
  assert.ok(
    Math.abs(cube.last! - planes[3]!.timeMjd) * 86400 < 1e-5,
    'evenly spaced times are exact on the axis',
  );
});

test('fitsverify finds neither errors nor warnings', {
  skip: programMissing('fitsverify', '-h'),
}, async (t) => {
  const folder = temporaryFolder(t);
  const paths = ['i.fits', 'c.fits'].map((name) => join(folder, name));
  await writeFitsImage(paths[0]!, { description, pixels: somePixels() });
  await writeFitsCube(paths[1]!, { description, planeCount: 5, planes: somePlanes(5) });
  for (const path of paths) {
    const { stdout } = runProgram('fitsverify', [path]);
    assert.match(stdout, /Verification found 0 warning\(s\) and 0 error\(s\)/, stdout);
  }
});

test("wcstools finds a source's pixel where we put it", { skip: programMissing('sky2xy') }, async (t) => {
  const path = join(temporaryFolder(t), 'i.fits');
  await writeFitsImage(path, { description, pixels: somePixels() });
  const { raRad, decRad } = skyFromPixel(description.geometry, description.phaseCentre, { x: 3, y: 25 })!;
  const [ra, dec] = [(raRad * 180) / Math.PI, (decRad * 180) / Math.PI].map(String) as [string, string];
  const { stdout } = runProgram('sky2xy', [path, ra, dec, 'J2000']);
  const [x, y] = /->\s*([\d.]+)\s+([\d.]+)/.exec(stdout)!.slice(1).map(Number) as [number, number];
  assert.ok(Math.abs(x - 4) < 0.01 && Math.abs(y - 26) < 0.01, stdout);
});

const casacoreReads = `
import sys, json, logging
from casacore.images import image
im = image(sys.argv[1])
value = float(im.getdata([0, 3, 20, 31], [0, 3, 20, 31]).ravel()[0])
print(json.dumps({'shape': im.shape(), 'value': value}))`;

test('casacore opens image cubes', { skip: pythonModuleMissing('casacore.images') }, async (t) => {
  const path = join(temporaryFolder(t), 'c.fits');
  const planes = somePlanes(4);
  // With a telescope casacore looks into its tables of observatories, which are not everywhere installed.
  const { telescope: _, ...anonymous } = description;
  await writeFitsCube(path, { description: anonymous, planeCount: 4, planes });
  const seen = askPython(casacoreReads, path) as { shape: number[]; value: number };
  assert.deepEqual(seen, { shape: [1, 4, 30, 40], value: planes[3]!.pixels[20 * 40 + 31] });
});
