/**
 * A cluster of real processes whose scheduler can be killed and started again at the same address, with the
 * same journal.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const cli = fileURLToPath(new URL('../../nodes/cli.js', import.meta.url));
const module = new URL('./recovery-tasks.js', import.meta.url).href;

/** Starts `asperitas ...words`; resolves at its first line. */
async function startDaemon(words: readonly string[], token: string): Promise<ChildProcess> {
  const env = { ...process.env, ASPERITAS_TOKEN: token };
  const child = spawn(process.execPath, [cli, ...words], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const failed = once(child, 'exit').then(() => {
    throw new Error(`asperitas ${words[0]} ended before it was ready`);
  });
  failed.catch(() => undefined);
  await Promise.race([once(createInterface(child.stdout!), 'line'), failed]);
  return child;
}

/** Ends it at once, as a power cut would; resolves when it is gone. */
async function killDaemon(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

export class MortalScheduler {
  readonly url: string;
  readonly token = 'a token for tests of recovery';
  readonly #folder: string;
  readonly #port: number;
  readonly #nodes: ChildProcess[] = [];
  #scheduler!: ChildProcess;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `ws://127.0.0.1:${port}`;
  }

  /** `nodes` by name; each has two threads. */
  static async start(folder: string, nodes: readonly string[]): Promise<MortalScheduler> {
    const made = new MortalScheduler(folder, await freePort());
    await made.startScheduler();
    for (const name of nodes) await made.#startNode(name);
    return made;
  }

  async startScheduler(): Promise<void> {
    const journal = `lmdb:${join(this.#folder, 'journal')}`;
    const words = ['scheduler', '--port', String(this.#port), '--journal', journal, '--check'];
    this.#scheduler = await startDaemon(words, this.token);
  }

  async killScheduler(): Promise<void> {
    await killDaemon(this.#scheduler);
  }

  async #startNode(name: string): Promise<void> {
    const words = ['node', '--scheduler', this.url, '--site', 'here', '--name', name, '--threads', '2'];
    this.#nodes.push(await startDaemon([...words, '--modules', module], this.token));
  }

  async end(): Promise<void> {
    for (const child of [...this.#nodes, this.#scheduler]) await killDaemon(child);
  }
}
