/**
 * A thread that fetches a datum with credit without end, but does not read from its socket until it is told
 * to: what a sender must bear of a stopped peer.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DataReply, webSocketTransport } from '../../runtime/index.ts';

export interface SlowReaderData {
  readonly url: string;
  readonly token: string;
  readonly key: string;
  /** Set to 1, and notified, when reading may begin. */
  readonly gate: Int32Array;
}

const { url, token, key, gate } = workerData as SlowReaderData;
const connection = await webSocketTransport.dial(url, { token, hello: { role: 'data', node: 'slow' } });
let bytes = 0;
let sum = 0;
connection.onMessage((raw) => {
  const message = DataReply.parse(raw);
  if (message.type === 'datum-piece') {
    bytes += message.payload.byteLength;
    const { payload } = message;
    for (let index = 0; index < payload.length; index++) sum += payload[index]!;
  } else if (message.type === 'datum-end') {
    parentPort!.postMessage({ bytes, sum });
    connection.close();
  }
});
connection.send({ type: 'fetch', request: 1, key, credit: 2 ** 40 });
// After the turn in which the request is sent.
setTimeout(() => {
  parentPort!.postMessage('stopped');
  Atomics.wait(gate, 0, 0);
}, 20);
