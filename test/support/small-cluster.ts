/**
 * A scheduler with its invariants checked after every turn, small nodes and clients, all over real sockets in
 * this process, ended with the test.
 */
import type { TestContext } from 'node:test';
import {
  type Cluster,
  type ConnectOptions,
  connect,
  type RunningScheduler,
  startScheduler,
} from '../../scheduler/index.ts';
import { SmallNode } from './small-node.ts';

export const token = 'the secret of these tests';

export interface SmallCluster {
  readonly scheduler: RunningScheduler;
  readonly nodes: readonly SmallNode[];
  readonly cluster: Cluster;
  client(options?: Partial<ConnectOptions>): Promise<Cluster>;
  node(name: string, threads?: number): Promise<SmallNode>;
  /** Runs begun anywhere of a function. */
  count(fn: string): number;
}

/** `names` such as `a1`, `a2`, `b1`: nodes with one thread at sites `a` and `b`. */
export async function startSmallCluster(t: TestContext, names: readonly string[]): Promise<SmallCluster> {
  const scheduler = await startScheduler({ token, check: true });
  const nodes: SmallNode[] = [];
  const clients: Cluster[] = [];
  const node = async (name: string, threads = 1): Promise<SmallNode> => {
    const started = await SmallNode.start({ url: scheduler.url, token, name, threads });
    nodes.push(started);
    return started;
  };
  const client = async (options: Partial<ConnectOptions> = {}): Promise<Cluster> => {
    const connected = await connect(scheduler.url, { token, ...options });
    clients.push(connected);
    return connected;
  };
  t.after(async () => {
    for (const connected of clients) await connected.close();
    for (const started of nodes) await started.die();
    await scheduler.close();
  });
  for (const name of names) await node(name);
  const count = (fn: string): number => nodes.reduce((sum, { counts }) => sum + (counts.get(fn) ?? 0), 0);
  return { scheduler, nodes, cluster: await client(), client, node, count };
}

/** Waits until something is so, for at most ten seconds. */
export async function eventually(what: () => boolean | Promise<boolean>, message: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never so: ${message}`);
}
