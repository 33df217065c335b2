/**
 * Owns how the ids of the system are checked when they come from a peer. Must not know: which messages carry
 * them.
 */
import {
  as,
  type ClientId,
  count,
  type NodeId,
  type RunId,
  type SiteName,
  type TaskKey,
  text,
} from '../runtime/index.ts';

export const taskKey = as<TaskKey>(text);
export const nodeId = as<NodeId>(text);
export const siteName = as<SiteName>(text);
export const clientId = as<ClientId>(text);
export const runId = as<RunId>(count);
