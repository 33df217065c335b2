/**
 * Owns the command `asperitas node`: the daemon that runs tasks next to the data of a site. Must not
 * know: how it runs them.
 */
import { realpath, stat } from 'node:fs/promises';
import { availableParallelism, freemem, hostname, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  AsperitasError,
  type Command,
  type CommandContext,
  type ObservationServer,
} from '../../runtime/index.ts';
import { NodeAgent, type NodeOptions } from '../agent.ts';
import { forgetToken, parseBytes, readToken } from '../config.ts';
import { limits } from '../limits.ts';
import { ownModules } from '../module-digest.ts';
import { serveNodePages } from '../node-pages.ts';
import { leaveOwner, tellOwner } from '../owned-process.ts';
import { securedTransport, tlsOptions } from '../tls-options.ts';
import { httpPortOf, logOf, observedOptions } from './observed.ts';
import {
  insecureOption,
  portOf,
  required,
  takesNoArguments,
  textOf,
  textsOf,
  wholeOf,
} from './option-values.ts';

/** Of the memory that is free when the node starts, what it may fill unless told otherwise. */
const memoryShare = 0.6;

/** A device every machine has: a thread of its own in which state stays warm. */
const ownDevices = ['device'];

async function folderOf(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const folder = await realpath(path).catch((cause: unknown) => {
    const message = `--data ${path}: no such folder; check the path`;
    throw new AsperitasError('no-such-file', message, { path }, { cause });
  });
  if ((await stat(folder)).isDirectory()) return folder;
  const message = `--data ${path}: not a folder; name the one that holds the sets`;
  throw new AsperitasError('bad-option', message, { option: 'data', value: path });
}

function moduleUrl(text: string): string {
  return /^[a-z]+:/.test(text) ? text : pathToFileURL(resolve(text)).href;
}

/** @throws AsperitasError `bad-option` */
function threadsOf(options: CommandContext['options']): number {
  const threads = wholeOf(options, 'threads', 1) ?? availableParallelism();
  if (threads <= limits.threads) return threads;
  const message = `--threads ${threads}: at most ${limits.threads} are started`;
  throw new AsperitasError('bad-option', message, { option: 'threads', value: threads });
}

async function nodeOptions({ options, stderr }: CommandContext): Promise<NodeOptions> {
  const memory = textOf(options, 'memory');
  const site = required(options, 'site', 'node');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(site)) {
    const message = `--site ${site}: letters, digits, dots, dashes and underscores are wanted`;
    throw new AsperitasError('bad-option', message, { option: 'site', value: site });
  }
  const name = textOf(options, 'name') ?? `${site}-${hostname()}-${process.pid}`;
  const log = await logOf(options, { role: 'node', node: name, site });
  const secured = await securedTransport(options, (line) => stderr.write(`${name}: ${line}\n`));
  return {
    scheduler: required(options, 'scheduler', 'node'),
    token: await readToken(textOf(options, 'token-file')),
    name,
    site,
    threads: threadsOf(options),
    memoryBytes: memory === undefined ? Math.floor(memoryShare * freemem()) : parseBytes('memory', memory),
    data: await folderOf(textOf(options, 'data')),
    spillFolder: textOf(options, 'spill') ?? tmpdir(),
    modules: [...ownModules, ...textsOf(options, 'modules').map(moduleUrl)],
    devices: ownDevices,
    host: textOf(options, 'host'),
    port: portOf(options),
    insecure: options['insecure-no-tls'] === true,
    transport: secured.transport,
    tls: secured.paths,
    env: textsOf(options, 'env'),
    advertise: textOf(options, 'advertise'),
    log: (event) => {
      stderr.write(`${name}: ${event.text}\n`);
      log?.(event);
    },
  };
}

async function pagesOf(agent: NodeAgent, port: number): Promise<ObservationServer> {
  try {
    return await serveNodePages(port, () => agent.figures());
  } catch (error) {
    await agent.close();
    throw error;
  }
}

async function run(context: CommandContext): Promise<number> {
  takesNoArguments(context.args, 'node');
  const { stdout, signal } = context;
  const options = await nodeOptions(context);
  forgetToken();
  const httpPort = httpPortOf(context.options);
  const agent = await NodeAgent.start(options);
  const pages = httpPort === undefined ? undefined : await pagesOf(agent, httpPort);
  // The first signal lets runs end; the process is killed by a second one.
  signal.addEventListener('abort', () => agent.retire(), { once: true });
  tellOwner(agent.info.url, () => void agent.close());
  const { name, site, scheduler, threads } = options;
  stdout.write(`node ${name} at ${site}: ${threads} threads for ${scheduler}\n`);
  if (pages !== undefined) stdout.write(`health and metrics at ${pages.url}\n`);
  if (signal.aborted) agent.retire();
  await agent.ended.finally(leaveOwner).finally(() => pages?.close());
  return 0;
}

/** `asperitas node` */
export const command: Command = {
  name: 'node',
  summary: 'the daemon that runs tasks at a site, next to its data',
  usage: 'node --scheduler ws://HOST:PORT --site NAME [--data DIR] [options]',
  options: {
    scheduler: { type: 'string', value: 'URL', help: 'where the scheduler is, or several with commas' },
    site: { type: 'string', value: 'NAME', help: 'the place with fast links that this machine belongs to' },
    data: { type: 'string', value: 'DIR', help: 'the folder whose files tasks may read; none unless told' },
    threads: { type: 'string', value: 'N', help: 'tasks that run at once; all processors' },
    memory: {
      type: 'string',
      value: 'SIZE',
      help: 'what results may fill, such as 4GiB; 60 % of what is free',
    },
    spill: {
      type: 'string',
      value: 'DIR',
      help: 'where results go that memory cannot hold; by default the temporary folder',
    },
    name: { type: 'string', value: 'ID', help: 'unique in the cluster; made of site, host and process' },
    'token-file': { type: 'string', value: 'FILE', help: 'the secret of the scheduler' },
    modules: { type: 'string', multiple: true, value: 'M', help: 'a further module that declares tasks' },
    host: { type: 'string', value: 'H', help: 'where data connections are accepted; 127.0.0.1' },
    port: { type: 'string', value: 'P', help: 'the port for them; any free one' },
    ...tlsOptions,
    'insecure-no-tls': insecureOption,
    env: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'a variable of the environment that tasks may see beside the usual ones',
    },
    ...observedOptions,
    advertise: { type: 'string', value: 'H', help: 'the host under which others reach it, if not --host' },
  },
  details:
    'SIGTERM lets the node finish what runs, hand over what only it holds, and leave.\n\n' +
    'example:\n  asperitas node --scheduler ws://10.0.0.1:7010 --site nancay --memory 32GiB --data /data',
  run,
};
