/**
 * Owns what can happen to the scheduler, and what it can ask for. Must not know: what it makes of an event,
 * how an instruction is carried out.
 */
import type { ClientId, NodeId } from '../runtime/index.ts';
import type { FromNode, NodeInfo, ToClient, ToNode, ToScheduler } from './protocol.ts';

export type SchedulerEvent =
  | { readonly type: 'node-joined'; readonly info: NodeInfo }
  /** Its connection broke, though it may live. */
  | { readonly type: 'node-cut'; readonly node: NodeId; readonly reason: string }
  | { readonly type: 'node-lost'; readonly node: NodeId; readonly reason: string }
  | { readonly type: 'from-node'; readonly node: NodeId; readonly message: FromNode }
  | { readonly type: 'client-joined'; readonly client: ClientId }
  | { readonly type: 'client-lost'; readonly client: ClientId }
  | { readonly type: 'from-client'; readonly client: ClientId; readonly message: ToScheduler }
  /** All events of a turn have been handled: time to place tasks. */
  | { readonly type: 'drained' }
  | { readonly type: 'ticked' };

export type Instruction =
  | { readonly type: 'send'; readonly to: NodeId; readonly message: ToNode }
  | { readonly type: 'notify'; readonly client: ClientId; readonly message: ToClient }
  /** Close the connection of a node that is taken for dead. */
  | { readonly type: 'disconnect'; readonly node: NodeId; readonly reason: string }
  /** Nothing is left to do: end the scheduler. */
  | { readonly type: 'stop' };
