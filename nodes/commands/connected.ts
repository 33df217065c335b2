/**
 * Owns how the operator's commands reach a running scheduler: their common options, and a connection that is
 * closed when the command ends. Must not know: what any command asks.
 */
import { AsperitasError, type CommandContext, type CommandOption } from '../../runtime/index.ts';
import { type Cluster, connect } from '../../scheduler/index.ts';
import { defaultPort, readToken } from '../config.ts';
import { securedTransport } from '../tls-options.ts';
import { textOf } from './option-values.ts';

export const defaultScheduler = `ws://127.0.0.1:${defaultPort}`;

/** A scheduler that does not answer for so long is not there. */
const connectMs = 15_000;

export const connectionOptions: Readonly<Record<string, CommandOption>> = {
  scheduler: {
    type: 'string',
    value: 'URL',
    help: `where the scheduler is, or several with commas; ${defaultScheduler}`,
  },
  'token-file': { type: 'string', value: 'FILE', help: 'the secret of the scheduler' },
};

/** Runs `body` with a client of the scheduler that the options name. */
export async function withCluster<R>(
  { options, signal, stderr }: CommandContext,
  body: (cluster: Cluster) => Promise<R>,
): Promise<R> {
  const url = textOf(options, 'scheduler') ?? defaultScheduler;
  const token = await readToken(textOf(options, 'token-file'));
  const { transport } = await securedTransport(options, (line) => stderr.write(`asperitas: ${line}\n`));
  const cluster = await connect(url, { token, signal, timeoutMs: connectMs, transport });
  try {
    return await body(cluster);
  } finally {
    await cluster.close();
  }
}

/** The words after a command's name, of which there must be some.
 * @throws AsperitasError `usage` */
export function someArguments(args: readonly string[], command: string, wanted: string): readonly string[] {
  if (args.length > 0) return args;
  const message = `${wanted} is missing; see asperitas ${command} --help`;
  throw new AsperitasError('usage', message, { command });
}

/** The one word after a command's name.
 * @throws AsperitasError `usage` */
export function oneArgument(args: readonly string[], command: string, wanted: string): string {
  const [first, second] = someArguments(args, command, wanted);
  if (second === undefined) return first!;
  const message = `${command} takes one ${wanted}, not also ${second}; see asperitas ${command} --help`;
  throw new AsperitasError('usage', message, { command });
}
