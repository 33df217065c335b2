/**
 * Owns the values of the daemons' options: texts, whole numbers, lists. Must not know: which options exist.
 */
import { AsperitasError, type CommandContext, type CommandOption } from '../../runtime/index.ts';

type Options = CommandContext['options'];

export const insecureOption: CommandOption = {
  type: 'boolean',
  help: 'listen on a routable address in clear, where a VPN or a tunnel protects the line',
};

export function textOf(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function textsOf(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** @throws AsperitasError `bad-option` */
export function wholeOf(
  options: Options,
  name: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = textOf(options, name);
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(parsed) && parsed >= least && parsed <= most) return parsed;
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} up` : `${least} to ${most}`;
  const message = `--${name} ${value}: a whole number from ${range} is wanted`;
  throw new AsperitasError('bad-option', message, { option: name, value });
}

/** A port to listen on; 0 is any free one.
 * @throws AsperitasError `bad-option` */
export function portOf(options: Options, name = 'port'): number | undefined {
  return wholeOf(options, name, 0, 65_535);
}

/** Refuses words that are no options, for commands that take none.
 * @throws AsperitasError `usage` */
export function takesNoArguments(args: readonly string[], command: string): void {
  if (args.length === 0) return;
  const message = `${command} takes no ${args[0]}; see asperitas ${command} --help`;
  throw new AsperitasError('usage', message, { command });
}

/** @throws AsperitasError `usage` */
export function required(options: Options, name: string, command: string): string {
  const value = textOf(options, name);
  if (value !== undefined) return value;
  const message = `--${name} is missing; see asperitas ${command} --help`;
  throw new AsperitasError('usage', message, { option: name, command });
}
