/**
 * Runs a command of the command line inside the test's process and keeps what it prints.
 */
import { PassThrough } from 'node:stream';
import type { Command, CommandContext } from '../../runtime/index.ts';

export interface Printed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Lets stderr pass for a terminal. */
  readonly terminal?: boolean;
}

/** Runs `command`; what it throws is passed on. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  options: CommandContext['options'],
  { signal = new AbortController().signal, terminal = false }: RunOptions = {},
): Promise<Printed> {
  const text = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') =>
    new PassThrough().on('data', (bytes: Buffer) => {
      text[name] += bytes.toString();
    });
  const stdout = stream('stdout');
  const stderr = Object.assign(stream('stderr'), terminal ? { isTTY: true } : {});
  const status = await command.run({ args, options, stdout, stderr, signal, services: {} });
  return { status, ...text };
}
