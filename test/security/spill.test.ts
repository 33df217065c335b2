/** What a node spills is for its own user alone, under names that nobody can guess, and gone when it ends. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpillFolder } from '../../nodes/spill-folder.ts';
import { temporaryFolder } from '../support/peers.ts';

test('the folder of spilled data is for its owner alone, randomly named, removed at the end', async (t) => {
  const parent = temporaryFolder(t);
  const [one, two] = [new SpillFolder(parent), new SpillFolder(parent)];
  const paths = [await one.make(), await two.make()];
  assert.notEqual(paths[0], paths[1]);
  for (const path of paths) {
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.match(path, new RegExp(`-${process.pid}-[0-9a-f]{12}$`));
    assert.equal(join(parent, readdirSync(parent).find((name) => path.endsWith(name))!), path);
  }
  await Promise.all([one.remove(), two.remove()]);
  assert.deepEqual(readdirSync(parent), []);
});
