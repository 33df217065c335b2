/**
 * A scheduler whose invariants are checked after every turn, in this process, and nodes as processes of the
 * command line, which tests stop, kill and start again under their names.
 */
import type { TestContext } from 'node:test';
import { type Cluster, connect, startScheduler } from '../../scheduler/index.ts';
import { type RunningCli, startCli } from './cli.ts';
import { eventually } from './small-cluster.ts';

const token = 'a token for tests of faults';
const modules = new URL('./fault-tasks.js', import.meta.url).href;

export interface FaultCluster {
  readonly cluster: Cluster;
  /** Starts a node, of one thread unless told, and waits until it has joined. */
  node(name: string, ...words: string[]): Promise<RunningCli>;
  /** Kills it as a power cut would, and waits until it is gone. */
  kill(name: string): Promise<void>;
  signal(name: string, signal: NodeJS.Signals): void;
  /** Names of the nodes that the scheduler counts on. */
  names(): Promise<string[]>;
}

export async function startFaultCluster(t: TestContext): Promise<FaultCluster> {
  const scheduler = await startScheduler({ token, check: true });
  const broken = scheduler.closed.catch((error: unknown) => {
    throw error;
  });
  const nodes = new Map<string, RunningCli>();
  const cluster = await connect(scheduler.url, { token });
  const names = async (): Promise<string[]> => {
    return (await cluster.inspect.overview()).nodes.map(({ node }) => node).sort();
  };
  t.after(async () => {
    await cluster.close();
    for (const { child, ended } of nodes.values()) {
      child.kill('SIGKILL');
      await ended;
    }
    await scheduler.close();
    // Rejects where an invariant was broken.
    await broken;
  });
  return {
    cluster,
    names,
    node: async (name, ...words) => {
      const about = ['--site', 'here', '--name', name, '--memory', '256MiB', '--modules', modules];
      const threads = words.includes('--threads') ? [] : ['--threads', '1'];
      const all = ['node', '--scheduler', scheduler.url, ...about, ...threads, ...words];
      const node = startCli(all, { ASPERITAS_TOKEN: token });
      nodes.set(name, node);
      await node.said(new RegExp(`node ${name} at here`));
      return node;
    },
    kill: async (name) => {
      const { child, ended } = nodes.get(name)!;
      child.kill('SIGKILL');
      await ended;
    },
    signal: (name, signal) => void nodes.get(name)!.child.kill(signal),
  };
}

export { eventually };
