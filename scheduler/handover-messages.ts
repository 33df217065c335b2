/**
 * Owns the messages by which data leave a node before it does. Must not know: how messages travel, who takes
 * what over.
 */
import { array, count, object, text } from '../runtime/index.ts';
import { nodeId, siteName, taskKey } from './wire-ids.ts';

const place = object({ node: nodeId, site: siteName, url: text });

/** To a node. */
export const handoverOrders = {
  /** Fetch these and keep them, as results that were made here are kept. */
  copy: { data: array(object({ key: taskKey, bytes: count, replicas: array(place) })) },
  /** To a node that is leaving: nothing that only it holds is waited for any more. */
  dismiss: {},
} as const;
