/** Whatever structured clone can carry survives the codec; whatever it would not write is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AsperitasError,
  decodePacked,
  decodeValue,
  encodePacked,
  encodeValue,
  isAsperitasError,
} from '../../runtime/index.ts';

const values: Record<string, unknown> = {
  nothing: [undefined, null, { inside: undefined }],
  numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 - 1, -1, 10n ** 50n, -3n],
  texts: ['', 'plain', 'žluťoučký 🐎', 'x'.repeat(100_000)],
  dates: [new Date(0), new Date('2026-01-02T03:04:05.678Z')],
  maps: new Map<unknown, unknown>([
    ['a', 1],
    [2, new Map([[{ k: 1 }, new Set([1, 'b'])]])],
  ]),
  arrays: [new Float32Array([1, Number.NaN]), new Float64Array(1000).fill(0.1), new Uint8Array([1, 2, 3])],
  empty: [new Float32Array(0), [], {}, '', new Map(), new Set()],
  wide: new BigInt64Array([1n, -(2n ** 62n)]),
  odd: new Uint8Array(new Uint8Array(1001).buffer, 3, 77),
  nested: { a: [{ b: { c: [1, [2, [3]]] } }] },
  view: new Int16Array(new Int16Array([1, 2, 3, 4]).buffer, 2, 2),
};

for (const [name, value] of Object.entries(values)) {
  test(`${name} survive`, () => {
    const { header, frames } = encodeValue(value);
    assert.deepEqual(
      decodeValue(
        header,
        frames.map((frame) => Uint8Array.from(frame)),
      ),
      value,
    );
    assert.deepEqual(decodePacked(encodePacked(value)), value);
  });
}

test('large arrays become frames, not header', () => {
  const { header, frames } = encodeValue({ image: new Float32Array(1_000_000) });
  assert.equal(frames.length, 1);
  assert.ok(header.byteLength < 100);
});

test('arrays in shared memory are read in place', () => {
  const shared = new Float32Array(new SharedArrayBuffer(4096)).fill(2);
  const { header, frames } = encodeValue(shared);
  assert.equal(frames[0]!.buffer, shared.buffer);
  const decoded = decodeValue(header, frames) as Float32Array;
  assert.equal(decoded.buffer, shared.buffer);
  assert.deepEqual(
    decodePacked(encodePacked(new Float32Array(new SharedArrayBuffer(8)))),
    new Float32Array(2),
  );
});

test('an error keeps name, message, code, fields and cause', () => {
  const error = new AsperitasError(
    'no-such-field',
    'no field 3',
    { field: 3 },
    { cause: new RangeError('inner') },
  );
  const again = decodePacked(encodePacked(error));
  assert.ok(isAsperitasError(again, 'no-such-field'));
  assert.equal(again.message, 'no field 3');
  assert.deepEqual(again.fields, { field: 3 });
  assert.equal((again.cause as Error).message, 'inner');
  assert.equal((again.cause as Error).name, 'RangeError');
});

test('a field named __proto__ is data, not a prototype', () => {
  const hostile = JSON.parse('{"__proto__": {"admin": true}}') as object;
  const again = decodePacked(encodePacked(hostile)) as object;
  assert.equal((again as { admin?: boolean }).admin, undefined);
  assert.ok(Object.hasOwn(again, '__proto__'));
});

test('functions and cycles are refused by name', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const value of [() => 1, { inner: Symbol('s') }, cycle]) {
    assert.throws(
      () => encodeValue(value),
      (error) => isAsperitasError(error, 'not-serialisable'),
    );
  }
});

test('mutated bytes decode to something or are refused, nothing else', () => {
  const { header, frames } = encodeValue(values);
  const copies = frames.map((frame) => Uint8Array.from(frame));
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const mutant = Uint8Array.from(
      header.subarray(0, random(4) === 0 ? random(header.length) : header.length),
    );
    for (let flips = 0; flips <= random(4); flips++)
      mutant[random(Math.min(mutant.length, 600))] = random(256);
    try {
      decodeValue(mutant, copies);
    } catch (error) {
      refused++;
      assert.ok(isAsperitasError(error, 'invalid-message'), String(error));
    }
  }
  assert.ok(refused > 100);
});
