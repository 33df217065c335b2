/**
 * A line between two processes that breaks: passes TCP bytes on, and cuts each connection after so many of
 * those that come from the server, until it has cut often enough.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface CutProxy {
  /** The URL of the server, by way of this line. */
  readonly url: string;
  /** Bytes that came from the server, over all connections. */
  readonly passed: { bytes: number };
  readonly cuts: { done: number };
}

export async function startCutProxy(
  t: TestContext,
  target: string,
  { afterBytes, cuts }: { readonly afterBytes: number; readonly cuts: number },
): Promise<CutProxy> {
  const { hostname, port } = new URL(target);
  const passed = { bytes: 0 };
  const cut = { done: 0 };
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(port), hostname);
    let bytes = 0;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
    near.pipe(far);
    far.on('data', (piece) => {
      bytes += piece.byteLength;
      passed.bytes += piece.byteLength;
      if (bytes > afterBytes && cut.done < cuts) {
        cut.done++;
        far.destroy();
        near.resetAndDestroy();
        return;
      }
      if (!near.write(piece)) {
        far.pause();
        near.once('drain', () => far.resume());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, passed, cuts: cut };
}
