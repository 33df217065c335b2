/** Finding the field a user means, and phase centres in other frames against casacore's answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, resolveField, toJ2000 } from '../../../../actors/io/measurement-set/fields.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';

const fields = ['CAL', 'TARGET', '0', 'TARGET'].map(
  (name, id): Field => ({ id, name, frame: 'J2000', phaseCentre: { raRad: 0, decRad: 0 } }),
);

test('a field is found by id, by name, and by a name made of digits where no id fits', () => {
  assert.equal(resolveField(fields, 1, 'a.ms').id, 1);
  assert.equal(resolveField(fields, 'CAL', 'a.ms').id, 0);
  assert.equal(resolveField(fields, '0', 'a.ms').id, 0);
  assert.equal(resolveField([{ ...fields[0]!, name: '1331' }], '1331', 'a.ms').id, 0);
});

test('an unknown field lists the known ones, a name carried twice lists its ids', () => {
  assert.throws(
    () => resolveField(fields, 'M87', 'a.ms'),
    (error) => isAsperitasError(error, 'no-such-field') && /0 "CAL", 1 "TARGET"/.test(error.message),
  );
  assert.throws(
    () => resolveField(fields, 'TARGET', 'a.ms'),
    (error) => isAsperitasError(error, 'ambiguous-field') && /ids 1, 3/.test(error.message),
  );
  const many = Array.from({ length: 500 }, (_, id) => ({ ...fields[0]!, id, name: `P${id}` }));
  assert.throws(
    () => resolveField(many, 'M87', 'a.ms'),
    (error) => isAsperitasError(error) && error.message.length < 300 && /488 more/.test(error.message),
  );
});

test('right ascensions come out in [0, 2 pi)', () => {
  assert.equal(toJ2000(-0.5, 0.1, 'J2000')!.raRad, 2 * Math.PI - 0.5);
  for (const angle of [-1e-20, 0, 7, -7, 2 * Math.PI]) {
    const { raRad } = toJ2000(angle, 0, 'ICRS')!;
    assert.ok(raRad >= 0 && raRad < 2 * Math.PI, `${angle} became ${raRad}`);
  }
});

test('B1950 and galactic phase centres agree with casacore to half an arcsecond', () => {
  const degree = Math.PI / 180;
  const cases = [
    ['B1950', 187, 12.66, 3.274810534391619, 0.2161406907314933],
    ['B1950', 10, -45, 0.18485122995700848, -0.780617069084052],
    ['GALACTIC', 120, -30, 0.1717130651514563, 0.5725194821935919],
  ] as const;
  for (const [frame, longitude, latitude, ra, dec] of cases) {
    const found = toJ2000(longitude * degree, latitude * degree, frame)!;
    const east = (found.raRad - ra) * Math.cos(dec);
    const arcsec = Math.hypot(east, found.decRad - dec) / degree / (1 / 3600);
    assert.ok(arcsec < 0.5, `${frame}: ${arcsec} arcsec`);
  }
  assert.equal(toJ2000(1, 1, 'AZELGEO'), undefined);
});
