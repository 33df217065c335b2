/**
 * Owns the messages by which peers find one another again after a connection broke or the scheduler was
 * replaced. Must not know: how messages travel, what is made of them.
 */
import { array, count, flag } from '../runtime/index.ts';
import { runId, taskKey } from './wire-ids.ts';

/** To a node: the first message of every connection. A scheduler of an earlier epoch than one that it has
 * worked for is not worked for any more. */
export const nodeWelcome = { welcome: { epoch: count } } as const;

/** To a client: the first message of every connection. `known`: the scheduler still has all that the client
 * wants, and has heard so many of its intents (intents.ts); else it knows nothing of it. */
export const clientWelcome = {
  welcome: { epoch: count, known: flag, heard: count },
  /** The intents up to this one outlive the scheduler. */
  accepted: { through: count },
} as const;

/** From a client that came again: how these stand, which it waits for, since a word may have been lost. */
export const recalls = { recall: { keys: array(taskKey) } } as const;

/** From a node that `announces` in its hello, on every connection, before all else: a `replica-added` for
 * what it holds, a `run-announced` for each run that was given to it and goes on, then `announced`. */
export const announcements = {
  'run-announced': { key: taskKey, run: runId, started: flag },
  announced: {},
} as const;
