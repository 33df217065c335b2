/** What leaves memory for the disk, and in which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSpills } from '../../nodes/spill-policy.ts';

const marks = { highBytes: 70, lowBytes: 50 };
const candidates = ['a', 'b', 'c', 'd'].map((key) => ({ key, bytes: 20, pins: 0 }));

test('nothing leaves while use is at most the high-water mark', () => {
  assert.deepEqual(chooseSpills(candidates, 70, marks), []);
});

test('the least recently used leave until use is at the low-water mark', () => {
  assert.deepEqual(chooseSpills(candidates, 80, marks), ['a', 'b']);
  assert.deepEqual(chooseSpills(candidates, 90, marks), ['a', 'b']);
  assert.deepEqual(chooseSpills(candidates, 91, marks), ['a', 'b', 'c']);
});

test('what is pinned stays, and others go in its place', () => {
  const pinned = candidates.map((each) => ({ ...each, pins: each.key === 'a' ? 1 : 0 }));
  assert.deepEqual(chooseSpills(pinned, 80, marks), ['b', 'c']);
});

test('all that can leave does when the rest is over the mark', () => {
  assert.deepEqual(chooseSpills(candidates, 1000, marks), ['a', 'b', 'c', 'd']);
});
