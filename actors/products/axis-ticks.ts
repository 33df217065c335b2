/**
 * Owns round numbers for axes: of fluxes, times and angles, with their texts. Must not know: what is drawn.
 */
import { isoFromMjd } from '../io/calendar.ts';

/** A marked value. */
export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((digit) => digit * power >= least * (1 - 1e-9)) ?? 10);
}

/** Multiples of `step` from `low` to `high`. */
export function multiples(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, k) => (first + k) * step);
}

/** Decimals that a multiple of `step` needs. */
const decimalsOf = (step: number): number => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

/** About `count` round values. */
export function ticks(low: number, high: number, count: number): Tick[] {
  const step = roundStep((high - low) / count);
  return multiples(low, high, step).map((value) => {
    const text = value.toFixed(decimalsOf(step)).replace(/^-(0(\.0+)?)$/, '$1');
    return { value, text: text.replace('-', '\u2212') };
  });
}

/** The unit in which a flux density reads best. */
export function fluxUnit(largestJy: number): { readonly name: string; readonly jy: number } {
  if (largestJy >= 0.8 || !(largestJy > 0)) return { name: 'Jy', jy: 1 };
  return largestJy >= 0.8e-3 ? { name: 'mJy', jy: 1e-3 } : { name: '\u00b5Jy', jy: 1e-6 };
}

/** A flux density with its unit. */
export function fluxText(jy: number, digits = 3): string {
  if (!Number.isFinite(jy)) return '\u2013';
  const { name, jy: unit } = fluxUnit(Math.abs(jy));
  return `${Number((jy / unit).toPrecision(digits))} ${name}`.replace('-', '\u2212');
}

/** A frequency with its unit. */
export function freqText(hz: number): string {
  const [unit, name] = hz >= 1e9 ? [1e9, 'GHz'] : hz >= 1e6 ? [1e6, 'MHz'] : [1e3, 'kHz'];
  return `${Number((hz / unit).toPrecision(5))} ${name}`;
}

/** A length of time with its unit. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '\u2013';
  const digits = (value: number): string => String(Number(value.toPrecision(3)));
  if (seconds < 1) return `${digits(seconds * 1000)} ms`;
  if (seconds < 120) return `${digits(seconds)} s`;
  if (seconds < 7200) return `${digits(seconds / 60)} min`;
  return seconds < 172_800 ? `${digits(seconds / 3600)} h` : `${digits(seconds / 86_400)} d`;
}

/** A number of bytes with its unit. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

const clockSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
];

/** Times of day for spans of up to two days, else days, with a name for the axis. */
export function timeTicks(
  startMjd: number,
  endMjd: number,
): { readonly name: string; readonly list: Tick[] } {
  const seconds = (endMjd - startMjd) * 86_400;
  const step = clockSteps.find((one) => one >= seconds / 6);
  if (seconds < 6 || step === undefined || seconds > 2 * 86_400) {
    return { name: 'MJD (UTC)', list: ticks(startMjd, endMjd, 5) };
  }
  const day = Math.floor(startMjd);
  const list = multiples((startMjd - day) * 86_400, (endMjd - day) * 86_400, step).map((second) => {
    const value = day + second / 86_400;
    // The middle of a millisecond more, so that rounding can't show the second before.
    return { value, text: isoFromMjd(value + 5e-9, 0).slice(11, step < 60 ? 19 : 16) };
  });
  return { name: `UTC, ${isoFromMjd(startMjd, 0).slice(0, 10)}`, list };
}
