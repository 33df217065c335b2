/**
 * Makes hostile frames of honest ones, by a seed: bits turned, bytes exchanged, cut, repeated, put in;
 * lengths that lie; the parts of two frames joined; wells of nesting; names that reach prototypes.
 */
import type { Random } from '../simulation/random.ts';

type Mutation = (frame: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Tokens of msgpack that announce much: maps, lists, text, bytes, extensions. */
const telling = [0x80, 0x8f, 0x9f, 0xbf, 0xc1, 0xc4, 0xc6, 0xc7, 0xc9, 0xd4, 0xd8, 0xdb, 0xdd, 0xdf];
const interesting = [0x00, 0x7f, 0x80, 0xff, ...telling];

const reserved = ['__proto__', 'constructor', 'prototype'].map((name) => Buffer.from(name));

/** A text of some length, as msgpack writes it: a name of the same length can take its place. */
function placeOfText(frame: Uint8Array, length: number, random: Random): number {
  const start = random.int(0, frame.length - 1);
  for (let step = 0; step < frame.length; step++) {
    const at = (start + step) % frame.length;
    if (frame[at] === 0xa0 + length && at + length < frame.length) return at + 1;
  }
  return -1;
}

const mutations: readonly Mutation[] = [
  (frame, random) => {
    const copy = Uint8Array.from(frame);
    copy[random.int(0, copy.length - 1)]! ^= 1 << random.int(0, 7);
    return copy;
  },
  (frame, random) => {
    const copy = Uint8Array.from(frame);
    for (let count = random.int(1, 8); count > 0; count--) {
      copy[random.int(0, copy.length - 1)] = random.pick(interesting);
    }
    return copy;
  },
  // The sizes at the beginning.
  (frame, random) => {
    const copy = Uint8Array.from(frame);
    copy[random.int(0, Math.min(11, copy.length - 1))] = random.int(0, 255);
    return copy;
  },
  (frame, random) => frame.slice(0, random.int(0, frame.length - 1)),
  (frame, random) => {
    const from = random.int(0, frame.length - 1);
    const to = random.int(from, frame.length);
    return joined(frame.subarray(0, to), frame.subarray(from));
  },
  (frame, random) => {
    const at = random.int(0, frame.length);
    const noise = Uint8Array.from({ length: random.int(1, 40) }, () => random.int(0, 255));
    return joined(frame.subarray(0, at), noise, frame.subarray(at));
  },
  (frame, random, other) =>
    joined(frame.subarray(0, random.int(0, frame.length)), other.subarray(random.int(0, other.length))),
  // A well of lists, with and without its bottom.
  (frame, random) => {
    const at = random.int(4, frame.length);
    return joined(frame.subarray(0, at), new Uint8Array(random.int(60, 5000)).fill(0x91), frame.subarray(at));
  },
  (frame, random) => {
    const name = random.pick(reserved);
    const at = placeOfText(frame, name.length, random);
    const copy = Uint8Array.from(frame);
    if (at >= 0) copy.set(name, at);
    else copy[random.int(0, copy.length - 1)] = 0xc1;
    return copy;
  },
  (frame, random) => {
    const copy = Uint8Array.from(frame);
    const at = random.int(0, copy.length - 1);
    copy[at] = random.pick(telling);
    copy.set(Uint8Array.from({ length: 4 }, () => 0xff).subarray(0, copy.length - at - 1), at + 1);
    return copy;
  },
];

/** One to three mutations of `frame`, which is not changed; never empty. */
export function mutated(frame: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let mutant = frame;
  for (let count = random.int(1, 3); count > 0; count--) {
    if (mutant.length > 0) mutant = random.pick(mutations)(mutant, random, other);
  }
  return mutant.length > 0 ? mutant : Uint8Array.of(0);
}

const odd: readonly unknown[] = [
  ...[0, -0, -1, 1, 0.5, 1e9, 2 ** 53, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 10n ** 30n],
  ...['', 'a', 'a1', '__proto__', 'constructor', 'toString', 'x'.repeat(5000), '\u0000\uD800', 'ws://[::'],
  ...[true, false, null, undefined, [], {}, [[]], new Map(), new Date(Number.NaN), new Uint8Array(3)],
  JSON.parse('{"__proto__":{"admin":true},"toString":1}'),
];

/** The value with one thing inside it exchanged, for something odd or for another thing that it holds. */
export function mutatedValue(value: unknown, random: Random, others: readonly unknown[] = []): unknown {
  const isList = Array.isArray(value);
  const isRecord = !isList && typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
  const names = isList ? [...value.keys()] : isRecord ? Object.keys(value) : [];
  if (names.length === 0 || random.chance(0.15))
    return random.pick(random.chance(0.5) ? odd : [...others, 0]);
  const record = value as Record<string | number, unknown>;
  const inside = Object.values(record);
  const name = random.pick(names as (string | number)[]);
  const next = mutatedValue(record[name], random, [...inside, ...others].slice(0, 50));
  if (isList) return random.chance(0.1) ? [...value, ...value] : value.with(name as number, next);
  const copy = { ...record, [name]: next };
  if (random.chance(0.1)) delete copy[name];
  return copy;
}
