/** Reading the FITS images of others, all kinds of pixels, and damaged files. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { encodeHeader, integerCard, logicalCard, realCard } from '../../../../actors/io/fits/header.ts';
import { type FitsImage, openFitsImage } from '../../../../actors/io/fits/read-image.ts';
import { encodeTable } from '../../../../actors/io/fits/table.ts';
import { radians, separationRad } from '../../../../actors/io/wcs.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';
import { temporaryFolder } from '../../../support/peers.ts';
import { sharedDataMissing, sharedFile } from '../../../support/shared-data.ts';

interface Reference {
  readonly size: number;
  readonly images: Readonly<
    Record<
      string,
      {
        readonly max: number;
        readonly max_xy: readonly [number, number];
        readonly bmaj_deg?: number;
        readonly freq_hz?: number;
      }
    >
  >;
}

test("WSClean's images have the peaks, beams and frequencies that were read off them", {
  skip: sharedDataMissing,
}, async (t) => {
  const folder = temporaryFolder(t);
  let checked = 0;
  for (const set of ['vlay27', 'nenu24', 'mwa16', 'twoband', 'dysco20']) {
    const directory = sharedFile('dev/ref', set);
    const reference = JSON.parse(
      // Its Python writer put NaN where an image has no value.
      readFileSync(join(directory, 'refs.json'), 'utf8').replace(/\bNaN\b/g, 'null'),
    ) as Reference;
    for (const name of readdirSync(directory).filter((file) => file.endsWith('.fits.gz'))) {
      const wanted = reference.images[name.replace('.fits.gz', '')];
      if (wanted === undefined) continue;
      const path = join(folder, 'image.fits');
      writeFileSync(path, gunzipSync(readFileSync(join(directory, name))));
      const image = await openFitsImage(path);
      const pixels = await image.readPlane(0);
      const [x, y] = wanted.max_xy;
      assert.equal(pixels[y * reference.size + x], Math.fround(wanted.max), `${set} ${name}`);
      assert.equal(
        pixels.reduce((most, value) => Math.max(most, value)),
        Math.fround(wanted.max),
      );
      assert.ok(Math.abs((image.beam?.majorRad ?? 0) - radians(wanted.bmaj_deg ?? 0)) < 1e-12);
      if (wanted.freq_hz !== undefined) assert.equal(image.freqHz, wanted.freq_hz);
      assert.equal(image.geometry!.npixX, reference.size);
      await image.close();
      checked += 1;
    }
  }
  assert.ok(checked >= 25, `only ${checked} images were checked`);
});

test('images of three telescopes and two packages are read, with the reference pixel off the image too', {
  skip: sharedDataMissing,
}, async () => {
  const directory = sharedFile('public/images');
  const lofar = await openFitsImage(join(directory, 'GRB201006A_final_2min_srcs-t0002-image-pb_cutout.fits'));
  assert.deepEqual(lofar.shape, [256, 256]);
  assert.equal(lofar.geometry, undefined);
  assert.equal(lofar.freqHz, 143650817.871094);
  // Value of astropy.wcs for pixel (128, 128).
  const middle = lofar.sky({ x: 128, y: 128 })!;
  const astropy = { raRad: radians(61.4224805828933), decRad: radians(63.333472486959835) };
  assert.ok(separationRad(middle, astropy) < 1e-9, JSON.stringify(middle));
  const back = lofar.pixel(middle)!;
  assert.ok(Math.hypot(back.x - 128, back.y - 128) < 1e-6);
  assert.equal((await lofar.readPlane(0)).length, 65536);
  await lofar.close();
  for (const name of ['GRB120422A-120429.fits', 'SWIFT_554620-130504.fits']) {
    const ami = await openFitsImage(join(directory, name));
    assert.equal(ami.geometry!.npixX, 512);
    assert.ok(ami.beam!.majorRad > ami.beam!.minorRad);
    assert.ok(ami.freqHz! > 1e10);
    await ami.close();
  }
});

/** A minimal image of one row of pixels. */
function tinyImage(bitpix: number, data: Buffer, more: readonly string[] = []): Buffer {
  const width = (data.length * 8) / Math.abs(bitpix);
  const cards = [
    logicalCard('SIMPLE', true),
    integerCard('BITPIX', bitpix),
    integerCard('NAXIS', 2),
    integerCard('NAXIS1', width),
    integerCard('NAXIS2', 1),
    ...more,
  ];
  return Buffer.concat([encodeHeader(cards), data, Buffer.alloc(2880 - data.length)]);
}

test('every kind of pixel is read, scaled, and blanks become NaN', async (t) => {
  const path = join(temporaryFolder(t), 'kind.fits');
  const scaled = [realCard('BSCALE', 0.5), realCard('BZERO', 10), integerCard('BLANK', -7)];
  const bytes = (length: number, write: (buffer: Buffer) => unknown): Buffer => {
    const buffer = Buffer.alloc(length);
    write(buffer);
    return buffer;
  };
  const kinds: readonly (readonly [Buffer, readonly number[]])[] = [
    [tinyImage(8, Buffer.of(0, 255)), [0, 255]],
    [
      tinyImage(
        16,
        bytes(4, (b) => [b.writeInt16BE(-2, 0), b.writeInt16BE(-7, 2)]),
        scaled,
      ),
      [9, Number.NaN],
    ],
    [
      tinyImage(
        32,
        bytes(8, (b) => [b.writeInt32BE(-7, 0), b.writeInt32BE(1e6, 4)]),
        scaled,
      ),
      [Number.NaN, 500010],
    ],
    [
      tinyImage(
        64,
        bytes(8, (b) => b.writeBigInt64BE(-3n, 0)),
      ),
      [-3],
    ],
    [
      tinyImage(
        -32,
        bytes(8, (b) => [b.writeFloatBE(1.5, 0), b.writeFloatBE(Number.NaN, 4)]),
      ),
      [1.5, Number.NaN],
    ],
    [
      tinyImage(
        -64,
        bytes(8, (b) => b.writeDoubleBE(0.25, 0)),
        [realCard('BSCALE', 2)],
      ),
      [0.5],
    ],
  ];
  for (const [file, wanted] of kinds) {
    writeFileSync(path, file);
    const image = await openFitsImage(path);
    assert.deepEqual(await image.readPlane(0), Float32Array.from(wanted));
    await image.close();
  }
});

async function refusal(path: string): Promise<string> {
  let image: FitsImage | undefined;
  try {
    image = await openFitsImage(path);
    for (let plane = 0; plane < Math.min(image.planeCount, 3); plane++) await image.readPlane(plane);
    await image.readTable('TIMES');
    return 'read';
  } catch (error) {
    if (!isAsperitasError(error)) throw error;
    assert.ok(error.message.includes(path), error.message);
    assert.doesNotMatch(error.message, /\n/);
    return error.code;
  } finally {
    await image?.close();
  }
}

test('what is no FITS image is refused by name', async (t) => {
  const folder = temporaryFolder(t);
  const put = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  mkdirSync(join(folder, 'set.ms'));
  assert.equal(await refusal(join(folder, 'none.fits')), 'missing-file');
  assert.equal(await refusal(join(folder, 'set.ms')), 'unreadable-file');
  assert.equal(await refusal(put('empty.fits', '')), 'not-fits');
  assert.equal(await refusal(put('text.fits', 'id,ra_deg\n')), 'not-fits');
  assert.equal(await refusal(put('packed.fits.gz', Buffer.of(0x1f, 0x8b, 8, 0))), 'not-fits');
  const noImage = [logicalCard('SIMPLE', true), integerCard('BITPIX', 8), integerCard('NAXIS', 0)];
  assert.equal(await refusal(put('none.fits.1', Buffer.from(encodeHeader(noImage)))), 'not-fits');
});

test('cut and altered files give an honest error or an image, never a crash', async (t) => {
  const path = join(temporaryFolder(t), 'hostile.fits');
  const table = encodeTable('TIMES', [
    { name: 'time_mjd', unit: 'd', values: Float64Array.of(1, 2) },
    { name: 'label', unit: '', values: ['a', 'bc'] },
  ]);
  const whole = Buffer.concat([tinyImage(-32, Buffer.alloc(64)), table]);
  writeFileSync(path, whole);
  assert.equal(await refusal(path), 'read');
  for (const length of [9, 79, 400, 2879, 2880, 2900]) {
    writeFileSync(path, whole.subarray(0, length));
    assert.equal(await refusal(path), 'damaged-fits', `cut at ${length}`);
  }
  const codes = new Map<string, number>();
  const counts = ['-1', '9007199254740993', '1e999', 'T', "'x'", '999999999', '1000'];
  const changes: Buffer[] = [];
  for (let card = 0; card < whole.length / 80; card++) {
    for (const count of whole.subarray(card * 80 + 8, card * 80 + 10).toString() === '= ' ? counts : []) {
      changes.push(Buffer.from(whole));
      changes.at(-1)!.write(count.padStart(20), card * 80 + 10);
    }
  }
  for (let bit = 0; bit < 600; bit++) {
    changes.push(Buffer.from(whole));
    const at = (bit * 7919) % (whole.length * 8);
    changes.at(-1)![at >> 3]! ^= 1 << (at & 7);
  }
  for (const changed of changes) {
    writeFileSync(path, changed);
    const code = await refusal(path);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  assert.deepEqual([...codes.keys()].sort(), ['damaged-fits', 'not-fits', 'read']);
});
