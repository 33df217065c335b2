/** What a handshake proves, and that nothing recorded, reflected or exchanged passes for a proof. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyFor, roleOf, roleToken, type WireMessage } from '../../runtime/index.ts';
import {
  type HandshakePort,
  introduce,
  packHandshake,
  parseHandshake,
  receiveDialler,
} from '../../runtime/transport/handshake.ts';

const token = 'the secret of these tests';

/** Bytes as they would cross the wire, so that a test may keep and change them. */
type Change = (message: WireMessage, index: number) => WireMessage;

class Port implements HandshakePort {
  readonly channel: Uint8Array;
  readonly sent: WireMessage[] = [];
  other: Port | undefined;
  readonly #change: Change;
  readonly #waiting: WireMessage[] = [];
  #wake: (() => void) | undefined;

  constructor(channel: string, change: Change = (message) => message) {
    this.channel = Buffer.from(channel);
    this.#change = change;
  }

  send(message: WireMessage): void {
    const packed = packHandshake(this.#change(message, this.sent.length));
    this.sent.push(parseHandshake(packed));
    this.other?.deliver(parseHandshake(packed));
  }

  deliver(message: WireMessage): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  async next(): Promise<WireMessage> {
    while (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift()!;
  }
}

function portsOf(about: { dialler?: Change; listener?: Change; channels?: [string, string] } = {}) {
  const [one, two] = about.channels ?? ['', ''];
  const dialler = new Port(one, about.dialler);
  const listener = new Port(two, about.listener);
  dialler.other = listener;
  listener.other = dialler;
  return { dialler, listener };
}

const client = { token, hello: { role: 'client', client: 'c' } };
const scheduler = { token, hello: { role: 'scheduler', epoch: 7 } };
const wrong = { message: /wrong token/ };

/** A swapped field, in the messages that have it. */
const swapped =
  (field: string, value: unknown): Change =>
  (message) =>
    field in message ? { ...message, [field]: value } : message;

test('both ends learn what the other says of itself, over one encrypted channel', async () => {
  const { dialler, listener } = portsOf({ channels: ['same', 'same'] });
  const both = await Promise.all([introduce(dialler, client), receiveDialler(listener, scheduler)]);
  assert.deepEqual(both, [scheduler.hello, client.hello]);
});

test('the token and its keys never cross the wire', async () => {
  const { dialler, listener } = portsOf();
  await Promise.all([introduce(dialler, client), receiveDialler(listener, scheduler)]);
  const wire = Buffer.concat([...dialler.sent, ...listener.sent].map(packHandshake));
  for (const secret of [Buffer.from(token), keyFor(token, 'client')!]) assert.equal(wire.indexOf(secret), -1);
});

test('a hello that was exchanged on the way, in either direction, is refused', async () => {
  const king = packHandshake({ role: 'client', client: 'another' });
  const forth = portsOf({ dialler: swapped('hello', king) });
  introduce(forth.dialler, client).catch(() => undefined);
  await assert.rejects(receiveDialler(forth.listener, scheduler), wrong);
  const back = portsOf({ listener: swapped('hello', packHandshake({ role: 'scheduler', epoch: 8 })) });
  receiveDialler(back.listener, scheduler).catch(() => undefined);
  await assert.rejects(introduce(back.dialler, client), wrong);
});

test('a recorded handshake is of no use for a second connection', async () => {
  const { dialler, listener } = portsOf();
  await Promise.all([introduce(dialler, client), receiveDialler(listener, scheduler)]);
  const again = new Port('');
  for (const message of dialler.sent) again.deliver(message);
  await assert.rejects(receiveDialler(again, scheduler), wrong);
});

test('what a listener sent is no proof of a dialler, so reflecting it does not help', async () => {
  const reflecting = new Port('');
  const receiving = receiveDialler(reflecting, scheduler);
  reflecting.deliver({ nonce: new Uint8Array(32), version: 2 });
  await new Promise(setImmediate);
  // The stranger lets a true dialler sign the listener's nonce as if it were its own listener's.
  const victim = new Port('');
  const dialling = introduce(victim, client);
  victim.deliver({ nonce: reflecting.sent[0]!.nonce, version: 2 });
  await new Promise(setImmediate);
  reflecting.deliver(victim.sent[1]!);
  await assert.rejects(receiving, wrong);
  // Nor does a dialler take its own proof for the listener's.
  victim.deliver(victim.sent[1]!);
  await assert.rejects(dialling, wrong);
});

test('a stranger between two encrypted channels can relay every byte and is refused', async () => {
  const { dialler, listener } = portsOf({ channels: ['to the stranger', 'from the stranger'] });
  introduce(dialler, client).catch(() => undefined);
  await assert.rejects(receiveDialler(listener, scheduler), wrong);
});

test('another version is told apart from a wrong token', async () => {
  const old = portsOf({ dialler: swapped('version', 1) });
  introduce(old.dialler, client).catch(() => undefined);
  await assert.rejects(receiveDialler(old.listener, scheduler), { closeCode: 4426 });
});

test('a token for a role proves that role and no other, and gives none of its keys away', async () => {
  const observer = roleToken(token, ['observer']);
  assert.equal(roleOf(observer), 'observer');
  assert.equal(roleOf(token), undefined);
  assert.ok(!observer.includes(token));
  assert.deepEqual(keyFor(observer, 'observer'), keyFor(token, 'observer'));
  for (const role of ['client', 'admin', 'node', 'data']) assert.equal(keyFor(observer, role), undefined);
  assert.throws(() => roleToken(observer, ['admin']), { code: 'wrong-role' });

  const { dialler, listener } = portsOf();
  const hello = { role: 'observer', client: 'o' };
  const learnt = receiveDialler(listener, scheduler);
  await introduce(dialler, { token: observer, hello });
  assert.deepEqual(await learnt, hello);
  const asClient = introduce(portsOf().dialler, { token: observer, hello: client.hello });
  await assert.rejects(asClient, { code: 'wrong-role', message: /token for observer .* act as client/ });
});

test('whoever claims a role without its key is refused', async () => {
  const observer = roleToken(token, ['observer']);
  // The keys under other names: what a cheat would write.
  const cheat = observer.replaceAll('observer', 'admin');
  const { dialler, listener } = portsOf();
  introduce(dialler, { token: cheat, hello: { role: 'admin', client: 'o' } }).catch(() => undefined);
  await assert.rejects(receiveDialler(listener, scheduler), wrong);
});
