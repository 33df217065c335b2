/**
 * Owns who may say what to the scheduler: one table of messages and one of roles. The role of a connection is
 * proved by its handshake. Must not know: how a role is proved, what a message does.
 */
import { AsperitasError } from '../runtime/index.ts';
import type { CoordinationRequest } from './coordination-state.ts';
import type { ToScheduler } from './protocol.ts';

/** What a message amounts to: a look at the cluster, work of one's own, or power over that of others. */
type Permission = 'look' | 'work' | 'administer';

/** All are about work that several clients share. */
const coordinationPermissions: Readonly<Record<CoordinationRequest['type'], Permission>> = {
  'take-lease': 'work',
  'show-on-board': 'work',
  'clear-board': 'work',
  'read-board': 'work',
  'put-in-queue': 'work',
  'take-from-queue': 'work',
  'count-queue': 'work',
  'say-on-topic': 'work',
  'follow-topic': 'work',
  'withdraw-wish': 'work',
  'end-wish': 'work',
  'resume-wishes': 'work',
};

/** A new message needs its row here before it can be sent. */
const needed: Readonly<Record<ToScheduler['type'], Permission>> = {
  status: 'look',
  trace: 'look',
  'ask-overview': 'look',
  'ask-task': 'look',
  'list-datasets': 'look',
  submit: 'work',
  release: 'work',
  cancel: 'work',
  retry: 'work',
  forget: 'work',
  unfetched: 'work',
  recall: 'work',
  'find-places': 'work',
  publish: 'work',
  unpublish: 'work',
  'get-dataset': 'work',
  'spawn-actors': 'work',
  'end-actor': 'work',
  'find-actor': 'work',
  'ignore-actor': 'work',
  ...coordinationPermissions,
  'cancel-task': 'administer',
  'drain-node': 'administer',
  shutdown: 'administer',
};

/** As whom a user of the cluster connects. */
export const clientRoles = ['client', 'observer', 'admin'] as const;
export type ClientRole = (typeof clientRoles)[number];

const granted: Readonly<Record<ClientRole, readonly Permission[]>> = {
  observer: ['look'],
  client: ['look', 'work'],
  admin: ['look', 'work', 'administer'],
};

/** The keys that a token for one role holds: `data` is what results are fetched
 * with, `caller` what actors are asked with, `client` also what data are put on nodes with. */
export const tokenRoles: Readonly<Record<ClientRole | 'node', readonly [string, ...string[]]>> = {
  observer: ['observer'],
  client: ['client', 'data', 'caller', 'observer'],
  admin: ['admin', 'data', 'caller', 'client', 'observer'],
  // Its tasks may submit tasks, as a client.
  node: ['node', 'data', 'caller', 'client', 'observer'],
};

/** Whether a message has power over the work of others. */
export function isAdministration(type: ToScheduler['type']): boolean {
  return needed[type] === 'administer';
}

export function isClientRole(role: unknown): role is ClientRole {
  return (clientRoles as readonly unknown[]).includes(role);
}

/** @throws AsperitasError `forbidden` */
export function checkPermission(role: unknown, type: ToScheduler['type']): void {
  if (isClientRole(role) && granted[role].includes(needed[type])) return;
  const able = clientRoles.filter((other) => granted[other].includes(needed[type]));
  const message = `${role} may not ask for ${type}: connect as ${able.join(' or ')}`;
  throw new AsperitasError('forbidden', message, { role: String(role), type });
}
