/**
 * Owns the command `asperitas cancel`: ends tasks, whoever wants them. Must not know: what follows from that.
 */
import type { Command, CommandContext } from '../../runtime/index.ts';
import { connectionOptions, someArguments, withCluster } from './connected.ts';

async function run(context: CommandContext): Promise<number> {
  const { args, stdout, signal } = context;
  const tasks = someArguments(args, 'cancel', 'TASK');
  return withCluster(context, async (cluster) => {
    for (const task of tasks) {
      const { key, cancelled } = await cluster.inspect.cancel(task, { signal });
      stdout.write(cancelled ? `${key} is cancelled\n` : `${key} had ended: nothing was changed\n`);
    }
    return 0;
  });
}

/** `asperitas cancel` */
export const command: Command = {
  name: 'cancel',
  summary: 'end tasks that have not ended, and what waits for them',
  usage: 'cancel TASK... [--scheduler URL]',
  options: connectionOptions,
  details:
    'TASK is a key, or how a key begins where no other begins so. Who wants a cancelled task, or one that ' +
    'waits for it, gets the error `cancelled`.',
  run,
};
