/**
 * Owns a child process that runs a command of asperitas: started, known to be ready, and ended with this
 * process, whatever happens to it. Must not know: what the command does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AsperitasError } from '../runtime/index.ts';
import { loadingVariable, tokenVariable } from './config.ts';
import { limits } from './limits.ts';
import { tlsVariables } from './tls-options.ts';

/** What a daemon tells the process that owns it, over the IPC channel, when it can be used. */
interface ReadyMessage {
  readonly ready: string;
}

/** Tells the owner, if there is one, that this daemon is ready, and calls `stop` when the owner is gone. */
export function tellOwner(url: string, stop: () => void): void {
  if (process.send === undefined) return;
  process.once('disconnect', stop);
  const message: ReadyMessage = { ready: url };
  process.send(message);
}

/** Lets go of the owner, so that the channel to it does not keep this process alive. */
export function leaveOwner(): void {
  if (process.connected === true) process.disconnect();
}

export class OwnedProcess {
  readonly url: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(child: ChildProcess, url: string, ended: Promise<void>) {
    this.#child = child;
    this.url = url;
    this.pid = child.pid!;
    this.#ended = ended;
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks the process to end, and ends it when it does not within a while. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), limits.stopMs);
    await this.#ended;
    clearTimeout(timer);
  }
}

/** A program that starts a cluster and is itself one of the modules of its nodes would start a cluster in
 * each of their threads, without end. */
function refuseWhileLoading(): void {
  const url = process.env[loadingVariable];
  if (url === undefined) return;
  const message =
    'a module that nodes load may not start a cluster: ' +
    'declare tasks in a file of their own and name that file among the modules';
  throw new AsperitasError('usage', message, { url });
}

/** A cluster on one machine needs no certificates, though its owner may have some for another. */
function ownedEnvironment(token: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !tlsVariables.includes(name));
  return { ...Object.fromEntries(others), [tokenVariable]: token };
}

/** Starts `asperitas ...words` and waits until it says that it is ready.
 * @throws AsperitasError `usage` in a module of tasks; `cannot-start` with the last line that it printed;
 * `aborted` */
export async function startOwned(
  words: readonly string[],
  { token, signal }: { readonly token: string; readonly signal: AbortSignal | undefined },
): Promise<OwnedProcess> {
  signal?.throwIfAborted();
  refuseWhileLoading();
  const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
  const child = spawn(process.execPath, [cli, ...words], {
    // The token goes by the environment: arguments can be read by every user of the machine.
    env: ownedEnvironment(token),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Ctrl-C in the terminal reaches this process, which then ends its children in order.
    detached: true,
  });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-limits.saidCharacters);
    if (process.env.ASPERITAS_DEBUG) process.stderr.write(text);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const what = `asperitas ${words[0]}`;
  try {
    const url = await readyUrl(child, ended, { signal, what, said: () => said });
    return new OwnedProcess(child, url, ended);
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  }
}

function readyUrl(
  child: ChildProcess,
  ended: Promise<void>,
  about: { readonly signal: AbortSignal | undefined; readonly what: string; readonly said: () => string },
): Promise<string> {
  const { signal, what, said } = about;
  return new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(`it was not ready within ${limits.readyMs / 1000} s`);
    }, limits.readyMs);
    const aborted = (): void => {
      finish();
      reject(new AsperitasError('aborted', `starting ${what} was aborted`, {}, { cause: signal?.reason }));
    };
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const fail = (why: string): void => {
      finish();
      const message = `${what} can't be started: ${why}`;
      reject(new AsperitasError('cannot-start', message, { command: what }));
    };
    signal?.addEventListener('abort', aborted, { once: true });
    child.once('message', (message) => {
      finish();
      resolve((message as ReadyMessage).ready);
    });
    child.once('error', (error) => fail(error.message));
    void ended.then(() => fail(lastLine(said()) || 'it ended without a word'));
  });
}

/** The last line that a daemon printed, without the name that it puts before its errors. */
function lastLine(said: string): string {
  return said
    .trim()
    .split('\n')
    .at(-1)!
    .replace(/^asperitas: /, '');
}
