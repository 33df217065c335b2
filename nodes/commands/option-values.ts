/**
 * Owns the values of the daemons' options: texts, whole numbers, lists. Must not know: which options exist.
 */
import { AsperitasError, type CommandContext } from '../../runtime/index.ts';

type Options = CommandContext['options'];

export function textOf(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function textsOf(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** @throws AsperitasError `bad-option` */
export function wholeOf(options: Options, name: string, least: number): number | undefined {
  const value = textOf(options, name);
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(parsed) && parsed >= least) return parsed;
  const message = `--${name} ${value}: a whole number from ${least} up is wanted`;
  throw new AsperitasError('bad-option', message, { option: name, value });
}

/** @throws AsperitasError `usage` */
export function required(options: Options, name: string, command: string): string {
  const value = textOf(options, name);
  if (value !== undefined) return value;
  const message = `--${name} is missing; see asperitas ${command} --help`;
  throw new AsperitasError('usage', message, { option: name, command });
}
