/**
 * A writer of a journal in a process of its own (journal-child.ts), whose words are followed, and which can
 * be stopped, woken and killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

export class JournalWriter {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(url: string, name: string, mode = 'plain', prefix: readonly string[] = []) {
    const script = fileURLToPath(new URL('./journal-child.js', import.meta.url));
    const [command, ...words] = [...prefix, process.execPath, script, url, name, mode];
    this.#child = spawn(command!, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    let rest = '';
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop()!;
      this.lines.push(...parts);
    });
    this.#child.stderr!.resume();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Number of the last append that was said to be durable. */
  get done(): number {
    const line = this.lines.findLast((text) => /^(done|open) /.test(text));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  /** Waits for a line that begins so, and returns it. */
  async said(start: string): Promise<string> {
    const find = (): string | undefined => this.lines.find((line) => line.startsWith(start));
    await until(`${start} of ${this.lines.slice(-3).join(' | ')}`, () => find() !== undefined);
    return find()!;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it at once, and waits until all that it said is here. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async ended(): Promise<void> {
    await this.#ended;
  }
}
