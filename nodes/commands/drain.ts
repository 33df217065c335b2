/**
 * Owns the command `asperitas drain`: retires nodes one after the other and waits until they have gone. Must
 * not know: what a node does before it leaves.
 */
import type { Command, CommandContext } from '../../runtime/index.ts';
import { connectionOptions, someArguments, withCluster } from './connected.ts';
import { wholeOf } from './option-values.ts';

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, signal } = context;
  const nodes = someArguments(args, 'drain', 'NODE');
  const seconds = wholeOf(options, 'timeout', 1);
  const limit = seconds === undefined ? {} : { timeoutMs: 1000 * seconds };
  const force = options.force === true;
  return withCluster(context, async (cluster) => {
    for (const node of nodes) {
      const onWait = (hinders: readonly string[]): void => {
        for (const line of hinders) stdout.write(`${node} stays for now: ${line}\n`);
      };
      await cluster.inspect.drain(node, { signal, ...limit, onWait, force });
      stdout.write(`${node} has left\n`);
    }
    return 0;
  });
}

/** `asperitas drain` */
export const command: Command = {
  name: 'drain',
  summary: 'let nodes finish what they run, and wait until they have left',
  usage: 'drain NODE... [--force] [--scheduler URL] [--timeout SECONDS]',
  options: {
    ...connectionOptions,
    force: { type: 'boolean', help: 'though actors be lost that can neither move nor be restarted' },
    timeout: {
      type: 'string',
      value: 'SECONDS',
      help: 'give up waiting after so long; the node leaves later',
    },
  },
  run,
};
