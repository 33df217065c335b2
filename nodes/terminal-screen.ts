/**
 * Owns a terminal while something is drawn on it again and again: the alternate screen, the hidden cursor,
 * keys, changes of size; everything is restored at the end, however that comes. Must not know: what is drawn.
 */
import type { ReadStream, WriteStream } from 'node:tty';

const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';

/** `q`, Ctrl-C, Ctrl-D: in raw mode the terminal makes no signals of them. */
const quitKeys = new Set(['q', 'Q', '\x03', '\x04']);

export interface ScreenTools {
  readonly output: WriteStream;
  /** Absent: there are no keys, only the signal ends it. */
  readonly input: ReadStream | undefined;
  readonly onResize: () => void;
  readonly onQuit: () => void;
}

export class TerminalScreen {
  readonly #tools: ScreenTools;
  readonly #onKey = (keys: Buffer): void => {
    if ([...keys.toString()].some((key) => quitKeys.has(key))) this.#tools.onQuit();
  };
  /** Also when the process ends without coming to `close`. */
  readonly #onExit = (): void => this.#restore();
  #open = true;

  constructor(tools: ScreenTools) {
    this.#tools = tools;
    const { output, input, onResize } = tools;
    output.write(enter);
    output.on('resize', onResize);
    input?.setRawMode(true);
    input?.on('data', this.#onKey);
    process.once('exit', this.#onExit);
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#tools.output;
    // A terminal that does not say: the size that all have had.
    return { columns: columns || 80, rows: rows || 24 };
  }

  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    this.#tools.output.write(home + lines.map((line) => line + clearLine).join('\r\n') + clearBelow);
  }

  close(): void {
    const { output, input, onResize } = this.#tools;
    process.off('exit', this.#onExit);
    output.off('resize', onResize);
    input?.off('data', this.#onKey);
    input?.pause();
    this.#restore();
  }

  #restore(): void {
    if (!this.#open) return;
    this.#open = false;
    const { output, input } = this.#tools;
    input?.setRawMode(false);
    output.write(leave);
  }
}
