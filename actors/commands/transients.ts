/**
 * Owns the command `asperitas transients`: reads the command line, opens a cluster, runs the main job, says
 * what was found. Must not know: how transients are found.
 */
import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import type { ClusterOpener, OpenedCluster } from '../../scheduler/index.ts';
import { parseAngle } from '../angles.ts';
import type { Weighting } from '../imaging/kernels/weighting.ts';
import { type MaybeTerminal, ProgressLine } from '../pipelines/progress-line.ts';
import { runTransients, type TransientRun, type WantedSet } from '../pipelines/transients.ts';
import { catalogueText } from '../pipelines/transients-rows.ts';
import type { Stokes } from '../visibility.ts';
import { commandWords, roleOf } from './run-about.ts';

type Options = CommandContext['options'];
type Request = TransientRun['request'];

function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

function words(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

function required(options: Options, name: string): string {
  const value = text(options, name);
  if (value !== undefined) return value;
  throw new AsperitasError('usage', `--${name} is missing; see asperitas transients --help`, {
    option: name,
  });
}

function number(option: string, value: string, least: number): number {
  const parsed = Number(value);
  if (value.trim() !== '' && Number.isFinite(parsed) && parsed >= least) return parsed;
  throw new AsperitasError('bad-option', `--${option} ${value}: a number from ${least} up is wanted`, {
    option,
    value,
  });
}

function whole(option: string, value: string, least: number): number {
  const parsed = number(option, value, least);
  if (Number.isSafeInteger(parsed)) return parsed;
  throw new AsperitasError('bad-option', `--${option} ${value}: a whole number is wanted`, { option, value });
}

function weightingOf(options: Options): Weighting {
  const [kind = 'natural', robust] = words(options, 'weight');
  if (kind === 'natural' || kind === 'uniform') return { kind };
  if (kind === 'briggs') return { kind, robust: robust === undefined ? 0 : number('weight', robust, -10) };
  throw new AsperitasError('bad-option', `--weight ${kind}: natural, uniform or briggs [R] is wanted`, {
    option: 'weight',
    value: kind,
  });
}

function stokesOf(value: string): Stokes {
  if (value === 'I' || value === 'Q' || value === 'U' || value === 'V') return value;
  throw new AsperitasError('bad-option', `--pol ${value}: I, Q, U or V is wanted`, { option: 'pol', value });
}

/** Pixels a side of the image. */
function sizeOf(options: Options): { npixX: number; npixY: number } {
  const [x, y] = words(options, 'size');
  if (x === undefined) required(options, 'size');
  const npixX = whole('size', x!, 16);
  const npixY = y === undefined ? npixX : whole('size', y, 16);
  if (npixX % 2 === 0 && npixY % 2 === 0) return { npixX, npixY };
  throw new AsperitasError('bad-option', '--size: even numbers of pixels are wanted', { option: 'size' });
}

function requestOf(options: Options, sets: readonly WantedSet[]): Request {
  const field = required(options, 'field');
  const intervals = text(options, 'intervals-out');
  const pixsize = parseAngle('scale', required(options, 'scale'));
  if (!(pixsize > 0)) {
    throw new AsperitasError('bad-option', '--scale: an angle above zero is wanted', { option: 'scale' });
  }
  return {
    sets,
    field: /^\d+$/.test(field) ? Number(field) : field,
    ...sizeOf(options),
    pixsize,
    weighting: weightingOf(options),
    epsilon: number('epsilon', text(options, 'epsilon') ?? '1e-4', 1e-7),
    stokes: stokesOf(text(options, 'pol') ?? 'I'),
    dataColumn: text(options, 'data-column') ?? 'auto',
    intervalsOut: intervals === undefined ? undefined : whole('intervals-out', intervals, 1),
    bands: whole('bands', text(options, 'bands') ?? '1', 1),
    threshold: number('threshold', text(options, 'threshold') ?? '6', 3),
  };
}

/** `site:path`, or a path alone. */
function wantedSet(argument: string): WantedSet {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*):(.+)$/.exec(argument);
  return match === null ? { site: undefined, path: argument } : { site: match[1], path: match[2]! };
}

/** The deepest folder that holds all paths. */
function commonFolder(paths: readonly string[]): string {
  const [first, ...rest] = paths.map((path) => dirname(path).split('/'));
  let length = first!.length;
  for (const parts of rest) {
    while (first!.slice(0, length).some((part, k) => part !== parts[k])) length--;
  }
  return first!.slice(0, length).join('/') || '/';
}

async function existing(path: string): Promise<string> {
  return realpath(path).catch((cause: unknown) => {
    const message = `${path}: no such file or directory; check the path`;
    throw new AsperitasError('no-such-file', message, { path }, { cause });
  });
}

/** Where the job runs: at a scheduler, or on this machine over the folder of the sets. */
async function open(context: CommandContext): Promise<{ opened: OpenedCluster; sets: WantedSet[] }> {
  const { args, options, services, signal } = context;
  const opener = services.openCluster as ClusterOpener;
  const scheduler = text(options, 'scheduler');
  const tokenFile = text(options, 'token-file');
  if (scheduler !== undefined) {
    if (options.local === true) {
      throw new AsperitasError('usage', 'give --local or --scheduler, not both', { command: 'transients' });
    }
    const opened = await opener({ scheduler, signal, ...(tokenFile === undefined ? {} : { tokenFile }) });
    return { opened, sets: args.map(wantedSet) };
  }
  const paths = await Promise.all(args.map(existing));
  const nodes = whole('nodes', text(options, 'nodes') ?? '1', 1);
  const threads = text(options, 'threads');
  const site = {
    data: commonFolder(paths),
    nodes,
    threads:
      threads === undefined
        ? Math.max(1, Math.floor(availableParallelism() / nodes))
        : whole('threads', threads, 1),
  };
  const opened = await opener({ sites: { local: site }, signal });
  return { opened, sets: paths.map((path) => ({ site: 'local', path })) };
}

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, stderr, signal } = context;
  if (args.length === 0) {
    throw new AsperitasError('usage', 'name a Measurement Set; see asperitas transients --help', {
      command: 'transients',
    });
  }
  const out = resolve(required(options, 'out'));
  // What is wrong with the options is said before anything is started.
  const { sets: _unused, ...request } = requestOf(options, []);
  const about = { role: roleOf(options), command: commandWords('transients', context) };
  const { opened, sets } = await open(context);
  const line = new ProgressLine(stderr as MaybeTerminal);
  const stop = opened.cluster.onProgress((progress) => line.progress(progress));
  try {
    const outcome = await runTransients(
      { cluster: opened.cluster, request: { ...request, sets }, out, signal, ...about },
      {
        onPlan: (plan) => {
          line.clear();
          stderr.write(plan);
        },
        onStage: (stage) => line.stage(stage),
      },
    );
    line.clear();
    stdout.write(catalogueText(outcome.rows.map(({ source }) => source)));
    if (!outcome.result.complete) {
      stderr.write('the search stopped at its limit of rounds: brightenings may be left in the residuals\n');
    }
    stdout.write(`written to ${out}\n`);
    return 0;
  } finally {
    line.clear();
    stop();
    await opened.close();
  }
}

/** `asperitas transients OBS.ms` */
export const command: Command = {
  name: 'transients',
  summary: 'from Measurement Sets to a catalogue of transients with light curves, images and alerts',
  usage: 'transients OBS.ms [MORE.ms ...] --field F --size N [M] --scale S --out DIR [options]',
  options: {
    field: { type: 'string', value: 'F', help: 'the field, by id or name' },
    size: { type: 'string', words: [1, 2], value: 'N [M]', help: 'pixels of the image: width and height' },
    scale: { type: 'string', value: 'S', help: 'the width of a pixel, such as 3asec or 0.15deg' },
    out: { type: 'string', value: 'DIR', help: 'the folder for the results; made if it does not exist' },
    weight: {
      type: 'string',
      words: [1, 2],
      value: 'W',
      help: 'natural (the default, the most sensitive), uniform or briggs [R]',
    },
    'intervals-out': { type: 'string', value: 'K', help: 'frames a set; one a time slot unless told' },
    bands: { type: 'string', value: 'B', help: 'parts that each spectral window is split into; 1' },
    threshold: { type: 'string', value: 'T', help: 'signal-to-noise ratio of a brightening; 6' },
    'data-column': { type: 'string', value: 'NAME', help: 'auto (CORRECTED_DATA if present), DATA, ...' },
    pol: { type: 'string', value: 'P', help: 'I, Q, U or V; I' },
    epsilon: { type: 'string', value: 'E', help: 'relative accuracy of the images; 1e-4' },
    role: { type: 'string', value: 'ROLE', help: 'of the alerts: test (the default) or observation' },
    local: { type: 'boolean', help: 'run on this machine (the default without --scheduler)' },
    scheduler: { type: 'string', value: 'URL', help: 'run at this scheduler; sets are paths at its sites' },
    'token-file': { type: 'string', value: 'FILE', help: 'the secret of the scheduler' },
    nodes: { type: 'string', value: 'N', help: 'node processes of a local run; 1' },
    threads: { type: 'string', value: 'N', help: 'threads of each of them; all of the machine' },
  },
  details:
    'A set may be given as SITE:PATH; without a site each one is asked. Ctrl-C stops; the same command ' +
    'goes on from the finished frames.\n\n' +
    'example:\n  asperitas transients obs.ms --field 0 --size 512 --scale 3asec --out result',
  run,
};
