/**
 * Owns the proof, on a new connection, that both ends hold the key of the role that the dialler claims,
 * without sending it: each end signs both nonces, the role, what the ends say of themselves and the encrypted
 * channel beneath, so that none of it can be exchanged and no recorded handshake is of use. The dialler
 * proves first, so a stranger learns nothing from a listener. Must not know: sockets, what a role may do.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodePacked, encodePacked } from '../codec.ts';
import { AsperitasError } from '../errors.ts';
import { claimedRole, keyFor, roleOf } from './credentials.ts';
import { limits } from './limits.ts';
import type { WireMessage } from './transport.ts';

const version = 2;
const nonceBytes = 32;
type Side = 'dialler' | 'listener';

/** Closes a handshake and says why; RFC 6455 leaves 4000-4999 to applications. */
export const closeCodes = { wrongToken: 4401, otherVersion: 4426 } as const;

/** A new connection, as a handshake needs it. */
export interface HandshakePort {
  send(message: WireMessage): void;
  /** The next message; rejects when the connection closes or the time is over. */
  next(): Promise<WireMessage>;
  /** What only the two ends of the encrypted channel beneath can compute; empty without encryption. */
  readonly channel: Uint8Array;
}

/** One end of a handshake. */
export interface Party {
  readonly token: string;
  readonly hello: WireMessage;
}

/** Why the other end is not spoken to. */
export class HandshakeRefused extends Error {
  readonly closeCode: number;
  constructor(closeCode: number, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

interface Transcript {
  readonly role: string;
  readonly dialler: Uint8Array;
  readonly listener: Uint8Array;
  readonly channel: Uint8Array;
  /** What the dialler said of itself, and what the listener did where that is signed too. */
  readonly hellos: readonly Uint8Array[];
}

function proofOf(key: Uint8Array, side: Side, transcript: Transcript): Uint8Array {
  const { role, dialler, listener, channel, hellos } = transcript;
  const hmac = createHmac('sha256', key);
  hmac.update(`asperitas ${version} ${side} ${role}\n`);
  // Each with its length, so that no two lists of parts read the same.
  for (const part of [dialler, listener, channel, ...hellos]) hmac.update(`${part.byteLength}:`).update(part);
  return Uint8Array.from(hmac.digest());
}

/** Compares in constant time. */
function sameProof(a: unknown, b: Uint8Array): boolean {
  return a instanceof Uint8Array && a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

const isNonce = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && value.byteLength === nonceBytes;

const makeNonce = (): Uint8Array => Uint8Array.from(randomBytes(nonceBytes));

function parseRecord(packed: Uint8Array): WireMessage {
  if (packed.byteLength > limits.handshakeBytes) throw new Error('an oversized handshake');
  const message = decodePacked(packed);
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) {
    return message as WireMessage;
  }
  throw new Error('a handshake that is no record');
}

export const packHandshake = (message: WireMessage): Uint8Array => encodePacked(message);
export const parseHandshake = (frame: Uint8Array): WireMessage => parseRecord(frame);

const wrongToken = () => new HandshakeRefused(closeCodes.wrongToken, 'wrong token');

/** The listener's half: gives what the dialler says of itself, once it is proved. Nothing is said of this end
 * before. Rejects with `HandshakeRefused` or whatever else is wrong with the peer. */
export async function receiveDialler(port: HandshakePort, { token, hello }: Party): Promise<WireMessage> {
  const listener = makeNonce();
  const first = await port.next();
  if (!isNonce(first.nonce)) throw new Error('no nonce');
  if (first.version !== version) throw new HandshakeRefused(closeCodes.otherVersion, `version ${version}`);
  port.send({ nonce: listener, version });
  const second = await port.next();
  if (!(second.hello instanceof Uint8Array)) throw new Error('no hello');
  const said = parseRecord(second.hello);
  const role = claimedRole(said);
  const key = keyFor(token, role);
  const { channel } = port;
  const transcript = { role, dialler: first.nonce, listener, channel, hellos: [second.hello] };
  if (key === undefined || !sameProof(second.proof, proofOf(key, 'dialler', transcript))) throw wrongToken();
  const answer = packHandshake(hello);
  const signed = { ...transcript, hellos: [second.hello, answer] };
  port.send({ proof: proofOf(key, 'listener', signed), hello: answer });
  return said;
}

/** The dialler's half: gives what the listener says of itself, once it is proved.
 * @throws AsperitasError `wrong-role`; `HandshakeRefused` or whatever else is wrong with the peer */
export async function introduce(port: HandshakePort, { token, hello }: Party): Promise<WireMessage> {
  const role = claimedRole(hello);
  const key = keyFor(token, role);
  if (key === undefined) {
    const message = `a token for ${roleOf(token)} does not allow to act as ${role}: use one that does`;
    throw new AsperitasError('wrong-role', message, { role });
  }
  const dialler = makeNonce();
  port.send({ nonce: dialler, version });
  const first = await port.next();
  if (!isNonce(first.nonce)) throw new Error('it does not answer as asperitas does');
  if (first.version !== version) throw new HandshakeRefused(closeCodes.otherVersion, 'another version');
  const own = packHandshake(hello);
  const transcript = { role, dialler, listener: first.nonce, channel: port.channel, hellos: [own] };
  port.send({ proof: proofOf(key, 'dialler', transcript), hello: own });
  const second = await port.next();
  if (!(second.hello instanceof Uint8Array)) throw wrongToken();
  const signed = { ...transcript, hellos: [own, second.hello] };
  if (!sameProof(second.proof, proofOf(key, 'listener', signed))) throw wrongToken();
  return parseRecord(second.hello);
}
