/**
 * Owns the cards of FITS headers, both ways: 80 characters each, fixed format, no CONTINUE. Source: FITS
 * Standard 4.0, section 4. Must not know: which keywords an image needs, or files.
 */
import { AsperitasError, assert } from '../../../runtime/index.ts';

/** Every part of a FITS file fills whole blocks of this size. */
export const blockBytes = 2880;
const cardLength = 80;

/** FITS headers and tables hold printable ASCII alone; anything else becomes `?`. */
export function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function card(keyword: string, value: string, comment: string): string {
  assert(/^[A-Z0-9_-]{1,8}$/.test(keyword), `${keyword} is not a FITS keyword`);
  const start = `${keyword.padEnd(8)}= ${value}`;
  assert(start.length <= cardLength, `the value of ${keyword} is too long`);
  const full = comment === '' ? start : `${start} / ${ascii(comment)}`;
  return full.slice(0, cardLength).padEnd(cardLength);
}

export function logicalCard(keyword: string, value: boolean, comment = ''): string {
  return card(keyword, (value ? 'T' : 'F').padStart(20), comment);
}

export function integerCard(keyword: string, value: number, comment = ''): string {
  assert(Number.isSafeInteger(value), `${keyword} = ${value} is not an integer`);
  return card(keyword, String(value).padStart(20), comment);
}

/** A real number with all its digits, always with a point or an exponent. */
export function realCard(keyword: string, value: number, comment = ''): string {
  assert(Number.isFinite(value), `${keyword} = ${value} can't stand in a FITS header`);
  const digits = String(value).toUpperCase();
  const text = /[.E]/.test(digits) ? digits : `${digits}.0`;
  return card(keyword, text.padStart(20), comment);
}

/** A string; what does not fit into its card is cut off, other characters than ASCII become `?`. */
export function textCard(keyword: string, value: string, comment = ''): string {
  let kept = ascii(value);
  const quoted = (): string => `'${kept.replaceAll("'", "''").padEnd(8)}'`;
  while (quoted().length > cardLength - 10) kept = kept.slice(0, -1);
  return card(keyword, quoted().padEnd(20), comment);
}

/** As many COMMENT or HISTORY cards as the text needs. */
export function remarkCards(keyword: 'COMMENT' | 'HISTORY', text: string): string[] {
  const pieces = text.split('\n').flatMap((line) => ascii(line).match(/.{1,72}/g) ?? []);
  return pieces.map((piece) => `${keyword.padEnd(8)}${piece}`.padEnd(cardLength));
}

/** A header as bytes: the cards, END, and blanks to the end of the block. */
export function encodeHeader(cards: readonly string[]): Uint8Array {
  const text = [...cards, 'END'.padEnd(cardLength)].join('');
  return Buffer.from(text.padEnd(Math.ceil(text.length / blockBytes) * blockBytes), 'latin1');
}

/** `bytes` rounded up to whole blocks. */
export function paddedLength(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

export type FitsValue = string | number | boolean;

/** The values of a header by keyword; the first of repeated keywords counts. */
export type FitsHeader = ReadonlyMap<string, FitsValue>;

/** Text between quotes, where two quotes stand for one; trailing blanks mean nothing. */
function parseText(rest: string): string | undefined {
  const match = /^'((?:[^']|'')*)'/.exec(rest);
  return match?.[1]?.replaceAll("''", "'").trimEnd();
}

function parseValue(field: string): FitsValue | undefined {
  const rest = field.trimStart();
  if (rest.startsWith("'")) return parseText(rest);
  const word = rest.split('/')[0]!.trim();
  if (word === 'T' || word === 'F') return word === 'T';
  const number = word.replace(/[dD]/, 'E');
  return /^[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?$/.test(number) ? Number(number) : undefined;
}

/** Reads cards up to END. Cards that say nothing (remarks, values of other kinds) are passed over.
 * @returns undefined while `text` holds no END. */
export function parseHeader(text: string): FitsHeader | undefined {
  const header = new Map<string, FitsValue>();
  for (let at = 0; at + cardLength <= text.length; at += cardLength) {
    const line = text.slice(at, at + cardLength);
    const keyword = line.slice(0, 8).trimEnd();
    if (keyword === 'END') return header;
    if (line.slice(8, 10) !== '= ' || header.has(keyword)) continue;
    const value = parseValue(line.slice(10));
    if (value !== undefined) header.set(keyword, value);
  }
  return undefined;
}

export function textOf(header: FitsHeader, keyword: string): string | undefined {
  const value = header.get(keyword);
  return typeof value === 'string' ? value : undefined;
}

/** A number; some writers put numbers between quotes. */
export function numberOf(header: FitsHeader, keyword: string): number | undefined {
  const value = header.get(keyword);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A count that the structure of the file depends on.
 * @throws AsperitasError `damaged-fits` if it is missing or no count. */
export function countOf(header: FitsHeader, keyword: string, path: string): number {
  const value = header.get(keyword);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}, not a count`;
  const message = `${path}: the header keyword ${keyword} ${found}; fetch or make the file again`;
  throw new AsperitasError('damaged-fits', message, { path, keyword });
}
