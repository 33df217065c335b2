/** The mailbox: bounded, in the order of every caller, nothing twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mailbox, type MailboxParcel } from '../../runtime/mailbox.ts';

const parcel = (caller: string, first: number, count = 1): MailboxParcel<string> => ({
  caller,
  first,
  count,
  bytes: 10 * count,
});

test('parcels come out in the order in which they came in', () => {
  const mailbox = new Mailbox<string, MailboxParcel<string>>(10);
  for (const [caller, first] of [
    ['x', 0],
    ['y', 0],
    ['x', 1],
  ] as const) {
    assert.equal(mailbox.offer(parcel(caller, first)), 'taken');
  }
  assert.deepEqual(
    [mailbox.take(), mailbox.take(), mailbox.take(), mailbox.take()],
    [parcel('x', 0), parcel('y', 0), parcel('x', 1), undefined],
  );
});

test('nothing is taken twice, and nothing that overtakes', () => {
  const mailbox = new Mailbox<string, MailboxParcel<string>>(10);
  mailbox.offer(parcel('x', 0, 2));
  assert.equal(mailbox.offer(parcel('x', 0, 2)), 'ignored');
  assert.equal(mailbox.offer(parcel('x', 3)), 'ignored');
  assert.equal(mailbox.offer(parcel('x', 2)), 'taken');
  assert.equal(mailbox.size, 3);
});

test('what a full mailbox refuses must come again before what is behind it', () => {
  const mailbox = new Mailbox<string, MailboxParcel<string>>(4);
  mailbox.offer(parcel('x', 0, 4));
  assert.equal(mailbox.offer(parcel('x', 4)), 'full');
  mailbox.take();
  assert.equal(mailbox.offer(parcel('x', 5)), 'ignored', 'room, but not its turn');
  assert.equal(mailbox.offer(parcel('x', 4)), 'taken');
  assert.equal(mailbox.offer(parcel('x', 5)), 'taken');
});

test('who was refused is told when half of the mailbox is empty, once', () => {
  const mailbox = new Mailbox<string, MailboxParcel<string>>(4);
  for (const first of [0, 1, 2, 3]) mailbox.offer(parcel('x', first));
  mailbox.offer(parcel('y', 0));
  mailbox.take();
  assert.deepEqual(mailbox.relieved(), []);
  mailbox.take();
  assert.deepEqual(mailbox.relieved(), ['y']);
  assert.deepEqual(mailbox.relieved(), []);
});

test('a parcel larger than the mailbox is taken when nothing else waits', () => {
  const mailbox = new Mailbox<string, MailboxParcel<string>>(2);
  assert.equal(mailbox.offer(parcel('x', 0, 5)), 'taken');
  assert.equal(mailbox.offer(parcel('y', 0)), 'full');
});

test('few large messages fill it as well', () => {
  const mailbox = new Mailbox<string, MailboxParcel<string>>(100, 25);
  mailbox.offer(parcel('x', 0));
  mailbox.offer(parcel('x', 1));
  assert.equal(mailbox.offer(parcel('x', 2)), 'full');
  mailbox.take();
  assert.deepEqual(mailbox.relieved(), ['x']);
});

test('emptied, it gives what was left, in order', () => {
  const mailbox = new Mailbox<string, MailboxParcel<string>>(8);
  mailbox.offer(parcel('x', 0));
  mailbox.offer(parcel('x', 1));
  mailbox.take();
  assert.deepEqual(mailbox.empty(), [parcel('x', 1)]);
  assert.equal(mailbox.size, 0);
});
