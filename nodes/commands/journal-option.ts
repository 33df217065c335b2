/**
 * Owns the options by which a scheduler is told where to keep its journal, and what stands for them when they
 * are not given. Must not know: how journals are kept.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AsperitasError, type CommandContext } from '../../runtime/index.ts';
import { type Journal, openJournal } from '../../scheduler/index.ts';
import { stateFolder } from '../config.ts';
import { textOf } from './option-values.ts';

/** The password of a Redis server: arguments can be read by every user of the machine. */
const passwordVariable = 'ASPERITAS_REDIS_PASSWORD';

export const journalOptions = {
  journal: {
    type: 'string',
    value: 'URL',
    help:
      'where what is unfinished is kept beyond an end of the scheduler: lmdb:DIR, redis://HOST:PORT for ' +
      'several schedulers that take over from one another, or memory: for nowhere; a folder of its own',
  },
  'cluster-name': {
    type: 'string',
    value: 'NAME',
    help: 'tells journals on one Redis server, and folders, from one another',
  },
} as const;

/** @throws AsperitasError `bad-option` */
function clusterNameOf(options: CommandContext['options']): string | undefined {
  const name = textOf(options, 'cluster-name');
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return name;
  const message = `--cluster-name ${name}: letters, digits, dots, dashes and underscores are wanted`;
  throw new AsperitasError('bad-option', message, { option: 'cluster-name', value: name });
}

/** A scheduler on a port of its own choice can't be found again, so it has nothing to remember. */
function defaultUrl(port: number, name: string | undefined): string {
  if (name === undefined && port === 0) return 'memory:';
  return `lmdb:${join(stateFolder(), 'journal', name ?? `port-${port}`)}`;
}

/** Opens the journal that the options name; waits, saying so, while another scheduler of the cluster leads.
 * @throws AsperitasError `bad-option`, and as `openJournal` does */
export async function openJournalOf(
  { options, signal, stdout, stderr }: Pick<CommandContext, 'options' | 'signal' | 'stdout' | 'stderr'>,
  { host = hostname(), port }: { readonly host?: string | undefined; readonly port: number },
): Promise<{ readonly journal: Journal; readonly place: string }> {
  const name = clusterNameOf(options);
  const url = textOf(options, 'journal') ?? defaultUrl(port, name);
  const password = process.env[passwordVariable];
  const journal = await openJournal(url, {
    signal,
    log: (line) => (line.startsWith('standing by') ? stdout : stderr).write(`${line}\n`),
    ...(name === undefined ? {} : { name }),
    ...(port === 0 ? {} : { address: `${host}:${port}` }),
    ...(password === undefined ? {} : { password }),
  });
  return { journal, place: url.replace(/\/\/[^@/]*@/, '//').replace(/^memory:$/, 'memory only') };
}
