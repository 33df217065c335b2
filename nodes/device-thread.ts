/**
 * Owns the entry of a device's thread: answers the host's calls, one run at a time, while what the modules
 * keep between runs stays warm. Must not know: which device it is for, the host's queue.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import type { EncodedValue } from '../runtime/index.ts';
import { serveCall } from './run-body.ts';
import type { ThreadCall, ThreadSetup } from './run-request.ts';
import { serveCalls } from './thread-calls.ts';

export interface DeviceThreadData {
  readonly setup: ThreadSetup;
  readonly port: MessagePort;
}

/** What the host may call. */
export type DeviceMethods = {
  readonly run: (call: ThreadCall) => Promise<EncodedValue>;
};

const { setup, port } = workerData as DeviceThreadData;
serveCalls(port, { run: (call: ThreadCall) => serveCall(setup, call) } satisfies DeviceMethods);
