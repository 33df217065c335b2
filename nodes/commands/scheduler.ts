/**
 * Owns the command `asperitas scheduler`: the daemon that places tasks. Must not know: how tasks are placed.
 */
import type { Command, CommandContext } from '../../runtime/index.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { defaultPort, readOrMakeToken, tokenPlace } from '../config.ts';
import { leaveOwner, tellOwner } from '../owned-process.ts';
import { portOf, takesNoArguments, textOf } from './option-values.ts';

async function run({ args, options, stdout, signal }: CommandContext): Promise<number> {
  takesNoArguments(args, 'scheduler');
  const port = portOf(options) ?? defaultPort;
  const tokenFile = textOf(options, 'token-file');
  const host = textOf(options, 'host');
  const scheduler = await startScheduler({
    port,
    token: await readOrMakeToken(tokenFile),
    check: options.check === true,
    ...(host === undefined ? {} : { host }),
  });
  const stop = (): void => void scheduler.close();
  signal.addEventListener('abort', stop, { once: true });
  tellOwner(scheduler.url, stop);
  stdout.write(`scheduler at ${scheduler.url}, token in ${tokenPlace(tokenFile)}\n`);
  await scheduler.closed.finally(leaveOwner);
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
    check: { type: 'boolean', help: 'check the state after every event: slow, for finding defects' },
  },
  details:
    'Nodes and clients on other machines need a copy of the token file. Connections are authenticated but ' +
    'not encrypted: between sites, use a VPN or an SSH tunnel.\n\n' +
    'example:\n  asperitas scheduler --host 10.0.0.1 --port 7010',
  run,
};
