#!/usr/bin/env node
/**
 * The composition root: finds the command, reads its words, gives it streams, signal and services, and turns
 * what it throws into one line and an exit status. Commands are loaded by name when they are wanted, so that
 * nothing of the astronomy is imported here. Must not know: what any command does.
 */
import { readFileSync } from 'node:fs';
import { AsperitasError, type Command, isAsperitasError } from '../runtime/index.ts';
import { helpOf, parseWords } from './command-line.ts';
import { openCluster } from './open-cluster.ts';

/** Where commands live, by name, in the order of `asperitas --help`. */
const commands: Readonly<Record<string, string>> = {
  transients: '../actors/commands/transients.js',
  image: '../actors/commands/image.js',
  info: '../actors/commands/info.js',
  table: '../actors/commands/table.js',
  scheduler: './commands/scheduler.js',
  node: './commands/node.js',
  status: './commands/status.js',
  top: './commands/top.js',
  explain: './commands/explain.js',
  story: './commands/story.js',
  drain: './commands/drain.js',
  cancel: './commands/cancel.js',
  report: './commands/report.js',
  token: './commands/token.js',
  certificates: './commands/certificates.js',
  audit: './commands/audit.js',
};

const exitStatus = { failed: 1, usage: 2, interrupted: 130 } as const;

async function load(name: string): Promise<Command> {
  const path = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (path === undefined) {
    const known = Object.keys(commands).join(', ');
    throw new AsperitasError('usage', `there is no command ${name}; the commands are ${known}`, {
      command: name,
    });
  }
  const module = (await import(new URL(path, import.meta.url).href)) as { readonly command: Command };
  return module.command;
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function overview(): Promise<string> {
  const rows: string[] = [];
  for (const name of Object.keys(commands)) {
    rows.push(`  ${name.padEnd(14)}${(await load(name)).summary}`);
  }
  return [
    'usage: asperitas COMMAND [arguments] [options]\n',
    'an actor-model distributed runtime for radio interferometry\n',
    'commands:',
    ...rows,
    '',
    'asperitas COMMAND --help tells more about one; asperitas --version prints the version.',
    '',
  ].join('\n');
}

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function signalOfProcess(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitStatus.interrupted);
    controller.abort(new AsperitasError('aborted', 'stopped by the user'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(rest[0] === undefined ? await overview() : helpOf(await load(rest[0])));
    return name === undefined ? exitStatus.usage : 0;
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`asperitas ${version()}\n`);
    return 0;
  }
  const command = await load(name);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(helpOf(command));
    return 0;
  }
  const signal = signalOfProcess();
  try {
    const { stdout, stderr } = process;
    return await command.run({
      ...parseWords(command, rest),
      stdout,
      stderr,
      signal,
      services: { openCluster },
    });
  } catch (error) {
    // Whatever breaks once the user has asked to stop, stopping is what happened.
    if (!signal.aborted) throw error;
    process.stderr.write(`asperitas: stopped\n`);
    return exitStatus.interrupted;
  }
}

/** One line for the user; a defect of the program also says how to see where it is. */
function report(error: unknown): number {
  if (isAsperitasError(error)) {
    process.stderr.write(`asperitas: ${error.message}\n`);
    if (process.env.ASPERITAS_DEBUG) process.stderr.write(`${error.stack}\n`);
    return error.code === 'usage' || error.code === 'bad-option' ? exitStatus.usage : exitStatus.failed;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const [line] = message.split('\n');
  process.stderr.write(`asperitas: a defect of the program: ${line}; ASPERITAS_DEBUG=1 shows where\n`);
  if (process.env.ASPERITAS_DEBUG) process.stderr.write(`${stack}\n`);
  return exitStatus.failed;
}

// A reader that has seen enough (`| head`) ends the program quietly; a full disk is said in a line.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`asperitas: can't write what it prints: ${error.message}\n`);
  process.exit(exitStatus.failed);
});
// Who does not want to know how it goes may still want the results.
process.stderr.on('error', () => undefined);

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.exitCode = report(error);
  },
);
