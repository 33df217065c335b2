/** From CLEAN components to sources, and where CLEAN may look. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanMask, groupComponents, localNoise, sourceOf } from '../../../actors/transient/clean-sources.ts';
import { isPoint, placeOf } from '../../../actors/transient/sky-model.ts';
import { normalNoise } from '../../support/frames.ts';

const pixel = 1e-5;
const geometry = { npixX: 64, npixY: 64, pixsizeX: pixel, pixsizeY: pixel };
const beam = { majorRad: 4 * pixel, minorRad: 3 * pixel, positionAngleRad: 0 };

test('components around a place between pixels are one point there', () => {
  const components = [
    { x: 20, y: 30, flux: 0.4 },
    { x: 21, y: 30, flux: 0.5 },
    { x: 20, y: 31, flux: 0.1 },
    { x: 50, y: 10, flux: 0.2 },
  ];
  const groups = groupComponents(components, geometry, beam);
  assert.equal(groups.length, 2);
  const source = sourceOf(groups[0]!);
  assert.ok(isPoint(source));
  assert.ok(Math.abs(groups[0]!.fluxJy - 1) < 1e-12);
  assert.ok(Math.abs(placeOf(source).l - (32 - 20.5) * pixel) < 1e-12);
  assert.ok(Math.abs(placeOf(source).m - (30.1 - 32) * pixel) < 1e-12);
});

test('a row of components longer than the beam stays a group whose shares sum to 1', () => {
  const components = Array.from({ length: 12 }, (_, k) => ({ x: 20 + 2 * k, y: 30, flux: 0.1 }));
  const [group, ...others] = groupComponents(components, geometry, beam);
  assert.equal(others.length, 0);
  const source = sourceOf(group!);
  assert.equal(source.components.length, 36);
  const shares = source.components.filter((_, k) => k % 3 === 2);
  assert.ok(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-12);
});

test('groups of negative flux are no sources', () => {
  assert.deepEqual(groupComponents([{ x: 3, y: 3, flux: -1 }], geometry, beam), []);
});

test('the mask opens around what stands out of the local noise', () => {
  const pixels = normalNoise(64 * 64, 1);
  pixels[40 * 64 + 20] = 12;
  pixels[0] = Number.NaN;
  const noise = localNoise(pixels, 64, 64);
  assert.ok(Math.abs(noise[100]! - 1) < 0.1, `${noise[100]}`);
  const { mask, seeds } = cleanMask({ pixels, npixX: 64, npixY: 64 }, noise, { level: 6, radius: 2 });
  assert.equal(seeds, 1);
  assert.equal(
    mask.reduce((sum, value) => sum + value, 0),
    25,
  );
  assert.equal(mask[42 * 64 + 22], 1);
});
