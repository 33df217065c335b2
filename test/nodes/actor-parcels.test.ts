/** What becomes of the messages of an actor that is dead: those at hand, before and behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActorParcels, type NodeParcel } from '../../nodes/actor-parcels.ts';
import { encodeValue, went } from '../../runtime/index.ts';

/** Messages by letter, on line 7; `deaths` of each. */
function parcel(id: number, first: number, letters: string, deaths = 0): NodeParcel {
  const body = encodeValue([...letters].flatMap((letter) => [letter, undefined, 0, deaths]));
  const count = letters.length;
  return { id, caller: 7, first, count, bytes: 100, arrivedMs: 0, body, cancelled: [] };
}

const about = { why: new Error('a crash'), poisonAfter: 2 };

/** Numbers that were interrupted, that failed for good, and the first that was not begun. */
function wreckOf(parcels: ActorParcels, ...at: [parcel: number, index: number, count: number] | []) {
  const [id, index, count] = at;
  const atHand = id === undefined ? undefined : { parcel: id, index: index!, count: count! };
  const { answers, notBegun, parked } = parcels.wreck(atHand, about);
  const flat = answers.get(7) ?? [];
  const numbers = (how: number): unknown[] =>
    flat.filter((_, place) => place % 3 === 0 && flat[place + 1] === how);
  return {
    interrupted: numbers(went.interrupted),
    failed: numbers(went.failed),
    notBegun: notBegun.get(7),
    parked: parked.map(({ name }) => name),
  };
}

test('the one at hand was interrupted; those behind it were not begun', () => {
  const parcels = new ActorParcels();
  parcels.give(parcel(1, 0, 'abc'));
  parcels.give(parcel(2, 3, 'de'));
  parcels.note(1, 1);
  assert.equal(parcels.open, 4);
  assert.deepEqual(wreckOf(parcels, 1, 1, 1), { interrupted: [1], failed: [], notBegun: 2, parked: [] });
});

test('those before the one at hand were carried out, though nobody has their answers', () => {
  const parcels = new ActorParcels();
  parcels.give(parcel(1, 0, 'abc'));
  parcels.give(parcel(2, 3, 'de'));
  assert.deepEqual(wreckOf(parcels, 2, 0, 1).interrupted, [0, 1, 2, 3]);
});

test('between two messages nothing is at hand', () => {
  const parcels = new ActorParcels();
  parcels.give(parcel(1, 0, 'abc'));
  parcels.note(1, 2);
  assert.deepEqual(wreckOf(parcels, 1, 2, 0), { interrupted: [], failed: [], notBegun: 2, parked: [] });
  parcels.give(parcel(1, 0, 'ab'));
  parcels.give(parcel(2, 2, 'c'));
  assert.deepEqual(wreckOf(parcels, 1, 2, 0), { interrupted: [0, 1], failed: [], notBegun: 2, parked: [] });
});

test('a batch at hand may reach into the next parcel', () => {
  const parcels = new ActorParcels();
  parcels.give(parcel(1, 0, 'aa'));
  parcels.give(parcel(2, 2, 'aab'));
  assert.deepEqual(wreckOf(parcels, 1, 1, 3), {
    interrupted: [0, 1, 2, 3],
    failed: [],
    notBegun: 4,
    parked: [],
  });
});

test('a message that has ended enough lives is parked; one that only waited behind it is not', () => {
  const parcels = new ActorParcels();
  parcels.give(parcel(1, 0, 'ab', 1));
  assert.deepEqual(wreckOf(parcels, 1, 0, 1), {
    interrupted: [],
    failed: [0],
    notBegun: 1,
    parked: ['a'],
  });
});

test('a life that ended before it began anything sends everything back', () => {
  const parcels = new ActorParcels();
  parcels.give(parcel(1, 5, 'ab'));
  assert.deepEqual(wreckOf(parcels), { interrupted: [], failed: [], notBegun: 5, parked: [] });
});
