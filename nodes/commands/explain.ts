/**
 * Owns the command `asperitas explain`: why a task waits, or where it is. Must not know: how that is found
 * out.
 */
import type { Command, CommandContext } from '../../runtime/index.ts';
import { connectionOptions, oneArgument, withCluster } from './connected.ts';

async function run(context: CommandContext): Promise<number> {
  const task = oneArgument(context.args, 'explain', 'TASK');
  const { explanation } = await withCluster(context, (cluster) => {
    return cluster.inspect.task(task, { signal: context.signal });
  });
  const [first, ...rest] = explanation;
  context.stdout.write(`${[first, ...rest.map((line) => `  ${line}`)].join('\n')}\n`);
  return 0;
}

/** `asperitas explain` */
export const command: Command = {
  name: 'explain',
  summary: 'why a task waits, or why it is where it is',
  usage: 'explain TASK [--scheduler URL]',
  options: connectionOptions,
  details: 'TASK is a key, or how a key begins where no other begins so.',
  run,
};
