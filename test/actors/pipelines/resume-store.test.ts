/** What a stopped run leaves for its repetition. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ResumeStore } from '../../../actors/pipelines/resume-store.ts';
import { temporaryFolder } from '../../support/peers.ts';

const image = (value: number) => ({ pixels: new Float32Array(6).fill(value), sumWeight: 10 * value });

test('frames and state come back as they were', async (t) => {
  const out = temporaryFolder(t);
  const store = await ResumeStore.open(out, { a: 1 });
  assert.equal(await store.loadState(), undefined);
  const frames = Array.from({ length: 5 }, (_, k) => image(k / 3));
  frames[1]!.pixels[0] = Number.NaN;
  await store.saveFrames('0-1', frames);
  const state = { round: 2, sources: [{ components: Float64Array.of(1e-3, 2, 1 / 3) }] };
  await store.saveState(state);
  const again = await ResumeStore.open(out, { a: 1 });
  assert.deepEqual([...(await again.savedFrames())], ['0-1']);
  for (const k of [4, 0, 1]) assert.deepEqual(await again.loadFrame('0-1', k, 5), frames[k]);
  assert.deepEqual(await again.loadState(), state);
});

test('another search finds nothing of it, and clears it away', async (t) => {
  const out = temporaryFolder(t);
  const store = await ResumeStore.open(out, { a: 1 });
  await store.saveFrames('0', [image(1)]);
  const other = await ResumeStore.open(out, { a: 2 });
  assert.equal((await other.savedFrames()).size, 0);
  assert.equal(readdirSync(join(out, '.resume')).length, 1);
  await other.remove();
  assert.equal(existsSync(join(out, '.resume')), false);
});
