/**
 * Owns the command `asperitas report`: writes where the time of a running cluster went, as a page or as a
 * trace. Must not know: what stands in them.
 */
import { writeFile } from 'node:fs/promises';
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import { chromeTrace } from '../../scheduler/index.ts';
import { performanceReport } from '../performance-report.ts';
import { connectionOptions, withCluster } from './connected.ts';
import { takesNoArguments, textOf } from './option-values.ts';

async function write(path: string, content: string): Promise<void> {
  await writeFile(path, content).catch((cause: NodeJS.ErrnoException) => {
    const message = `${path} can't be written (${cause.code ?? cause.message}); name another file`;
    throw new AsperitasError('cannot-write', message, { path }, { cause });
  });
}

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, signal } = context;
  takesNoArguments(args, 'report');
  const [out, trace] = [textOf(options, 'out'), textOf(options, 'trace')];
  if (out === undefined && trace === undefined) {
    const message = '--out or --trace is missing; see asperitas report --help';
    throw new AsperitasError('usage', message, { command: 'report' });
  }
  return withCluster(context, async (cluster) => {
    if (out !== undefined) await write(out, await performanceReport(cluster, { signal }));
    if (trace !== undefined) await write(trace, JSON.stringify(chromeTrace(await cluster.trace({ signal }))));
    for (const path of [out, trace]) if (path !== undefined) stdout.write(`wrote ${path}\n`);
    return 0;
  });
}

/** `asperitas report` */
export const command: Command = {
  name: 'report',
  summary: 'where the time of a cluster went: a page to look at, or a trace',
  usage: 'report --out FILE [--trace FILE] [--scheduler URL]',
  options: {
    out: { type: 'string', value: 'FILE', help: 'the page: HTML that needs nothing else' },
    trace: { type: 'string', value: 'FILE', help: 'the runs for ui.perfetto.dev' },
    ...connectionOptions,
  },
  run,
};
