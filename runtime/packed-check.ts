/**
 * Owns the look at packed bytes before anything is made of them: nothing but what our own encoder writes,
 * no deeper, no more of it, no longer than it is. It costs a tenth of the decoding that it protects. Must not
 * know: what the bytes mean.
 */
import { damaged } from './columns.ts';

/** What a packed value may be. */
export interface PackedBounds {
  /** Levels of lists, maps and stand-ins. */
  readonly depth: number;
  /** Values inside lists and maps, all together. */
  readonly items: number;
}

/** The one extension that the encoder writes; others would define records or make objects of their own. */
export const standIn = 0x53;

const mostDepth = 1024;
/** For each level that is open: how many values are still to come, and whether it is a map. */
const left = new Float64Array(mostDepth + 1);
const maps = new Uint8Array(mostDepth + 1);

const isText = (token: number): boolean =>
  (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb);

function wordAt(data: Uint8Array, at: number, bytes: number): number {
  let word = 0;
  for (let index = at; index < at + bytes; index++) word = word * 256 + (data[index] ?? 0);
  return word;
}

/** How many bytes of content follow a token that opens no level; below zero for a token that is not ours. */
function contentOf(data: Uint8Array, token: number, at: number): number {
  if (token < 0x80 || token >= 0xe0) return 0;
  if (token < 0xc0) return token & 0x1f;
  switch (token) {
    case 0xc0: // nil, false, true
    case 0xc2:
    case 0xc3:
      return 0;
    case 0xcc: // numbers of one, two, four and eight bytes
    case 0xd0:
      return 1;
    case 0xcd:
    case 0xd1:
      return 2;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 4;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8;
    case 0xc4: // bytes and text, with lengths of one, two and four bytes
    case 0xd9:
      return 1 + wordAt(data, at, 1);
    case 0xc5:
    case 0xda:
      return 2 + wordAt(data, at, 2);
    case 0xc6:
    case 0xdb:
      return 4 + wordAt(data, at, 4);
    default:
      return -1;
  }
}

/** Throws `invalid-message` unless the bytes are one whole value within the bounds. */
export function checkPacked(data: Uint8Array, bounds: PackedBounds): void {
  const end = data.byteLength;
  let at = 0;
  let level = 0;
  let items = 0;
  left[0] = 1;
  maps[0] = 0;
  while (level >= 0) {
    const still = left[level]!;
    if (still === 0) {
      level--;
      continue;
    }
    left[level] = still - 1;
    const token = data[at++];
    if (token === undefined) damaged('its header is cut off');
    // The values of a map come in pairs: the first of each is its name.
    if (maps[level] === 1 && still % 2 === 0 && !isText(token)) damaged('a name that is no text');
    const content = contentOf(data, token, at);
    if (content >= 0 && (token < 0x80 || token >= 0xa0)) {
      at += content;
      continue;
    }
    let inside: number;
    if (token < 0xa0) {
      inside = token & 0x0f;
    } else if (token >= 0xdc && token <= 0xdf) {
      const bytes = token % 2 === 0 ? 2 : 4;
      inside = wordAt(data, at, bytes);
      at += bytes;
    } else if (token === 0xd4 && data[at] === standIn) {
      // The type, a filler, and then the parts.
      inside = 1;
      at += 2;
    } else {
      damaged('its header holds what nobody writes');
    }
    const isMap = token < 0x90 || token === 0xde || token === 0xdf;
    if (isMap) inside *= 2;
    items += inside;
    if (inside > end - at || items > bounds.items) damaged('its header announces more than it may hold');
    if (inside === 0) continue;
    if (++level > bounds.depth || level > mostDepth)
      damaged(`it is nested deeper than ${bounds.depth} levels`);
    left[level] = inside;
    maps[level] = isMap ? 1 : 0;
  }
  if (at !== end) damaged('its header has a wrong length');
}
