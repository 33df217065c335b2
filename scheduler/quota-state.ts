/**
 * Owns what is known of how much of the scheduler each client fills, and how much it may. Must not know: what
 * is done with either.
 */
import type { ClientId } from '../runtime/index.ts';
import { limits } from './limits.ts';

/** What a client may have here at once. */
export interface Quota {
  readonly tasks: number;
  readonly bytes: number;
}

/** What it has. */
export interface Usage {
  tasks: number;
  bytes: number;
  /** A submission was refused of which more is to come: what follows belongs to it. */
  refusing: boolean;
}

export interface QuotaState {
  quota: Quota;
  readonly usages: Map<ClientId, Usage>;
}

export function createQuota(): QuotaState {
  return { quota: { tasks: limits.clientTasks, bytes: limits.clientBytes }, usages: new Map() };
}
