/**
 * The search on sets that other software wrote, with noise, flags, compression and steep spectra: every
 * source that is in them is found at its place, with its light curve and as what it is, and nothing else.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { lmFromSky } from '../../../actors/io/wcs.ts';
import { distanceInBeams } from '../../../actors/transient/select-detections.ts';
import { placeOf } from '../../../actors/transient/sky-model.ts';
import type { Match } from '../../../examples/found-sources.ts';
import { type ReferenceSearch, searchReference } from '../../support/reference-search.ts';
import { sharedDataMissing } from '../../support/shared-data.ts';

const skip = sharedDataMissing;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const search = (name: string, changes: { readonly bands?: number; readonly coarser?: number } = {}) =>
  searchReference(name, mkdtempSync(join(folder, `${name}-`)), changes);

/** All that is there is found, where it is, and nothing else; the search has come to its end. */
function checkPlaces({ outcome, matches, missed, extra }: ReferenceSearch): void {
  assert.deepEqual(missed, [], 'missed');
  assert.deepEqual(extra, [], 'false');
  assert.ok(outcome.result.complete, 'the rounds ran out');
  for (const { truth, rows } of matches) {
    const place = lmFromSky(outcome.plan.phaseCentre, truth)!;
    for (const beam of outcome.result.beams) {
      const off = distanceInBeams(placeOf(rows.found.model), place, beam);
      assert.ok(off < 0.3, `${truth.name} is ${off} beams off`);
    }
  }
}

/** Sources are what they are by their light curves, and the numbers that say so make sense. */
function checkKinds({ truth, matches }: ReferenceSearch): void {
  for (const { truth: source, rows } of matches) {
    const { kind, eta, v } = rows.found.summary;
    const steady = truth.find(({ name }) => name === source.name)!.steady;
    assert.equal(kind, steady ? 'steady' : 'transient', source.name);
    if (steady) assert.ok(eta > 0.5 && eta < 1.6 && v > 0 && v < 0.15, `${source.name}: ${eta} ${v}`);
    else assert.ok(eta > 5 && v > 0.5, `${source.name}: ${eta} ${v}`);
  }
}

/** Light curves are the truth within the noise. */
function checkFluxes(matches: readonly Match[], [least, most]: readonly [number, number]): void {
  for (const { truth, chiSquare, points } of matches) {
    assert.ok(points >= 9, `${truth.name} has ${points} points`);
    assert.ok(chiSquare > least && chiSquare < most, `${truth.name}: chi-square ${chiSquare} a point`);
  }
}

const sets = [
  { name: 'vlay27', sources: ['A', 'B', 'T1'], points: 120, chiSquare: [0.7, 1.5] },
  { name: 'twoband', sources: ['A', 'T'], points: 24, chiSquare: [0.7, 1.5] },
  { name: 'dysco20', sources: ['A', 'T'], points: 24, chiSquare: [0.7, 1.5] },
  // Ten points scatter by 0.45 about 1.
  { name: 'mwa16', sources: ['A', 'T'], points: 10, chiSquare: [0.3, 2.2] },
] as const;
for (const { name, sources, points, chiSquare } of sets) {
  test(`${name}: all sources are found as what they are, and nothing else`, { skip }, async () => {
    const found = await search(name);
    checkPlaces(found);
    checkKinds(found);
    checkFluxes(found.matches, chiSquare);
    assert.deepEqual(found.matches.map(({ truth }) => truth.name).sort(), [...sources]);
    assert.ok(found.matches.every((match) => match.points <= points && match.points > 0.9 * points));
  });
}

for (const changes of [{ bands: 1 }, { bands: 4, coarser: 2 }]) {
  const title = `nenu24: a pulse that sweeps through ${changes.bands} band(s) is one source over all the sky`;
  test(title, { skip }, async () => {
    const found = await search('nenu24', changes);
    checkPlaces(found);
    checkKinds(found);
    checkFluxes(found.matches, [0.7, 1.5]);
    assert.deepEqual(found.matches.map(({ truth }) => truth.name).sort(), ['A', 'B', 'P1']);
  });
}
