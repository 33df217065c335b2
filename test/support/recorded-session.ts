/**
 * A session of a real scheduler with nodes and a client over real sockets, of which every message is kept, in
 * both directions: what hostile frames are made from.
 */
import type { TestContext } from 'node:test';
import {
  type Connection,
  type Transport,
  type WireMessage,
  webSocketTransport,
} from '../../runtime/index.ts';
import { connect, startScheduler, task } from '../../scheduler/index.ts';
import { token } from './small-cluster.ts';
import { SmallNode } from './small-node.ts';

export type Speaker = 'node' | 'client';

export interface Said {
  /** The role of the peer that the scheduler talked with. */
  readonly peer: Speaker;
  /** From the peer to the scheduler. */
  readonly towards: boolean;
  /** What was said in a row. */
  readonly batch: readonly WireMessage[];
}

const add = task('session.add', (_, ...values: number[]) => values.reduce((sum, value) => sum + value, 0));
const fill = task('session.fill', (_, length: number) => new Float64Array(length).fill(0.5));
const fail = task('session.fail', (_, why: string): number => {
  throw new Error(why);
});

/** Keeps what goes through the connections that are accepted. */
function recording(said: Said[]): Transport {
  return {
    dial: webSocketTransport.dial,
    listen: (options) =>
      webSocketTransport.listen({
        ...options,
        onConnection: (connection) => options.onConnection(tapped(connection, said)),
      }),
  };
}

function tapped(connection: Connection, said: Said[]): Connection {
  const peer: Speaker = connection.hello.role === 'node' ? 'node' : 'client';
  const keep = (towards: boolean, message: WireMessage): void => {
    const last = said.at(-1);
    if (last?.peer === peer && last.towards === towards) (last.batch as WireMessage[]).push(message);
    else said.push({ peer, towards, batch: [message] });
  };
  return new Proxy(connection, {
    get: (target, name) => {
      if (name === 'send') {
        return (message: WireMessage) => {
          keep(false, message);
          target.send(message);
        };
      }
      if (name === 'onMessage') {
        return (receive: (message: WireMessage) => void) =>
          target.onMessage((message) => {
            keep(true, message);
            receive(message);
          });
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Runs the session and gives all that was said. */
export async function recordSession(t: TestContext): Promise<readonly Said[]> {
  const said: Said[] = [];
  const scheduler = await startScheduler({ token, check: true, transport: recording(said) });
  const { url } = scheduler;
  const nodes = await Promise.all(['a1', 'a2', 'b1'].map((name) => SmallNode.start({ url, token, name })));
  const cluster = await connect(url, { token });
  t.after(async () => {
    await cluster.close();
    for (const node of nodes) await node.die();
    await scheduler.close();
  });
  const leaves = Array.from({ length: 40 }, (_, index) => add.with({ bytes: 8, priority: 1 })(index, 1));
  await cluster.compute(add(...leaves));
  const held = await cluster.persist([
    fill.with({ site: 'a' })(1000),
    fill.with({ site: 'b', stay: true })(9),
  ]);
  await cluster.compute(add(1, add(2, add(3, 4))));
  await cluster.compute(fail.with({ retries: 1 })('on purpose')).catch(() => undefined);
  await cluster.status();
  await cluster.trace();
  for (const future of held) future.release();
  const stop = new AbortController();
  const aborted = cluster.compute(
    leaves.map((leaf) => add(leaf, 5)),
    { signal: stop.signal },
  );
  stop.abort();
  await aborted.catch(() => undefined);
  // Heartbeats and the last of what is dropped.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  return [...said];
}
