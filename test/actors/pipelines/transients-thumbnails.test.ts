/** Small pictures are the right squares of the right frames, also where they reach over the edge. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockFit } from '../../../actors/pipelines/transients-tasks.ts';
import { cutFrames } from '../../../actors/pipelines/transients-thumbnails.ts';
import { InProcessCluster } from '../../support/in-process-cluster.ts';

const size = { npixX: 5, npixY: 4 };
/** Pixels that say which frame, row and column they are. */
const frame = (k: number, sumWeight = 1) => ({
  pixels: Float32Array.from({ length: 20 }, (_, at) => 100 * k + 10 * Math.floor(at / 5) + (at % 5)),
  sumWeight,
});
const fit = { frames: [frame(0), frame(1), frame(2, 0)] } as unknown as BlockFit;

async function cut(index: number, x0: number, y0: number): Promise<number[]> {
  const cluster = new InProcessCluster({ here: '/' });
  const [square] = (await cluster.compute(
    cutFrames(fit, size, [{ index, x0, y0, size: 2 }]),
  )) as Float32Array[];
  return [...square!];
}

test('a square within the frame is cut out row by row', async () => {
  assert.deepEqual(await cut(0, 2, 1), [12, 13, 22, 23]);
  assert.deepEqual(await cut(1, 0, 0), [100, 101, 110, 111]);
});

test('outside of the frame there is nothing', async () => {
  const { NaN: none } = Number;
  assert.deepEqual(await cut(1, -1, -1), [none, none, none, 100]);
  assert.deepEqual(await cut(1, 4, 3), [134, none, none, none]);
  assert.deepEqual(await cut(0, 9, 9), [none, none, none, none]);
});

test('a frame without data has no picture', async () => {
  assert.deepEqual(await cut(2, 1, 1), [Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
});
