/**
 * Owns the command `asperitas top`: a running cluster on the screen, drawn again every second. Must not know:
 * how its tables are made, how a terminal is driven.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import type { Command, CommandContext } from '../../runtime/index.ts';
import type { Cluster, Overview } from '../../scheduler/index.ts';
import { screenLines, statusLines } from '../overview-text.ts';
import { TerminalScreen } from '../terminal-screen.ts';
import { connectionOptions, withCluster } from './connected.ts';
import { takesNoArguments, wholeOf } from './option-values.ts';

const intervalMs = 1_000;
const footer = 'q ends it';

function isTerminal(stream: NodeJS.WritableStream): stream is WriteStream {
  return (stream as Partial<WriteStream>).isTTY === true;
}

async function watch(
  cluster: Cluster,
  { output, signal, everyMs }: { output: WriteStream; signal: AbortSignal; everyMs: number },
): Promise<void> {
  const quit = new AbortController();
  const ends = AbortSignal.any([signal, quit.signal]);
  let now: Overview | undefined;
  let before: Overview | undefined;
  const draw = (): void => {
    if (now === undefined) return;
    const { columns, rows } = screen.size;
    screen.draw([...screenLines(now, before, { columns, rows: rows - 1 }), footer]);
  };
  const input = process.stdin.isTTY ? (process.stdin as ReadStream) : undefined;
  const screen = new TerminalScreen({ output, input, onResize: draw, onQuit: () => quit.abort() });
  try {
    while (!ends.aborted) {
      const next = await cluster.inspect.overview({ signal: ends });
      before = now;
      now = next;
      draw();
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          ends.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, everyMs);
        ends.addEventListener('abort', done, { once: true });
      });
    }
  } catch (error) {
    if (!ends.aborted) throw error;
  } finally {
    screen.close();
  }
}

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, signal } = context;
  takesNoArguments(args, 'top');
  const everyMs = wholeOf(options, 'interval', 100) ?? intervalMs;
  return withCluster(context, async (cluster) => {
    if (options.once === true || !isTerminal(stdout)) {
      stdout.write(`${statusLines(await cluster.inspect.overview({ signal })).join('\n')}\n`);
    } else {
      await watch(cluster, { output: stdout, signal, everyMs });
    }
    return 0;
  });
}

/** `asperitas top` */
export const command: Command = {
  name: 'top',
  summary: 'a cluster on the screen, drawn again every second',
  usage: 'top [--scheduler URL] [--interval MS]',
  options: {
    ...connectionOptions,
    interval: { type: 'string', value: 'MS', help: `milliseconds between two pictures; ${intervalMs}` },
    once: { type: 'boolean', help: 'print it once and end, as happens where stdout is no terminal' },
  },
  details: 'q or Ctrl-C ends it and leaves the terminal as it was.',
  run,
};
