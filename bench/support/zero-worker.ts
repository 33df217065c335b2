/**
 * Owns a node that does nothing: it claims at once to have finished every task, and serves the same small
 * result under every key. What then remains is the work of the client, the scheduler and the sockets. Must
 * not know: graphs.
 */
import {
  type Connection,
  type DataReply,
  DataRequest,
  encodeValue,
  nodeId,
  siteName,
  webSocketTransport,
} from '../../runtime/index.ts';
import { type FromNode, type NodeInfo, type RunTrace, ToNode } from '../../scheduler/protocol.ts';

type Compute = Extract<ToNode, { readonly type: 'compute' }>;
const { header } = encodeValue(1);

/** What a node says of a run that took no time. */
export function finished({ key, run, fn }: Compute, info: NodeInfo, nowMs: number): FromNode[] {
  const { node, site } = info;
  const times = { startMs: nowMs, endMs: nowMs, thread: 0, localBytes: 0, remoteBytes: 0 };
  const trace: RunTrace = { key, fn, node, site, outcome: 'done', ...times };
  // As nodes do with brief tasks: no word of their start, and the result comes along.
  return [{ type: 'run-done', key, run, bytes: header.byteLength, inline: header, trace }];
}

export function infoOf(name: string, threads: number, url: string): NodeInfo {
  return {
    role: 'node',
    node: nodeId(name),
    site: siteName(name.replace(/\d+$/, '')),
    url,
    threads,
    memoryBytes: 2 ** 34,
    resources: {},
    pid: 1,
  };
}

function serve(connection: Connection): void {
  connection.onMessage((raw) => {
    const message = DataRequest.parse(raw);
    if (message.type !== 'fetch') return;
    const { request } = message;
    const replies: DataReply[] = [
      { type: 'datum-start', request, header, frameBytes: [] },
      { type: 'datum-end', request },
    ];
    for (const reply of replies) connection.send(reply);
  });
}

/** Connects such a node; returns the way to end it. */
export async function startZeroWorker(
  url: string,
  token: string,
  { name, threads }: { readonly name: string; readonly threads: number },
): Promise<() => Promise<void>> {
  const hello = { role: 'node' };
  const listener = await webSocketTransport.listen({ token, hello, onConnection: serve });
  const info = infoOf(name, threads, listener.url);
  const connection = await webSocketTransport.dial(url, { token, hello: info });
  connection.onMessage((raw) => {
    const message = ToNode.parse(raw);
    if (message.type !== 'compute') return;
    for (const report of finished(message, info, Date.now())) connection.send(report);
  });
  return async () => {
    connection.close();
    await listener.close();
  };
}
