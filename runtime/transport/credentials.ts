/**
 * Owns what a token is: the secret of a cluster, from which the key of every role follows, or the keys of a
 * few roles alone, so that who may only look is given nothing to act with. Must not know: what a role may do,
 * where tokens lie.
 */
import { hkdfSync } from 'node:crypto';
import { AsperitasError } from '../errors.ts';

/** Begins the text of a token that holds keys, not the secret: `asperitas-role:observer:KEY,data:KEY`. */
const prefix = 'asperitas-role:';
const keyBytes = 32;
const roleName = /^[a-z]{1,20}$/;

/** What an end that names no role stands for: only a holder of the secret can prove it. */
export const unnamedRole = 'peer';

/** The role that a hello claims. */
export function claimedRole(hello: Readonly<Record<string, unknown>>): string {
  const { role = unnamedRole } = hello;
  return typeof role === 'string' && roleName.test(role) ? role : unnamedRole;
}

function derived(secret: string, role: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, 'asperitas', `role ${role}`, keyBytes));
}

/** The keys that a token of roles holds, in the order of writing. */
function heldKeys(token: string): [role: string, key: Uint8Array][] {
  const pairs = token.slice(prefix.length).split(',');
  return pairs.map((pair) => {
    const [role = '', key = ''] = pair.split(':');
    return [role, Uint8Array.from(Buffer.from(key, 'base64url'))];
  });
}

/** The role whose token this is; undefined for the secret, whose holder may take any. */
export function roleOf(token: string): string | undefined {
  return token.startsWith(prefix) ? heldKeys(token)[0]![0] : undefined;
}

/** The key with which `role` is proved; undefined where the token does not allow it. */
export function keyFor(token: string, role: string): Uint8Array | undefined {
  if (!roleName.test(role)) return undefined;
  if (!token.startsWith(prefix)) return derived(token, role);
  const key = heldKeys(token).find(([name]) => name === role)?.[1];
  return key?.byteLength === keyBytes ? key : undefined;
}

/** A token with the keys of these roles and of no other; the first is the one that it is named after.
 * @throws AsperitasError `wrong-role` where `token` does not hold them itself */
export function roleToken(token: string, roles: readonly [string, ...string[]]): string {
  const pairs = roles.map((role) => {
    const key = keyFor(token, role);
    if (key !== undefined) return `${role}:${Buffer.from(key).toString('base64url')}`;
    const message = `a token for ${roleOf(token)} can't give one for ${role}: the secret itself is needed`;
    throw new AsperitasError('wrong-role', message, { role });
  });
  return prefix + pairs.join(',');
}
