/** A batch of messages comes out of its columns as it went in; what no sender would write is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch, encodePacked, isAsperitasError } from '../../runtime/index.ts';

function roundTrip(messages: readonly unknown[]): unknown[] {
  const { header, frames } = encodeBatch(messages);
  return decodeBatch(
    header,
    frames.map((frame) => new Uint8Array(frame)),
  );
}

/** Messages as a turn brings them: of several shapes, with lists of records, words and bytes inside. */
function messages(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => {
    if (index % 3 === 0) return { type: 'started', run: 2 ** 50 + index };
    const replicas = [{ node: `n${index % 2}`, url: 'ws://here' }];
    const inputs = Array.from({ length: index % 5 }, (__, k) => ({
      key: `k${index}-${k}`,
      bytes: k,
      replicas,
    }));
    return {
      type: 'compute',
      args: Uint8Array.of(index, 1),
      inputs,
      hints: index % 7 === 0 ? { near: 'a' } : {},
    };
  });
}

test('messages of several shapes come out in their order', () => {
  for (const count of [0, 1, 3, 4, 1000]) assert.deepEqual(roundTrip(messages(count)), messages(count));
});

test('fields of every kind survive beside one another', () => {
  const odd = [
    undefined,
    null,
    -0,
    0,
    Number.NaN,
    10n,
    'word',
    new Date(3),
    new Map([[1, [2]]]),
    { deep: [[{}]] },
  ];
  const mixed = Array.from({ length: 40 }, (_, index) => ({ value: odd[index % odd.length], same: -0 }));
  assert.deepEqual(roundTrip(mixed), mixed);
  const large = Array.from({ length: 5 }, (_, index) => ({
    data: new Float64Array(1000 * index).fill(index),
  }));
  assert.deepEqual(roundTrip(large), large);
  // biome-ignore lint/suspicious/noSparseArray: a hole must not shift what comes after it.
  assert.deepEqual(roundTrip([{ list: [1, , 3] }, { list: [] }, {}, { list: [4] }, {}])[0], {
    list: [1, undefined, 3],
  });
});

test('a field named __proto__ stays a field', () => {
  const hostile = JSON.parse('{"__proto__": {"admin": true}, "list": [1, 2, 3, 4, 5]}') as object;
  const [again] = roundTrip([hostile, hostile, hostile, hostile, hostile]) as { admin?: boolean }[];
  assert.equal(again!.admin, undefined);
  assert.ok(Object.hasOwn(again!, '__proto__'));
});

test('what many messages share is sent once', () => {
  const url = 'ws://a-rather-long-name.example:12345';
  const batch = Array.from({ length: 1000 }, (_, index) => ({ type: 'placed', url, index }));
  assert.ok(encodeBatch(batch).header.byteLength < 5000);
});

const forged: Record<string, unknown> = {
  'a size without evidence': [1e9, ['same', 1]],
  'records out of nothing': [1e6, ['rows', ['a'], [['same', 1]]]],
  'lists out of nothing': [2, ['lists', ['list', [1e9, 1]], ['same', 1]]],
  'a prototype': [1, ['rows', ['__proto__'], [['same', 1]]]],
  'an unknown shape': [1, ['mixed', [], ['length']]],
  'one object in many places': [9, ['same', {}]],
  'too few fields': [1, ['rows', ['a', 'b'], [['same', 1]]]],
  'an unknown word': [1, ['words', ['a'], [1]]],
  'bytes of a wrong length': [1, ['bytes', ['list', [2]], new Uint8Array(1)]],
};
for (const [name, packed] of Object.entries(forged)) {
  test(`${name} is refused`, () => {
    assert.throws(
      () => decodeBatch(encodePacked(packed), []),
      (error) => isAsperitasError(error, 'invalid-message'),
    );
  });
}

test('mutated batches decode to something or are refused, nothing else', () => {
  const { header, frames } = encodeBatch(messages(60));
  let state = 54321;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const mutant = new Uint8Array(
      header.subarray(0, random(4) === 0 ? random(header.length) : header.length),
    );
    for (let flips = 0; flips <= random(4); flips++) mutant[random(mutant.length)] = random(256);
    try {
      decodeBatch(mutant, frames);
    } catch (error) {
      refused++;
      assert.ok(isAsperitasError(error, 'invalid-message'), String(error));
    }
  }
  assert.ok(refused > 100);
});
