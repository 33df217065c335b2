/**
 * Owns the command `asperitas status`: one look at a running cluster. Must not know: how its tables are made.
 */
import type { Command, CommandContext } from '../../runtime/index.ts';
import { statusLines } from '../overview-text.ts';
import { connectionOptions, withCluster } from './connected.ts';
import { takesNoArguments } from './option-values.ts';

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, signal } = context;
  takesNoArguments(args, 'status');
  const overview = await withCluster(context, (cluster) => cluster.inspect.overview({ signal }));
  const text =
    options.json === true ? JSON.stringify(overview, undefined, 2) : statusLines(overview).join('\n');
  stdout.write(`${text}\n`);
  return 0;
}

/** `asperitas status` */
export const command: Command = {
  name: 'status',
  summary: 'one look at a cluster: its nodes, tasks, functions and transfers',
  usage: 'status [--scheduler URL] [--json]',
  options: { ...connectionOptions, json: { type: 'boolean', help: 'for programs: everything, as JSON' } },
  run,
};
