/** What one caller has asked of one actor: numbered, sent within a window, sent again or not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActorCall, ActorCalls } from '../../runtime/actor-calls.ts';

const ended: string[] = [];

function asked(name: string, more: Partial<ActorCall> = {}): ActorCall {
  const settle = (error: Error | undefined): void => void ended.push(`${name} ${error?.message ?? 'ok'}`);
  return { name, payload: 0, idempotent: false, dueMs: 1000, settle, deaths: 0, done: false, ...more };
}

/** Calls named by letter, and what is sent of them. */
function world(window: number, letters: string, more: Partial<ActorCall> = {}) {
  ended.length = 0;
  const calls = new ActorCalls(window);
  for (const letter of letters) calls.push(asked(letter, more));
  const send = (most = 100): string => {
    const parcel = calls.next(most);
    return parcel === undefined ? '' : `${parcel.first}:${parcel.calls.map(({ name }) => name).join('')}`;
  };
  const answer = (number: number): void => calls.end(calls.at(number)!, undefined);
  return { calls, send, answer };
}

test('messages are numbered in order and sent as far as the window goes', () => {
  const { send, answer } = world(3, 'abcde');
  assert.deepEqual([send(2), send(2), send(2)], ['0:ab', '2:c', '']);
  answer(0);
  assert.equal(send(), '3:d');
  answer(2);
  assert.equal(send(), '', 'b is still out: the window begins with it');
  answer(1);
  assert.equal(send(), '4:e');
});

test('what was refused is sent again under the same numbers', () => {
  const { calls, send, answer } = world(10, 'abcd');
  send();
  answer(0);
  calls.rewind(2);
  assert.equal(send(), '2:cd');
  assert.equal(calls.at(1)?.name, 'b', 'what was taken stays out');
});

test('on a new line only what was never taken is sent again, or may be done twice', () => {
  const plain = world(10, 'ab');
  plain.send(1);
  plain.calls.restart();
  assert.equal(plain.send(), '0:b');
  assert.equal(plain.calls.size, 2, 'a has no end yet');
  plain.calls.endUncertain(() => new Error('unknown'));
  assert.deepEqual(ended, ['a unknown']);
  const again = world(10, 'ab', { idempotent: true });
  again.send(1);
  again.calls.restart();
  assert.equal(again.send(), '0:ab');
});

test('what ended before it was sent never gets a number', () => {
  const { calls, send } = world(2, 'ab');
  const late = asked('c', { dueMs: 10 });
  calls.push(late);
  calls.push(asked('d'));
  send();
  assert.equal(
    calls.expire(20, () => new Error('late')),
    1000,
    'the next deadline',
  );
  assert.deepEqual(ended, ['c late']);
  calls.end(calls.at(0)!, undefined);
  calls.end(calls.at(1)!, undefined);
  assert.equal(send(), '2:d');
});
