/**
 * Owns the reading of a command's words: options by name with their values, the rest as arguments, and the
 * text of `--help`. Must not know: any command, the process.
 */
import { AsperitasError, type Command, type CommandOption } from '../runtime/index.ts';

/** The words of a command line, sorted. */
export interface ParsedWords {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[]>>;
}

type Found = Record<string, string | boolean | string[]>;

function usage(message: string, command: Command): AsperitasError {
  return new AsperitasError('usage', `${message}; see asperitas ${command.name} --help`, {
    command: command.name,
  });
}

const isNumber = (word: string | undefined): boolean =>
  word !== undefined && word.trim() !== '' && Number.isFinite(Number(word));

/** The option that a word names, by its long or its short name. One dash is as good as two, since WSClean's
 * users write `-size`. */
function optionOf(command: Command, name: string): [string, CommandOption] {
  const found = Object.entries(command.options).find(
    ([long, option]) => long === name || option.short === name,
  );
  if (found !== undefined) return found;
  const near = Object.keys(command.options).find((long) => long.startsWith(name) || name.startsWith(long));
  const hint = near === undefined ? '' : ` (did you mean --${near}?)`;
  throw usage(`there is no option --${name}${hint}`, command);
}

/** Whether a word that stands where a value is wanted is an option: its value was forgotten. */
function namesOption(command: Command, word: string): boolean {
  if (word.startsWith('--')) return true;
  const name = /^-([A-Za-z][^=]*)/.exec(word)?.[1];
  if (name === undefined) return false;
  return Object.entries(command.options).some(([long, { short }]) => name === long || name === short);
}

/** Sorts the words after the command's name. Options and arguments may stand in any order; `--` ends the
 * options. Words beyond an option's least number are its own if they are numbers, so that `--size 512 obs.ms`
 * and `--weight briggs -0.5` mean what they seem to. Throws `usage`. */
export function parseWords(command: Command, words: readonly string[]): ParsedWords {
  const args: string[] = [];
  const options: Found = Object.create(null) as Found;
  let at = 0;
  while (at < words.length) {
    const word = words[at++]!;
    if (word === '--') {
      args.push(...words.slice(at));
      break;
    }
    const match = /^(?:--([^=]+)|-([A-Za-z][^=]*))(?:=(.*))?$/s.exec(word);
    if (match === null) {
      args.push(word);
      continue;
    }
    const [name, option] = optionOf(command, match[1] ?? match[2]!);
    const given = match[3];
    if (option.type === 'boolean') {
      if (given !== undefined) throw usage(`--${name} takes no value`, command);
      options[name] = true;
      continue;
    }
    const [least, most] = option.words ?? [1, 1];
    const values = given === undefined ? [] : [given];
    while (values.length < most && at < words.length) {
      const next = words[at]!;
      const own = isNumber(next) || (values.length < least && !namesOption(command, next));
      if (!own) break;
      values.push(next);
      at++;
    }
    if (values.length < least || values.includes(''))
      throw usage(`--${name} wants ${option.value ?? 'a value'}`, command);
    keep(options, name, { option, values });
  }
  return { args, options };
}

function keep(
  options: Found,
  name: string,
  { option, values }: { readonly option: CommandOption; readonly values: readonly string[] },
): void {
  if (option.words !== undefined) options[name] = [...values];
  else if (option.multiple === true) options[name] = [...((options[name] as string[]) ?? []), values[0]!];
  else options[name] = values[0]!;
}

/** Fills lines of at most `width` characters, each after `indent` blanks. */
function fill(text: string, width: number, indent: number): string {
  // An example: it stands as it is written.
  if (text.startsWith(' ')) return text;
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width - indent) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** What `asperitas COMMAND --help` prints. */
export function helpOf(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]): [string, string] => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    return [`${short}--${name}${option.value === undefined ? '' : ` ${option.value}`}`, option.help];
  });
  rows.push(['--help', 'this text']);
  const width = Math.max(...rows.map(([head]) => head.length)) + 4;
  return [
    `usage: asperitas ${command.usage}\n`,
    `${command.summary}\n`,
    'options:',
    ...rows.map(([head, help]) => `  ${head.padEnd(width - 2)}${fill(help, 100, width)}`),
    ...(command.details === undefined
      ? []
      : [
          '',
          command.details
            .split('\n')
            .map((p) => fill(p, 100, 0))
            .join('\n'),
        ]),
    '',
  ].join('\n');
}
