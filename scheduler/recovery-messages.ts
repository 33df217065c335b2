/**
 * Owns the messages by which peers find one another again after a connection broke or the scheduler was
 * replaced. Must not know: how messages travel, what is made of them.
 */
import { count, flag } from '../runtime/index.ts';
import { runId, taskKey } from './wire-ids.ts';

/** To a node: the first message of every connection. A scheduler of an earlier epoch than one that it has
 * worked for is not worked for any more. */
export const nodeWelcome = { welcome: { epoch: count } } as const;

/** From a node that `announces` in its hello, on every connection, before all else: a `replica-added` for
 * what it holds, a `run-announced` for each run that was given to it and goes on, then `announced`. */
export const announcements = {
  'run-announced': { key: taskKey, run: runId, started: flag },
  announced: {},
} as const;
