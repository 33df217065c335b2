/**
 * Owns the command `asperitas scheduler`: the daemon that places tasks. Must not know: how tasks are placed.
 */
import { AsperitasError, type Command, type CommandContext, roleOf } from '../../runtime/index.ts';
import { type Journal, type RunningScheduler, startScheduler } from '../../scheduler/index.ts';
import { defaultPort, forgetToken, readOrMakeToken, tokenPlace } from '../config.ts';
import { leaveOwner, tellOwner } from '../owned-process.ts';
import { certificateWords, securedTransport, tlsOptions } from '../tls-options.ts';
import { journalOptions, openJournalOf } from './journal-option.ts';
import { httpPortOf, logOf, observedOptions, spansOf } from './observed.ts';
import { insecureOption, portOf, takesNoArguments, textOf } from './option-values.ts';

/** @throws AsperitasError `wrong-role` for a token that can't tell who else connects */
async function secretOf(tokenFile: string | undefined): Promise<string> {
  const token = await readOrMakeToken(tokenFile);
  const role = roleOf(token);
  if (role === undefined) return token;
  const place = tokenPlace(tokenFile);
  const message = `${place} holds a token for ${role}: a scheduler needs the secret itself`;
  throw new AsperitasError('wrong-role', message, { role });
}

/** A scheduler that has lost its journal may promise nothing more: it ends, with the reason. */
async function endOf(scheduler: RunningScheduler, journal: Journal): Promise<void> {
  const lost = await Promise.race([scheduler.closed, journal.lost]);
  if (lost === undefined) return;
  await scheduler.close();
  throw lost;
}

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, stderr, signal } = context;
  takesNoArguments(args, 'scheduler');
  const port = portOf(options) ?? defaultPort;
  const tokenFile = textOf(options, 'token-file');
  const host = textOf(options, 'host');
  const token = await secretOf(tokenFile);
  const place = tokenPlace(tokenFile);
  forgetToken();
  const httpPort = httpPortOf(options);
  const log = await logOf(options, { role: 'scheduler' });
  const secured = await securedTransport(options, (line) => stderr.write(`scheduler: ${line}\n`));
  const { journal, place: journalPlace } = await openJournalOf(context, { host, port });
  try {
    const scheduler = await startScheduler({
      port,
      token,
      check: options.check === true,
      insecure: options['insecure-no-tls'] === true,
      transport: secured.transport,
      auditFile: textOf(options, 'audit'),
      log,
      spans: spansOf(),
      journal,
      ...(httpPort === undefined ? {} : { httpPort }),
      ...(host === undefined ? {} : { host }),
    });
    const stop = (): void => void scheduler.close();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    tellOwner(scheduler.url, stop);
    const words = `token in ${place}, journal in ${journalPlace}${certificateWords(secured)}`;
    stdout.write(`scheduler at ${scheduler.url}, ${words}\n`);
    if (scheduler.httpUrl !== undefined) stdout.write(`health and metrics at ${scheduler.httpUrl}\n`);
    await endOf(scheduler, journal).finally(leaveOwner);
  } finally {
    await journal.close();
  }
  return 0;
}

/** `asperitas scheduler` */
export const command: Command = {
  name: 'scheduler',
  summary: 'the daemon that gives tasks to nodes; start one, then nodes at every site',
  usage: 'scheduler [--host H] [--port P] [options]',
  options: {
    host: { type: 'string', value: 'H', help: 'the address to listen on; 127.0.0.1' },
    port: { type: 'string', value: 'P', help: `the port to listen on, 0 for any free one; ${defaultPort}` },
    'token-file': {
      type: 'string',
      value: 'FILE',
      help: 'the secret that nodes and clients must know; made if it does not exist',
    },
    ...tlsOptions,
    'insecure-no-tls': insecureOption,
    ...journalOptions,
    audit: { type: 'string', value: 'FILE', help: 'write down who submitted what, and what was refused' },
    ...observedOptions,
    check: { type: 'boolean', help: 'check the state after every event: slow, for finding defects' },
  },
  details:
    'Nodes and clients on other machines need a copy of the token file, or a token for their role ' +
    '(asperitas token).\n\n' +
    'Of several schedulers with one --journal redis://... and one --cluster-name the first leads, and ' +
    'another takes over when it ends; nodes and clients are given the addresses of all, with commas ' +
    'between them.\n\n' +
    'example:\n  asperitas scheduler --host 10.0.0.1 --port 7010 --insecure-no-tls',
  run,
};
