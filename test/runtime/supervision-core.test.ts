/** Supervision: events in, instructions out, in short sentences. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis } from '../../runtime/ids.ts';
import { supervise } from '../../runtime/supervision-core.ts';
import {
  type ActorChild,
  type Child,
  createSupervision,
  type Strategy,
  type SupervisionEvent,
  type SupervisionInstruction,
  type SupervisorChild,
} from '../../runtime/supervision-state.ts';

function actor(id: string, more: Partial<ActorChild> = {}): ActorChild {
  return { kind: 'actor', id, restart: 'permanent', shutdownMs: 500, ...more };
}

function supervisor(
  strategy: Strategy,
  children: readonly Child[],
  more: Partial<SupervisorChild> = {},
): SupervisorChild {
  const backOff = { leastMs: 100, mostMs: 1000, jitter: 0.5 };
  const plain = { kind: 'supervisor', id: 'top', limit: 3, withinMs: 10_000, restart: 'permanent' } as const;
  return { ...plain, strategy, backOff, children, ...more };
}

function sentence(instruction: SupervisionInstruction): string {
  if (instruction.type === 'end') return `end ${instruction.id}: ${instruction.why}`;
  return 'id' in instruction ? `${instruction.type} ${instruction.id}` : instruction.type;
}

/** A tree and its clock; `up` starts all of it. */
function world(root: SupervisorChild) {
  const state = createSupervision(root);
  let now = 0;
  const feed = (event: SupervisionEvent, random = 0.5): string[] =>
    supervise(state, event, { now: millis(now), random }).map(sentence);
  const started = (id: string): string[] => feed({ type: 'child-started', id });
  const up = (...ids: string[]): void => {
    feed({ type: 'begun' });
    for (const id of ids) started(id);
  };
  return {
    feed,
    started,
    up,
    crash: (id: string, random?: number) => feed({ type: 'child-ended', id, normal: false }, random),
    ended: (id: string) => feed({ type: 'child-ended', id, normal: true }),
    stop: (id?: string) => feed({ type: 'stop-asked', ...(id === undefined ? {} : { id }) }),
    pass: (ms: number) => {
      now += ms;
      return feed({ type: 'ticked' });
    },
  };
}

test('children are started in order, each when the one before is up', () => {
  const { feed, started } = world(supervisor('one-for-one', [actor('a'), actor('b')]));
  assert.deepEqual(feed({ type: 'begun' }), ['start a']);
  assert.deepEqual(started('a'), ['start b']);
  assert.deepEqual(started('b'), ['announce-up']);
});

test('nothing happens before the beginning, however long that takes', () => {
  const { feed, pass } = world(supervisor('one-for-one', [actor('a')]));
  assert.deepEqual(pass(60_000), []);
  assert.deepEqual(feed({ type: 'begun' }), ['start a']);
});

test('children are stopped in reverse order, each when the one behind is down', () => {
  const { up, stop, ended } = world(supervisor('one-for-one', [actor('a'), actor('b')]));
  up('a', 'b');
  assert.deepEqual(stop(), ['stop b']);
  assert.deepEqual(ended('b'), ['end b: stopped', 'stop a']);
  assert.deepEqual(ended('a'), ['end a: stopped', 'finish']);
});

test('a child that does not stop in time is killed, once', () => {
  const { up, stop, pass } = world(supervisor('one-for-one', [actor('a')]));
  up('a');
  stop();
  assert.deepEqual(pass(499), []);
  assert.deepEqual(pass(1), ['kill a']);
  assert.deepEqual(pass(1), []);
});

test('one-for-one restarts the child that ended, and only it', () => {
  const { up, crash } = world(supervisor('one-for-one', [actor('a'), actor('b')]));
  up('a', 'b');
  assert.deepEqual(crash('a'), ['start a']);
});

test('one-for-all stops the others in reverse order and starts all again', () => {
  const { up, crash, ended, started } = world(
    supervisor('one-for-all', [actor('a'), actor('b'), actor('c')]),
  );
  up('a', 'b', 'c');
  assert.deepEqual(crash('b'), ['stop c']);
  assert.deepEqual(ended('c'), ['stop a']);
  assert.deepEqual(ended('a'), ['start a']);
  assert.deepEqual(started('a'), ['start b']);
});

test('rest-for-one restarts the child that ended and those that started after it', () => {
  const { up, crash, ended } = world(supervisor('rest-for-one', [actor('a'), actor('b'), actor('c')]));
  up('a', 'b', 'c');
  assert.deepEqual(crash('b'), ['stop c']);
  assert.deepEqual(ended('c'), ['start b']);
});

test('a transient child is restarted after a crash, not after a normal end; a temporary one never', () => {
  const { up, crash, ended, started } = world(
    supervisor('one-for-one', [
      actor('a', { restart: 'transient' }),
      actor('b', { restart: 'temporary' }),
      actor('c'),
    ]),
  );
  up('a', 'b', 'c');
  assert.deepEqual(crash('a'), ['start a']);
  assert.deepEqual(started('a'), []);
  assert.deepEqual(ended('a'), ['end a: ended']);
  assert.deepEqual(crash('b'), ['end b: ended']);
});

test('a temporary child that falls with the others is not started again', () => {
  const { up, crash, ended } = world(
    supervisor('one-for-all', [actor('a'), actor('b', { restart: 'temporary' })]),
  );
  up('a', 'b');
  assert.deepEqual(crash('a'), ['stop b']);
  assert.deepEqual(ended('b'), ['end b: ended', 'start a']);
});

test('pauses between restarts double, and chance makes them shorter or longer', () => {
  const { up, crash, started, pass } = world(supervisor('one-for-one', [actor('a')]));
  up('a');
  assert.deepEqual(crash('a'), ['start a']);
  started('a');
  assert.deepEqual(crash('a', 0), []);
  assert.deepEqual(pass(49), []);
  assert.deepEqual(pass(1), ['start a'], '100 ms, shortened by half');
  started('a');
  crash('a', 1);
  assert.deepEqual(pass(299), []);
  assert.deepEqual(pass(1), ['start a'], '200 ms, lengthened by half');
});

test('a supervisor that restarts too often gives up and stops the other children', () => {
  const { up, crash, started, ended } = world(
    supervisor('one-for-one', [actor('a'), actor('b')], { limit: 1 }),
  );
  up('a', 'b');
  crash('a');
  started('a');
  assert.deepEqual(crash('a'), ['stop b']);
  assert.deepEqual(ended('b'), ['end b: gave-up', 'end a: gave-up', 'finish']);
});

test('restarts long ago do not count', () => {
  const { up, crash, started, pass } = world(supervisor('one-for-one', [actor('a')], { limit: 1 }));
  up('a');
  crash('a');
  started('a');
  pass(10_000);
  assert.deepEqual(crash('a'), ['start a']);
});

test('a supervisor that gives up is restarted by its own, by that one’s strategy', () => {
  const inner = supervisor('one-for-one', [actor('a'), actor('b')], { id: 'inner', limit: 0 });
  const { up, crash, ended, started } = world(supervisor('rest-for-one', [inner, actor('c')]));
  up('a', 'b', 'c');
  assert.deepEqual(crash('a'), ['stop c'], 'it began after the inner supervisor');
  assert.deepEqual(ended('c'), ['stop b']);
  assert.deepEqual(ended('b'), ['start a']);
  assert.deepEqual(started('a'), ['start b']);
  assert.deepEqual(started('b'), ['start c']);
});

test('one that can not start at first takes all with it; later it counts as a crash', () => {
  const { feed, started, crash, ended } = world(supervisor('one-for-one', [actor('a'), actor('b')]));
  feed({ type: 'begun' });
  started('a');
  assert.deepEqual(crash('b'), ['end b: not-started', 'stop a']);
  assert.deepEqual(ended('a'), ['end a: not-started', 'finish']);
  const later = world(supervisor('one-for-one', [actor('a')]));
  later.up('a');
  later.crash('a');
  assert.deepEqual(later.crash('a'), []);
  assert.deepEqual(later.pass(100), ['start a']);
});

test('one that waits for its restart ends at once when that is asked for', () => {
  const { up, crash, started, stop } = world(supervisor('one-for-one', [actor('a')]));
  up('a');
  crash('a');
  started('a');
  crash('a');
  assert.deepEqual(stop('a'), ['end a: stopped', 'finish']);
});

test('a stop that was asked for is not undone by the crash of another', () => {
  const { up, stop, crash, ended } = world(supervisor('one-for-all', [actor('a'), actor('b')]));
  up('a', 'b');
  assert.deepEqual(stop('b'), ['stop b']);
  crash('a');
  assert.deepEqual(ended('b'), ['end b: stopped', 'start a']);
});
