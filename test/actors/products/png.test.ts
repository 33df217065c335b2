/** Pictures: what is put in comes out of the file, and values get the colours meant for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { colourAt } from '../../../actors/products/colour-map.ts';
import { commonScale, pictureOf, reduceImage, shareOf, skyScale } from '../../../actors/products/picture.ts';
import { encodePng } from '../../../actors/products/png.ts';
import { madeImage } from '../../support/report-input.ts';

/** CRC-32 bit by bit, after ISO 3309. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function decode(file: Uint8Array) {
  const view = Buffer.from(file);
  assert.equal(view.subarray(0, 8).toString('latin1'), '\u0089PNG\r\n\u001a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < view.length; ) {
    const length = view.readUInt32BE(at);
    const body = view.subarray(at + 4, at + 8 + length);
    assert.equal(view.readUInt32BE(at + 8 + length), crcOf(body), 'checksum');
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4));
    at += 12 + length;
  }
  assert.deepEqual([...chunks.keys()], ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  assert.deepEqual([...header.subarray(8)], [8, 3, 0, 0, 0]);
  const rows = inflateSync(chunks.get('IDAT')!);
  assert.equal(rows.length, (width + 1) * height);
  const indices = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    assert.equal(rows[row * (width + 1)], 0, 'filter');
    indices.set(rows.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)), row * width);
  }
  return { width, height, indices, palette: chunks.get('PLTE')!, alpha: chunks.get('tRNS')! };
}

test('a file holds the pixels, the palette and the transparency that were put in', () => {
  const [width, height] = [37, 23];
  const indices = Uint8Array.from({ length: width * height }, (_, k) => (k * 7919) % 256);
  const palette = Uint8Array.from({ length: 768 }, (_, k) => (k * 31) % 256);
  const decoded = decode(encodePng({ width, height, indices, palette, alpha: Uint8Array.of(0, 9) }));
  assert.deepEqual([decoded.width, decoded.height], [width, height]);
  assert.deepEqual(decoded.indices, indices);
  assert.deepEqual([...decoded.palette], [...palette]);
  assert.deepEqual([...decoded.alpha], [0, 9]);
});

test('colours rise in lightness from dark to bright', () => {
  const lightness = Array.from({ length: 101 }, (_, k) => {
    const [red, green, blue] = colourAt(k / 100).map((byte) => (byte / 255) ** 2.2);
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  });
  for (let k = 1; k < 101; k++) assert.ok(lightness[k]! > lightness[k - 1]!, `at ${k} %`);
  assert.ok(lightness[0]! < 0.02 && lightness[100]! > 0.85);
});

test('pictures have north up, means of whole squares, and no colour where there is no sky', () => {
  const geometry = { npixX: 4, npixY: 5, pixsizeX: 1e-5, pixsizeY: 1e-5 };
  const pixels = Float32Array.from({ length: 20 }, (_, k) => k);
  pixels.fill(Number.NaN, 0, 2);
  pixels[3] = Number.NaN;
  const image = { geometry, phaseCentre: { raRad: 1, decRad: 0.5 }, pixels };
  const { width, height, values } = reduceImage(image, 2);
  assert.deepEqual([width, height], [2, 3]);
  assert.deepEqual([...values], [14.5 - 0, 16.5, 6.5, 8.5, Number.NaN, 2]);
  const picture = pictureOf(image, { low: 2, high: 19, softening: Number.POSITIVE_INFINITY });
  assert.equal(picture.indices[3], 255, 'the north-west corner is the last pixel');
  assert.equal(picture.indices[16], 0, 'NaN is transparent');
  assert.equal(picture.indices[18], 1, 'the lowest value');
});

test('a scale shows noise and sources, and is the same for pictures that are to be compared', () => {
  const image = madeImage(128);
  const scale = skyScale(image);
  const noise = shareOf(scale, 0.002) - shareOf(scale, -0.002);
  assert.ok(noise > 0.05 && noise < 0.3, `noise has ${noise} of the colours`);
  assert.ok(shareOf(scale, Math.max(...image.pixels.filter(Number.isFinite))) > 0.999);
  const around = { ...image, pixels: image.pixels.map((value, k) => (k < 128 * 30 ? 99 : value / 100)) };
  const common = commonScale([image, around]);
  const middle = image.pixels.filter((_, k) => [k % 128, k / 128].every((at) => at > 42 && at < 86));
  assert.equal(common.high, Math.max(...middle), 'what is around must not hide what is in the middle');
});
