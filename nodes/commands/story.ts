/**
 * Owns the command `asperitas story`: what has happened to a task so far. Must not know: how that was kept.
 */
import type { Command, CommandContext } from '../../runtime/index.ts';
import { connectionOptions, oneArgument, withCluster } from './connected.ts';

async function run(context: CommandContext): Promise<number> {
  const task = oneArgument(context.args, 'story', 'TASK');
  const { key, story } = await withCluster(context, (cluster) => {
    return cluster.inspect.task(task, { signal: context.signal });
  });
  const lines = story.length === 0 ? ['  all that happened to it has been forgotten'] : story;
  context.stdout.write(`${[key, ...lines].join('\n')}\n`);
  return 0;
}

/** `asperitas story` */
export const command: Command = {
  name: 'story',
  summary: "a task's life so far: each change of its phase, and why",
  usage: 'story TASK [--scheduler URL]',
  options: connectionOptions,
  details: 'TASK is a key, or how a key begins where no other begins so.',
  run,
};
