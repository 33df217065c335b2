/**
 * Owns the command `asperitas image`: dirty images and point spread functions of a Measurement Set, with the
 * options and file names of WSClean. Must not know: how images are made.
 */
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import { runImages } from '../pipelines/images.ts';
import type { ImagesRequest } from '../pipelines/images-request.ts';
import { type MaybeTerminal, ProgressLine } from '../pipelines/progress-line.ts';
import {
  type Asked,
  fieldOf,
  imagingOf,
  imagingOptions,
  range,
  required,
  text,
  whole,
} from './imaging-options.ts';
import { commandWords } from './run-about.ts';

/** `--spws`: ids of spectral windows, separated by commas. */
function spwsOf(asked: Asked): readonly number[] | undefined {
  const list = text(asked, 'spws');
  if (list === undefined || list === 'all') return undefined;
  return list.split(',').map((id) => whole('spws', id, 0));
}

function requestOf(asked: Asked): ImagesRequest {
  const field = text(asked, 'field');
  return {
    field: field === undefined ? undefined : fieldOf(field),
    ...imagingOf(asked),
    interval: range(asked, 'interval'),
    intervalsOut: whole('intervals-out', text(asked, 'intervals-out') ?? '1', 1),
    channelRange: range(asked, 'channel-range'),
    channelsOut: whole('channels-out', text(asked, 'channels-out') ?? '1', 1),
    spws: spwsOf(asked),
    makePsf: asked.options['make-psf'] === true,
    mfWeighting: asked.options['mf-weighting'] === true,
  };
}

/** The command as it could be typed again. */
function historyOf(context: CommandContext): string {
  const quoted = (word: string) =>
    /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return commandWords('image', context).map(quoted).join(' ');
}

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, stderr, signal } = context;
  const [path, more] = args;
  if (path === undefined || more !== undefined) {
    throw new AsperitasError('usage', 'name one Measurement Set; see asperitas image --help', {
      command: 'image',
    });
  }
  const asked = { command: 'image', options };
  const request = requestOf(asked);
  const prefix = required(asked, 'name');
  const line = new ProgressLine(stderr as MaybeTerminal);
  try {
    const { files, empty } = await runImages(
      { path, request, prefix, history: historyOf(context), signal },
      { onStage: (stage) => line.stage(stage) },
    );
    line.clear();
    for (const name of empty) stderr.write(`${name}: every sample is flagged, so that all pixels are NaN\n`);
    stdout.write(files.map((name) => `${name}\n`).join(''));
    return 0;
  } finally {
    line.clear();
  }
}

/** `asperitas image OBS.ms` */
export const command: Command = {
  name: 'image',
  summary: 'dirty images of a Measurement Set, with the options and file names of WSClean',
  usage: 'image OBS.ms --field F --size N [M] --scale S --name PREFIX [options]',
  options: {
    field: {
      type: 'string',
      value: 'F',
      help: 'the field, by id or name; may be left out if it is the only one',
    },
    ...imagingOptions,
    name: { type: 'string', value: 'PREFIX', help: 'what the names of the images begin with' },
    'make-psf': { type: 'boolean', help: 'also make the point spread function, and fit the beam' },
    interval: { type: 'string', words: [2, 2], value: 'A B', help: 'time steps A to B - 1 of the field' },
    'intervals-out': { type: 'string', value: 'K', help: 'an image for each of K parts of the time; 1' },
    'channel-range': {
      type: 'string',
      words: [2, 2],
      value: 'A B',
      help: 'channels A to B - 1, by frequency',
    },
    'channels-out': { type: 'string', value: 'C', help: 'an image for each of C parts of the channels; 1' },
    spws: { type: 'string', value: 'LIST', help: 'ids of spectral windows, such as 0,2; all' },
    'mf-weighting': {
      type: 'boolean',
      help: 'weigh the channels of --channels-out as if they were one image',
    },
  },
  details:
    'Writes PREFIX-dirty.fits and PREFIX-psf.fits; with --intervals-out PREFIX-t0000-dirty.fits and so ' +
    'on, with --channels-out PREFIX-0000-dirty.fits and the mean PREFIX-MFS-dirty.fits, with both ' +
    'PREFIX-t0000-0000-dirty.fits. Time steps are counted within the field.\n\n' +
    'example:\n  asperitas image obs.ms --field 0 --size 512 --scale 3asec --weight briggs 0 --make-psf ' +
    '--name obs',
  run,
};
