/**
 * Owns the entry of an executor's thread: one function, which the pool calls by name. Must not know: the
 * pool, other threads.
 */
import { workerData } from 'node:worker_threads';
import { serveCall } from './run-body.ts';
import type { ThreadCall, ThreadReply, ThreadSetup } from './run-request.ts';

const setup = workerData as ThreadSetup;

export function serve(call: ThreadCall): Promise<ThreadReply> {
  return serveCall(setup, call);
}
