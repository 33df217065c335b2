/**
 * Owns the reading of options that the imaging commands share: numbers, sizes, scales, weights, Stokes
 * parameters, and their lines in `--help`. Must not know: what a command does with them.
 */
import { AsperitasError, type CommandContext, type CommandOption } from '../../runtime/index.ts';
import { parseAngle } from '../angles.ts';
import type { Weighting } from '../imaging/kernels/weighting.ts';
import type { ImagingRequest } from '../pipelines/imaging-request.ts';
import { limits } from '../pipelines/limits.ts';
import type { Stokes } from '../visibility.ts';

/** The options of one call; the command's name is for its errors. */
export interface Asked {
  readonly command: string;
  readonly options: CommandContext['options'];
}

/** The options that mean the same in every imaging command. */
export const imagingOptions = {
  size: { type: 'string', words: [1, 2], value: 'N [M]', help: 'pixels of the image: width and height' },
  scale: { type: 'string', value: 'S', help: 'the width of a pixel, such as 3asec or 0.15deg' },
  weight: {
    type: 'string',
    words: [1, 2],
    value: 'W',
    help: 'natural (the default, the most sensitive), uniform or briggs [R]',
  },
  'data-column': { type: 'string', value: 'NAME', help: 'auto (CORRECTED_DATA if present), DATA, ...' },
  pol: { type: 'string', value: 'P', help: 'I, Q, U or V; I' },
  epsilon: { type: 'string', value: 'E', help: 'relative accuracy of the images; 1e-4' },
} as const satisfies Readonly<Record<string, CommandOption>>;

/** The value of an option of one word. */
export function text({ options }: Asked, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option of several words; none if it was not given. */
function words({ options }: Asked, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

function missing({ command }: Asked, name: string): AsperitasError {
  return new AsperitasError('usage', `--${name} is missing; see asperitas ${command} --help`, {
    option: name,
  });
}

/** The value of an option that can't be left out; throws `usage`. */
export function required(asked: Asked, name: string): string {
  const value = text(asked, name);
  if (value !== undefined) return value;
  throw missing(asked, name);
}

/** A value of an option as a number; throws `bad-option`. */
export function number(
  option: string,
  value: string,
  least: number,
  most = Number.POSITIVE_INFINITY,
): number {
  const parsed = Number(value);
  if (value.trim() !== '' && Number.isFinite(parsed) && parsed >= least && parsed <= most) return parsed;
  const range = most === Number.POSITIVE_INFINITY ? `${least} up` : `${least} to ${most}`;
  throw new AsperitasError('bad-option', `--${option} ${value}: a number from ${range} is wanted`, {
    option,
    value,
  });
}

/** A value of an option as a whole number; throws `bad-option`. */
export function whole(option: string, value: string, least: number): number {
  const parsed = number(option, value, least);
  if (Number.isSafeInteger(parsed)) return parsed;
  throw new AsperitasError('bad-option', `--${option} ${value}: a whole number is wanted`, { option, value });
}

/** `[start, end)` of an option such as `--interval 0 10`. */
export function range(asked: Asked, name: string): readonly [start: number, end: number] | undefined {
  const [start, end] = words(asked, name);
  if (start === undefined) return undefined;
  if (end === undefined) {
    const message = `--${name} ${start}: two numbers are wanted, the first and the one after the last`;
    throw new AsperitasError('bad-option', message, { option: name });
  }
  return [whole(name, start, 0), whole(name, end, 0)];
}

/** `--weight`; natural unless given. */
function weightingOf(asked: Asked): Weighting {
  const [kind = 'natural', robust] = words(asked, 'weight');
  if (kind === 'natural' || kind === 'uniform') return { kind };
  if (kind === 'briggs') return { kind, robust: robust === undefined ? 0 : number('weight', robust, -10) };
  throw new AsperitasError('bad-option', `--weight ${kind}: natural, uniform or briggs [R] is wanted`, {
    option: 'weight',
    value: kind,
  });
}

/** `--pol`; Stokes I unless given. */
function stokesOf(asked: Asked): Stokes {
  const value = text(asked, 'pol') ?? 'I';
  if (value === 'I' || value === 'Q' || value === 'U' || value === 'V') return value;
  throw new AsperitasError('bad-option', `--pol ${value}: I, Q, U or V is wanted`, { option: 'pol', value });
}

/** `--epsilon`, the relative accuracy of gridding. */
function epsilonOf(asked: Asked): number {
  return number('epsilon', text(asked, 'epsilon') ?? '1e-4', 1e-7, 0.1);
}

/** `--field`: digits are an id. */
export function fieldOf(value: string): number | string {
  return /^\d+$/.test(value) ? Number(value) : value;
}

/** Pixels a side of the smallest image. */
const leastSize = 16;

/** `--size`: pixels a side of the image. Throws `usage`, `bad-option`, `image-too-large`. */
function sizeOf(asked: Asked): { npixX: number; npixY: number } {
  const [x, y] = words(asked, 'size');
  if (x === undefined) throw missing(asked, 'size');
  const npixX = whole('size', x, leastSize);
  const npixY = y === undefined ? npixX : whole('size', y, leastSize);
  if (npixX % 2 !== 0 || npixY % 2 !== 0) {
    throw new AsperitasError('bad-option', '--size: even numbers of pixels are wanted', { option: 'size' });
  }
  if (npixX * npixY <= limits.imagePixels) return { npixX, npixY };
  const most = Math.sqrt(limits.imagePixels);
  throw new AsperitasError(
    'image-too-large',
    `--size ${npixX} ${npixY}: at most as many pixels as in ${most} x ${most} are possible; ask for fewer`,
    { npixX, npixY },
  );
}

/** `--scale`: radians a pixel. The whole sky is two radians wide as an image sees it. */
function scaleOf(asked: Asked): number {
  const value = required(asked, 'scale');
  const pixsize = parseAngle('scale', value);
  if (pixsize > 0 && pixsize <= 2 / leastSize) return pixsize;
  const wanted = pixsize > 0 ? 'it leaves fewer pixels than an image needs' : 'an angle above zero is wanted';
  throw new AsperitasError('bad-option', `--scale ${value}: ${wanted}`, { option: 'scale', value });
}

/** What every imaging command asks for. Throws `usage`, `bad-option`, `image-too-large`. */
export function imagingOf(asked: Asked): ImagingRequest {
  return {
    pixsize: scaleOf(asked),
    ...sizeOf(asked),
    weighting: weightingOf(asked),
    epsilon: epsilonOf(asked),
    stokes: stokesOf(asked),
    dataColumn: text(asked, 'data-column') ?? 'auto',
  };
}
