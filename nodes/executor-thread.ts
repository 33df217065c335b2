/**
 * Owns the entry of an executor's thread: one function, which the pool calls by name. Must not know: the
 * pool, other threads.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import type { EncodedValue } from '../runtime/index.ts';
import { serveCall } from './run-body.ts';
import { type PauseNote, type ThreadCall, type ThreadSetup, toThreadReply } from './run-request.ts';

const setup = workerData as ThreadSetup;

/** Ends of runs, told before the call ends of which they are part. */
export interface EarlyMessage {
  readonly lane: number;
  readonly ticket: number;
  readonly packed: EncodedValue;
}

export function serve(call: ThreadCall): Promise<EncodedValue> {
  const { lane, ticket } = call;
  return serveCall(setup, call, {
    tellEarly: (replies) => {
      parentPort!.postMessage({ lane, ticket, packed: toThreadReply(replies) } satisfies EarlyMessage);
    },
    tellPaused: (run, paused) => {
      parentPort!.postMessage({ run, paused, threadId } satisfies PauseNote);
    },
  });
}
