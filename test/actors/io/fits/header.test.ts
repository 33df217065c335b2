/** Cards of FITS headers: fixed format, quoting, cutting, and reading what others write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeHeader,
  integerCard,
  logicalCard,
  numberOf,
  parseHeader,
  realCard,
  remarkCards,
  textCard,
} from '../../../../actors/io/fits/header.ts';

test('cards have 80 characters, values where the fixed format wants them', () => {
  assert.equal(logicalCard('SIMPLE', true).trimEnd(), `SIMPLE  = ${'T'.padStart(20)}`);
  assert.equal(integerCard('NAXIS1', 512).trimEnd(), 'NAXIS1  =                  512');
  assert.equal(realCard('CRPIX1', 257).trimEnd(), 'CRPIX1  =                257.0');
  assert.equal(realCard('SMALL', 1e-21).trimEnd(), 'SMALL   =                1E-21');
  assert.equal(textCard('CUNIT1', 'deg', 'degrees').trimEnd(), "CUNIT1  = 'deg     '           / degrees");
  for (const card of [realCard('CDELT1', -1 / 1200, 'x'.repeat(90)), textCard('OBJECT', 'o'.repeat(200))]) {
    assert.equal(card.length, 80);
  }
});

test('quotes are doubled, other alphabets replaced, long text cut without breaking a quote', () => {
  assert.equal(textCard('OBJECT', "O'Neill µ").trimEnd(), "OBJECT  = 'O''Neill ?'");
  const cut = parseHeader(textCard('OBJECT', "'".repeat(100)) + 'END'.padEnd(80))!.get('OBJECT');
  assert.equal(cut, "'".repeat(34));
});

test('every number comes back exactly', () => {
  const numbers = [0, -1 / 3, 1e300, 5e-324, 299792458, 123.39999999999999, -0.000833333333333333];
  for (const value of numbers) {
    const header = parseHeader(realCard('VALUE', value) + 'END'.padEnd(80))!;
    assert.equal(numberOf(header, 'VALUE'), value);
  }
});

test('long remarks go over several cards', () => {
  const cards = remarkCards('HISTORY', `${'a'.repeat(100)}\nsecond`);
  assert.deepEqual(
    cards.map((card) => card.trimEnd()),
    [`HISTORY ${'a'.repeat(72)}`, `HISTORY ${'a'.repeat(28)}`, 'HISTORY second'],
  );
});

test('a header fills whole blocks', () => {
  const cards = Array.from({ length: 36 }, (_, index) => integerCard(`KEY${index}`, index));
  assert.equal(encodeHeader(cards).length, 5760);
  assert.equal(encodeHeader(cards.slice(1)).length, 2880);
});

test('headers of others are read: exponents with D, quoted numbers, missing comments', () => {
  const text = [
    'CRVAL1  =   1.369102500000D+02',
    "WSCWEIGH= 'Briggs''(-0.5)'                                                      ",
    "BMAJ    = '0.5     '           / text where a number belongs",
    'BLANKVAL=                      / no value',
    'COMMENT = not a value',
    "ODD     = 'a / b' / comment's quote",
    'CRVAL1  = 1.0',
    'END',
  ];
  const header = parseHeader(text.map((line) => line.padEnd(80)).join(''))!;
  assert.equal(numberOf(header, 'CRVAL1'), 136.91025);
  assert.equal(header.get('WSCWEIGH'), "Briggs'(-0.5)");
  assert.equal(numberOf(header, 'BMAJ'), 0.5);
  assert.equal(header.get('BLANKVAL'), undefined);
  assert.equal(header.get('ODD'), 'a / b');
  assert.equal(parseHeader('SIMPLE  = T'.padEnd(80)), undefined);
});
