/** Hundreds of simulated clusters, each with its own faults. More: `npm run simulate`; and proof that the
 * simulation finds bugs: `npm run planted-bugs`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulation.ts';

test('200 seeds: every promise is kept, no invariant broken, nothing left behind', () => {
  let settled = 0;
  const failures = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const outcome = simulate(seed);
    assert.equal(outcome.failure, undefined, outcome.failure);
    settled += outcome.settled;
    for (const code of outcome.failures.keys()) failures.add(code);
  }
  assert.ok(settled > 2000, `${settled} promises were kept: too few to mean anything`);
  for (const code of ['cancelled', 'fatal', 'no-such-site', 'stay-conflict', 'thrown']) {
    assert.ok(failures.has(code), `no task failed as ${code}`);
  }
});

test('the same seed gives the same events, another one others', () => {
  const hashes = [7, 8, 9].map((seed) => simulate(seed).hash);
  assert.deepEqual(
    [7, 8, 9].map((seed) => simulate(seed).hash),
    hashes,
  );
  assert.equal(new Set(hashes).size, 3);
});
