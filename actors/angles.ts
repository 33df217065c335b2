/**
 * Owns how users write angles: `3asec`, `0.15deg`, as WSClean has them. Must not know: what the angles are
 * for.
 */
import { AsperitasError } from '../runtime/index.ts';

const degree = Math.PI / 180;
const units: Readonly<Record<string, number>> = {
  rad: 1,
  deg: degree,
  d: degree,
  '': degree,
  amin: degree / 60,
  arcmin: degree / 60,
  asec: degree / 3600,
  arcsec: degree / 3600,
  masec: degree / 3.6e6,
  mas: degree / 3.6e6,
};

/** Radians of a text such as `3asec`, `2.5amin`, `0.15deg`; degrees without a unit. Throws `bad-option`.
 * @param option the option's name, for the error */
export function parseAngle(option: string, text: string): number {
  const match = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-z]*)$/.exec(text.trim());
  const unit = match === null ? undefined : units[match[2]!];
  if (match === null || unit === undefined) {
    throw new AsperitasError(
      'bad-option',
      `--${option} ${text}: an angle such as 3asec, 2.5amin or 0.15deg is wanted`,
      { option, value: text },
    );
  }
  return Number(match[1]) * unit;
}
