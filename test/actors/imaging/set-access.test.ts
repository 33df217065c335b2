/** Sets stay open from task to task, but none is forgotten open. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { withSet } from '../../../actors/imaging/set-access.ts';
import { makeTwoSites } from '../../../examples/two-sites.ts';
import type { TaskContext } from '../../../scheduler/index.ts';

const openFiles = '/proc/self/fd';
const skip = existsSync(openFiles) ? false : `${openFiles} is not there to count open files by`;

let folder: string;
let context: TaskContext;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  const plan = {
    layout: 'kat-7',
    integrations: 2,
    channels: 1,
    noiseJy: 1,
    radiusRad: 0.003,
    seed: 1,
  } as const;
  const { sites } = await makeTwoSites(folder, plan);
  const { signal } = new AbortController();
  context = { data: sites.nancay.data, node: 'n', site: 's', signal } as unknown as TaskContext;
});
after(() => rmSync(folder, { recursive: true, force: true }));

const count = (): number => readdirSync(openFiles).length;
const look = () => withSet(context, 'low.ms', (set) => set.antennas());

test('a set is closed whose reader has failed, once nobody reads it', { skip }, async () => {
  const before = count();
  const fail = async (): Promise<void> => {
    await look();
    await assert.rejects(
      withSet(context, 'low.ms', async (set) => {
        await set.timeSlots(0);
        throw new Error('stopped by the test');
      }),
      /stopped by the test/,
    );
  };
  for (let k = 0; k < 5; k++) await fail();
  assert.equal(count(), before);
  await Promise.all([fail(), look(), fail()]);
  assert.ok(count() - before < 30);
});

test('a set that was written anew is opened anew, and the old one closed', { skip }, async () => {
  await look();
  const before = count();
  for (let k = 1; k < 6; k++) {
    utimesSync(join(context.data!, 'low.ms', 'table.dat'), k, k);
    await look();
  }
  assert.equal(count(), before);
});
