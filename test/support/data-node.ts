/**
 * The part of a node that holds and serves data, for tests: a real store behind a real listening socket, and
 * the figures by which a test sees what it did.
 */
import type { TestContext } from 'node:test';
import { Store, type StoreOptions } from '../../nodes/store.ts';
import { type DataSource, type ServeOptions, serveData } from '../../nodes/transfer.ts';
import {
  type Connection,
  type Listener,
  type NodeId,
  type SiteName,
  webSocketTransport,
} from '../../runtime/index.ts';
import type { Replica } from '../../scheduler/protocol.ts';
import { temporaryFolder } from './peers.ts';

export const token = 'the token of the tests';

export interface DataNode {
  readonly store: Store;
  readonly listener: Listener;
  readonly replica: Replica;
  readonly connections: Connection[];
  /** Resolves, for each connection, when nothing is served on it any more. */
  readonly served: Promise<void>[];
  /** Pins held, and the most that were held at once. */
  readonly pins: { now: number; most: number };
}

export async function dataNode(
  t: TestContext,
  options: Partial<StoreOptions> & ServeOptions = {},
): Promise<DataNode> {
  const store = Store.open({ memoryBytes: 2 ** 30, folder: temporaryFolder(t), ...options });
  const connections: Connection[] = [];
  const served: Promise<void>[] = [];
  const pins = { now: 0, most: 0 };
  const source: DataSource = {
    get: (key, signal) => store.get(key, signal),
    stampOf: (key) => store.stampOf(key),
    pin: (key) => {
      store.pin(key);
      pins.now++;
      pins.most = Math.max(pins.most, pins.now);
    },
    unpin: (key) => {
      store.unpin(key);
      pins.now--;
    },
  };
  const listener = await webSocketTransport.listen({
    token,
    hello: { role: 'data', node: 'server' },
    onConnection: (connection) => {
      connections.push(connection);
      served.push(serveData(connection, source, options).closed);
    },
  });
  t.after(async () => {
    await listener.close();
    await Promise.all(served);
    await store.close();
  });
  const replica = { node: 'server' as NodeId, site: 'a' as SiteName, url: listener.url };
  return { store, listener, replica, connections, served, pins };
}
