/**
 * Owns the conversions between Modified Julian Dates in UTC and ISO 8601 strings. Days have 86400 seconds: a
 * leap second folds onto the first second of the next day, as in MJD itself. Must not know: what is dated.
 */

const mjdOfUnixEpoch = 40587;
const msPerDay = 86_400_000;

/** Seconds of MJD, the unit of a Measurement Set's TIME, in a day. */
export const secondsPerDay = 86_400;

/**
 * `2021-01-01T07:12:05.000`, without a zone letter (FITS and VOEvent want none); `decimals` of a second, 0 to
 * 6.
 */
export function isoFromMjd(mjd: number, decimals = 3): string {
  const unit = 10 ** decimals;
  // Day and time of day apart: together they would lose the microseconds to rounding.
  const day = Math.floor(mjd);
  const ticks = Math.round((mjd - day) * secondsPerDay * unit);
  const carried = ticks >= secondsPerDay * unit;
  const date = new Date((day + (carried ? 1 : 0) - mjdOfUnixEpoch) * msPerDay).toISOString().slice(0, 10);
  const left = carried ? 0 : ticks;
  const seconds = Math.floor(left / unit);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  const fraction = decimals === 0 ? '' : `.${String(left % unit).padStart(decimals, '0')}`;
  return `${date}T${clock}${fraction}`;
}

/** The inverse of `isoFromMjd`; NaN for text that is not such a date. A missing time means midnight. */
export function mjdFromIso(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}):(\d{2}):(\d{2}(?:\.\d*)?))?Z?$/.exec(text.trim());
  if (match === null) return Number.NaN;
  const day = Date.parse(`${match[1]}T00:00:00Z`) / msPerDay + mjdOfUnixEpoch;
  const [hours, minutes, seconds] = [match[2], match[3], match[4]].map((part) => Number(part ?? 0));
  return day + (hours! * 3600 + minutes! * 60 + seconds!) / secondsPerDay;
}

/** The MJD of a time in Unix milliseconds, as `Date.now()` gives it. */
export function mjdFromUnixMs(unixMs: number): number {
  return unixMs / msPerDay + mjdOfUnixEpoch;
}
