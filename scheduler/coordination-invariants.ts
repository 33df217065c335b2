/**
 * Owns what must always be true of coordination: no more leases than there are, nobody waits for what could
 * be granted, nothing is kept that nobody uses. Pure. Must not know: how the state came about.
 */
import { isPresent, present } from './coordination-answers.ts';
import type { Asked, Line, Thing } from './coordination-state.ts';
import { bytesOf, hasRoom } from './queue-core.ts';
import type { SchedulerState } from './scheduler-state.ts';

type Expect = (holds: boolean, what: () => string) => void;

function linesOf(thing: Thing): Line[] {
  if (thing.type === 'queue') return [thing.puts, thing.takes];
  return thing.type === 'topic' ? [] : [thing.line];
}

/** The first of a line that can be answered. */
function firstOf(state: SchedulerState, line: Line): Asked | undefined {
  return present(state, line).next().value ?? undefined;
}

function checkThing(state: SchedulerState, thing: Thing, expect: Expect): void {
  const { place, users } = thing;
  expect(users.size > 0, () => `${place}: nobody uses it`);
  for (const user of users) expect(state.clients.has(user), () => `${place}: its user ${user} is gone`);
  for (const line of linesOf(thing)) {
    for (const { answer } of line) expect(answer === undefined, () => `${place}: waits though answered`);
  }
  if (thing.type === 'pool') {
    const { held, leases, line } = thing;
    expect(held.size <= leases, () => `${place}: ${held.size} hold ${leases} leases`);
    const free = held.size < leases && state.coordination.expected.size === 0;
    const idle = free && firstOf(state, line) !== undefined;
    expect(!idle, () => `${place}: somebody waits for a free lease`);
    for (const { answer } of held) {
      expect(answer?.outcome === 'granted', () => `${place}: held by one who does not know`);
    }
  } else if (thing.type === 'board') {
    const idle = thing.shown !== undefined && firstOf(state, thing.line) !== undefined;
    expect(!idle, () => `${place}: somebody waits for what is shown`);
  } else if (thing.type === 'queue') {
    const { items, takes, puts, limit } = thing;
    expect(items.length <= limit, () => `${place}: ${items.length} of ${limit} items`);
    const bytes = items.reduce((sum, { value }) => sum + value.shape.byteLength, 0);
    expect(bytes === thing.bytes, () => `${place}: ${thing.bytes} bytes counted, ${bytes} found`);
    const hungry = items.length > 0 && firstOf(state, takes) !== undefined;
    expect(!hungry, () => `${place}: somebody waits for an item that is there`);
    const first = firstOf(state, puts);
    const room = first !== undefined && hasRoom(thing, bytesOf(first));
    expect(!room, () => `${place}: somebody waits for room that is there`);
  }
}

export function checkCoordination(state: SchedulerState, expect: Expect): void {
  const { things, asked } = state.coordination;
  for (const [place, thing] of things) {
    expect(thing.place === place, () => `${place}: filed under another place`);
    checkThing(state, thing, expect);
  }
  for (const [client, mine] of asked) {
    expect(state.clients.has(client), () => `wishes of ${client}, which is gone`);
    for (const one of mine.values()) {
      if (one.answer !== undefined) continue;
      const waits = linesOf(one.thing).some((line) => line.has(one));
      const known = things.get(one.thing.place) === one.thing;
      expect(waits && known, () => `${one.thing.place}: a wish of ${client} is in no line`);
      expect(isPresent(state, client) || waits, () => `${one.thing.place}: ${client} lost its place`);
    }
  }
}
