/**
 * A TCP proxy that can be told to break a connection after it has passed a request on and before the answer
 * gets back: the server has done what was asked, and its client can't know.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CuttingProxy {
  /** How many connections were broken. */
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #word: string | undefined;
  #times = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#pair(client, connect(targetPort, '127.0.0.1')));
  }

  static async start(targetPort: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { readonly port: number }).port;
  }

  /** From now on breaks a connection when the answer to a request that holds `word` comes, so many times. */
  cutAfter(word: string, times: number): void {
    this.#word = word;
    this.#times = times;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pair(client: Socket, server: Socket): void {
    let doomed = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        this.#sockets.delete(socket);
      });
    }
    client.on('data', (bytes) => {
      if (this.#word !== undefined && this.#times > 0 && bytes.includes(this.#word)) {
        doomed = true;
        this.#times--;
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (doomed) {
        this.cuts++;
        client.destroy();
      } else client.write(bytes);
    });
  }
}
