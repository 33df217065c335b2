/**
 * Owns what a journal holds: what clients intend, and the few facts without which a new scheduler would do
 * over what has ended or wait for who has left. Results are not in it: the nodes that hold them tell. Must
 * not know: how records are kept, what is made of them.
 */
import {
  anything,
  array,
  count,
  decodePacked,
  encodePacked,
  flag,
  type MessageOf,
  protocol,
  text,
} from '../runtime/index.ts';
import { datasetValue } from './dataset-messages.ts';
import { nodeInfo, ToScheduler, taskSpec, wireError } from './protocol.ts';
import { clientId, nodeId, taskKey } from './wire-ids.ts';

const Records = protocol('journal', {
  'node-known': { info: nodeInfo },
  'node-forgotten': { node: nodeId },
  /** `secret`: a digest of what the client must know to come again; `heard`: how many intents are counted;
   * `kept`: no client but a keeper (keeper-core.ts). */
  'client-known': { client: clientId, secret: text, heard: count, kept: flag },
  'client-forgotten': { client: clientId },
  /** An intent, which is number `heard` of its client. */
  said: { client: clientId, heard: count, message: anything },
  'task-failed': { key: taskKey, error: wireError, culprit: taskKey },
  /** A task that was only to run to its end has ended. */
  'let-go': { key: taskKey },
  /** Of a snapshot: tasks in an order in which inputs come before their users; what clients want, and what
   * they have announced in submissions that have not ended; the data sets. */
  tasks: { owner: clientId, tasks: array(taskSpec) },
  wants: { client: clientId, keys: array(taskKey) },
  announced: { client: clientId, keys: array(taskKey) },
  dataset: { name: text, value: datasetValue },
});
type Raw = MessageOf<typeof Records>;

export type JournalRecord =
  | Exclude<Raw, { type: 'said' }>
  | (Omit<Extract<Raw, { type: 'said' }>, 'message'> & { readonly message: ToScheduler });

export function encodeRecord(record: JournalRecord): Uint8Array {
  return encodePacked(record);
}

/** @throws AsperitasError `invalid-message` for a record of another version, or none */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  const record = Records.parse(decodePacked(bytes));
  return record.type === 'said' ? { ...record, message: ToScheduler.parse(record.message) } : record;
}
