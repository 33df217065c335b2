/**
 * Owns what can happen to the scheduler, and what it can ask for. Must not know: what it makes of an event,
 * how an instruction is carried out.
 */
import type { ClientId, NodeId } from '../runtime/index.ts';
import type { JournalRecord } from './journal-records.ts';
import type { FromNode, NodeInfo, ToClient, ToNode, ToScheduler } from './protocol.ts';

export type SchedulerEvent =
  | { readonly type: 'node-joined'; readonly info: NodeInfo }
  /** Its connection broke, though it may live. */
  | { readonly type: 'node-cut'; readonly node: NodeId; readonly reason: string }
  | { readonly type: 'node-lost'; readonly node: NodeId; readonly reason: string }
  | { readonly type: 'from-node'; readonly node: NodeId; readonly message: FromNode }
  /** `secret`: a digest of what it must know to come again. */
  | { readonly type: 'client-joined'; readonly client: ClientId; readonly secret?: string }
  /** `broken`: without a farewell. */
  | { readonly type: 'client-lost'; readonly client: ClientId; readonly broken?: boolean }
  | { readonly type: 'from-client'; readonly client: ClientId; readonly message: ToScheduler }
  /** What an earlier scheduler recorded, before anything else happens; then that this was all. */
  | { readonly type: 'record-replayed'; readonly record: JournalRecord }
  | { readonly type: 'journal-replayed' }
  /** So many of the records asked for, from the first on, outlive the scheduler. */
  | { readonly type: 'recorded'; readonly through: number }
  /** All events of a turn have been handled: time to place tasks. */
  | { readonly type: 'drained' }
  | { readonly type: 'ticked' };

export type Instruction =
  | { readonly type: 'send'; readonly to: NodeId; readonly message: ToNode }
  | { readonly type: 'notify'; readonly client: ClientId; readonly message: ToClient }
  /** Keep this for the next scheduler, after the records before it. */
  | { readonly type: 'record'; readonly record: JournalRecord }
  /** Close the connection of a node that is taken for dead. */
  | { readonly type: 'disconnect'; readonly node: NodeId; readonly reason: string }
  /** Nothing is left to do: end the scheduler. */
  | { readonly type: 'stop' };
