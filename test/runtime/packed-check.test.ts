/** What packed bytes may be before they are decoded: whole, honest about lengths, not too deep, plain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch } from '../../runtime/codec.ts';
import { decodePacked, encodePacked } from '../../runtime/index.ts';
import { checkPacked } from '../../runtime/packed-check.ts';

const refused = (why: RegExp) => ({ code: 'invalid-message', message: why });
const packed = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const text = (word: string): number[] => [0xa0 + word.length, ...Buffer.from(word)];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { inside: value };
  return value;
}

test('values as deep as users may nest them survive; a deeper well is refused without being followed', () => {
  const deep = nested(200);
  assert.deepEqual(decodePacked(encodePacked(deep)), deep);
  const well = new Uint8Array(1_000_000).fill(0x91);
  assert.throws(() => decodePacked(well), refused(/deeper|cut off/));
});

test('a message nested deeper than 64 levels is refused', () => {
  const batch = (depth: number) => {
    const { header, frames } = encodeBatch([{ type: 'x', value: nested(depth) }]);
    return decodeBatch(header, frames);
  };
  assert.equal(batch(60).length, 1);
  for (const depth of [80, 190]) assert.throws(() => batch(depth), refused(/deeper than \d+ levels/));
});

test('records that a peer defines, of which msgpackr would make functions, are refused', () => {
  const definition = packed(0xd4, 0x72, 0x40, 0x91, ...text('name'), 0x01);
  assert.throws(() => decodePacked(definition), refused(/what nobody writes/));
  assert.throws(() => decodePacked(packed(0x92, ...definition, 0x40, 0x02)), refused(/what nobody writes/));
});

test('extensions other than our own are refused: errors, sets, dates, references, bundled text', () => {
  for (const type of [0x00, 0x42, 0x62, 0x65, 0x69, 0x70, 0x73, 0x74, 0x78, 0xff]) {
    const all = [packed(0xd4, type, 0x00), packed(0xd6, type, 0, 0, 0, 0), packed(0xc7, 0x01, type, 0x00)];
    for (const bytes of all) assert.throws(() => decodePacked(bytes), refused(/what nobody writes/));
  }
  assert.throws(() => decodePacked(packed(0xc1)), refused(/what nobody writes/));
});

test('lengths that lie are refused before anything is allocated', () => {
  for (const token of [0xdd, 0xdf]) {
    assert.throws(() => decodePacked(packed(token, 0x7f, 0xff, 0xff, 0xff)), refused(/more than it may/));
  }
  for (const token of [0xdb, 0xc6]) {
    assert.throws(() => decodePacked(packed(token, 0x7f, 0xff, 0xff, 0xff)), refused(/wrong length/));
  }
  assert.throws(() => decodePacked(packed(0x92, 0x01)), refused(/more than it may/));
  assert.throws(() => decodePacked(packed(0x01, 0x01)), refused(/wrong length/));
  assert.throws(() => decodePacked(packed()), refused(/cut off/));
});

test('more values than the bound are refused, as many as it says pass', () => {
  const list = (length: number) => packed(0xdc, length >> 8, length & 255, ...new Array(length).fill(0x90));
  checkPacked(list(1000), { depth: 4, items: 1000 });
  assert.throws(() => checkPacked(list(1001), { depth: 4, items: 1000 }), refused(/more than it may/));
});

test('names that reach prototypes are refused in what a peer writes, and survive as data of a user', () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    const hostile = packed(0x81, ...text(name), 0x81, ...text('admin'), 0xc3);
    const decoded = (): unknown => decodePacked(hostile);
    // msgpackr itself renames the first of them.
    if (name !== '__proto__') assert.throws(decoded, refused(new RegExp(name)));
    else assert.equal((decoded() as { admin?: unknown }).admin, undefined);
    const data = JSON.parse(`{"${name}":{"admin":true},"other":1}`) as object;
    const again = decodePacked(encodePacked(data)) as object;
    assert.deepEqual(Object.entries(again), Object.entries(data));
    assert.equal(Object.getPrototypeOf(again), Object.prototype);
    const { header, frames } = encodeBatch([data, data, data, data, data]);
    for (const item of decodeBatch(header, frames)) assert.ok(Object.hasOwn(item as object, name));
  }
  assert.equal(({} as { admin?: unknown }).admin, undefined);
});

test('a name that is no text is refused', () => {
  assert.throws(() => decodePacked(packed(0x81, 0x90, 0x01)), refused(/name that is no text/));
  assert.throws(() => decodePacked(packed(0x81, 0x01, 0x01)), refused(/name that is no text/));
});
