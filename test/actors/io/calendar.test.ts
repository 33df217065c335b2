/** Dates: known days, rounding at midnight, both ways. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoFromMjd, mjdFromIso, mjdFromUnixMs } from '../../../actors/io/calendar.ts';

test('known dates come out right', () => {
  assert.equal(isoFromMjd(40587), '1970-01-01T00:00:00.000');
  assert.equal(isoFromMjd(51544.5, 0), '2000-01-01T12:00:00');
  // The first integration of a reference set, as WSClean prints it.
  assert.equal(isoFromMjd(5116201925 / 86400), '2021-01-01T07:12:05.000');
  assert.equal(mjdFromUnixMs(0), 40587);
});

test('a time just before midnight is rounded onto the next day, not to second 60', () => {
  assert.equal(isoFromMjd(51544 - 1e-10), '2000-01-01T00:00:00.000');
  assert.equal(isoFromMjd(51543.999999, 0), '2000-01-01T00:00:00');
});

test('text and number are inverse to microseconds', () => {
  for (const text of [
    '2021-01-01T07:12:05.123456',
    '1858-11-17T00:00:00.000000',
    '2016-02-29T23:59:59.999999',
  ]) {
    assert.equal(isoFromMjd(mjdFromIso(text), 6).slice(0, 25), text.slice(0, 25));
  }
  assert.equal(mjdFromIso('2020-10-06'), 59128);
  assert.ok(Number.isNaN(mjdFromIso('yesterday')));
});
