/**
 * Owns the shape of a subcommand of `asperitas`. The command line (nodes/cli.ts) loads a command's module by
 * name at run time, so that the astronomy's commands can live in actors/ without nodes/ importing them.
 * Must not know: any command.
 */

/** How an option is written and what `--help` says about it; `type` and `multiple` as in node:util
 * `parseArgs`. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** How many words follow the option, when not one: `--size N [M]` is `{ words: [1, 2] }`. They arrive as
   * an array. */
  readonly words?: readonly [least: number, most: number];
  /** The value's name in `--help`, such as `SITE`. */
  readonly value?: string;
  readonly help: string;
}

/** What the command line hands to a command. Streams are parameters so that tests can read what is
 * printed. */
export interface CommandContext {
  /** Positional arguments, in order. */
  readonly args: readonly string[];
  /** Values by option name: `true` for a flag, text, or texts where `multiple` or `words` is set. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Aborted by the first Ctrl-C or SIGTERM; a second one kills the process. */
  readonly signal: AbortSignal;
  /** Whatever the composition root provides beyond this, such as the opening of a cluster. */
  readonly services: Readonly<Record<string, unknown>>;
}

/** A subcommand. Its module exports it under the name `command`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The line after `usage: asperitas `. */
  readonly usage: string;
  /** Further help text below the options: examples, notes. */
  readonly details?: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Resolves to the exit status; operating errors are thrown as `AsperitasError`. */
  run(context: CommandContext): Promise<number>;
}
