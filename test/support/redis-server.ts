/**
 * A real Redis server in a process and a folder of its own, on a free port of loopback, which a test can
 * kill, stop, wake and start again with what it had on its disk.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** False, or why tests with a server are left out. */
export const redisMissing: string | false =
  spawnSync('redis-server', ['--version']).error === undefined ? false : 'redis-server is not installed';

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'asperitas-redis-'));
  readonly #options: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#options = options;
  }

  /** @param options settings beyond those of a durable server, such as `--requirepass secret` */
  static async start(...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.start();
    return server;
  }

  /** Starts it, again if need be, and waits until it answers. */
  async start(): Promise<void> {
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const place = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const words = [...place, ...durable, ...this.#options];
    this.#child = spawn('redis-server', words, { stdio: 'ignore' });
    for (let tries = 0; !(await this.#answers()); tries++) {
      if (tries > 500) throw new Error('redis-server does not answer');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends it and removes what it had. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Sends one command in the inline form, without blanks in its words, and returns the raw answer. */
  async command(...words: string[]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${words.join(' ')}\r\n`);
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return bytes.toString();
  }

  async #answers(): Promise<boolean> {
    try {
      // A server that wants a password answers too; one that still loads does not count.
      return !(await this.command('PING')).startsWith('-LOADING');
    } catch {
      return false;
    }
  }
}
