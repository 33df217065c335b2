/** The planted bugs still fit the code into which they are planted. Whether the simulation finds them takes
 * minutes: `npm run planted-bugs`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/shared-data.ts';

const folder = join(projectRoot, 'test/simulation/bugs');
const patches = readdirSync(folder).filter((name) => name.endsWith('.patch'));

/** What a patch expects to find: for each of its places the file and the lines that are there before. */
function placesOf(patch: string): { file: string; before: string }[] {
  const places: { file: string; before: string }[] = [];
  let file = '';
  for (const part of patch.split(/^(?=--- a\/|@@ )/m)) {
    if (part.startsWith('--- a/')) file = part.slice('--- a/'.length, part.indexOf('\n'));
    if (!part.startsWith('@@ ')) continue;
    const lines = part.split('\n').slice(1);
    const kept = lines.filter((line) => line.startsWith(' ') || line.startsWith('-'));
    places.push({ file, before: kept.map((line) => line.slice(1)).join('\n') });
  }
  return places;
}

test('there are at least twenty planted bugs, each with its kind and a number of seeds', () => {
  assert.ok(patches.length >= 20, `${patches.length}`);
  for (const name of patches) {
    const text = readFileSync(join(folder, name), 'utf8');
    assert.match(text, /^Bug: .+\nClass: .+\nWithin: \d+\n/, name);
  }
});

test('every planted bug fits the code', () => {
  for (const name of patches) {
    const places = placesOf(readFileSync(join(folder, name), 'utf8'));
    assert.ok(places.length > 0, name);
    for (const { file, before } of places) {
      const source = readFileSync(join(projectRoot, file), 'utf8');
      assert.ok(source.includes(before), `${name} no longer fits ${file}: write it anew`);
    }
  }
});
