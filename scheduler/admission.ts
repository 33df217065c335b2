/**
 * Owns who is taken in, and the farewell: a name stands for one peer, and a client that comes again proves to
 * be who it was by a secret of which the scheduler keeps a digest. Must not know: tokens, which are about
 * what a peer may do.
 */
import { createHash } from 'node:crypto';
import { AsperitasError, type ClientId, type Connection, toWireError } from '../runtime/index.ts';
import type { NodeInfo } from './protocol.ts';
import type { NodeRecord } from './scheduler-state.ts';

/** What is kept of a secret; a client without one has none to lose. */
export function digestOf(secret: string | undefined): string {
  return secret === undefined ? '' : createHash('sha256').update(secret).digest('base64url');
}

/** @throws AsperitasError `client-taken` when another client bears the name, or the scheduler itself: its own
 * keepers of results begin with # */
export function checkSecret(client: ClientId, digest: string, known: string | undefined): void {
  const reserved = client.startsWith('#');
  if (!reserved && (known === undefined || known === digest)) return;
  const message = reserved
    ? `a client can't be named ${client}: names that begin with # are the scheduler's own`
    : `a client named ${client} is known already, and this is not it`;
  throw new AsperitasError('client-taken', message, { client });
}

/** Two nodes of one name would replace each other for ever. The same process may come again: its former
 * connection is lost, though the scheduler may not have noticed. One that is cut off may be gone, and this
 * its successor. */
export function checkName({ node, url, pid }: NodeInfo, known: NodeRecord | undefined): void {
  if (known === undefined || known.awaySince !== undefined) return;
  const { info } = known;
  if (info.url === url && info.pid === pid) return;
  const message = `a node named ${node} is there already (${info.url}): give each a --name of its own`;
  throw new AsperitasError('name-taken', message, { node, url: info.url });
}

/** A client that comes again is who it was: nobody takes over the work of another with lesser rights. */
export function checkSameRole(client: ClientId, role: string, former: Connection | undefined): void {
  if (former === undefined || former.hello.role === role) return;
  const message = `client ${client} is connected in another role than ${role}: use a name of its own`;
  throw new AsperitasError('forbidden', message, { role, type: 'hello' });
}

/** Dismisses clients for good: nothing of what they wanted is left, so that they need not look for it. */
export function sayFarewell(clients: Iterable<Connection>): void {
  const error = toWireError(new AsperitasError('scheduler-lost', 'the scheduler has ended'));
  try {
    for (const connection of clients) connection.send({ type: 'refused', error });
  } catch {
    // Whatever ails the connections, the end must come.
  }
}
