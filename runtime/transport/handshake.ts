/**
 * Owns the proof, on a new connection, that both ends hold the shared token, without sending it: each end
 * signs both nonces and its own role with HMAC-SHA256. The dialler proves first, so a stranger learns
 * nothing from a listener. Must not know: sockets, what the token protects.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const nonceBytes = 32;
type Role = 'dialler' | 'listener';

export function makeNonce(): Uint8Array {
  return Uint8Array.from(randomBytes(nonceBytes));
}

/** What an end in `role` sends to prove the token; the nonces bind it to this one connection. */
export function proofOf(
  token: string,
  role: Role,
  nonces: { readonly dialler: Uint8Array; readonly listener: Uint8Array },
): Uint8Array {
  const hmac = createHmac('sha256', token);
  hmac.update(`asperitas 1 ${role}\n`).update(nonces.dialler).update(nonces.listener);
  return Uint8Array.from(hmac.digest());
}

/** Compares in constant time. */
export function sameProof(a: unknown, b: Uint8Array): boolean {
  return a instanceof Uint8Array && a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

export function isNonce(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength === nonceBytes;
}
