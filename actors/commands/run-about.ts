/**
 * Owns what a command tells of itself for the record: how it was given, and what its alerts are. Must not
 * know: what is recorded.
 */
import { AsperitasError, type CommandContext } from '../../runtime/index.ts';
import type { AlertRole } from '../pipelines/transients-products.ts';

/** The command as words, with the options as they were understood. */
export function commandWords(
  name: string,
  { args, options }: Pick<CommandContext, 'args' | 'options'>,
): readonly string[] {
  const words = ['asperitas', name, ...args];
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined || value === false) continue;
    words.push(`--${option}`);
    if (typeof value === 'string') words.push(value);
    else if (value !== true) words.push(...value);
  }
  return words;
}

/** What the alerts are. Throws `bad-option`. */
export function roleOf({ role = 'test' }: CommandContext['options']): AlertRole {
  if (role === 'test' || role === 'observation') return role;
  const message = `--role ${String(role)}: test or observation is wanted`;
  throw new AsperitasError('bad-option', message, { option: 'role', value: role });
}
