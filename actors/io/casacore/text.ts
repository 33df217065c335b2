/**
 * Owns the way between a table's bytes and JavaScript strings. Tables hold UTF-8 by custom, not by rule:
 * bytes that are no UTF-8 become the lone surrogates U+DC80..U+DCFF (as Python's `surrogateescape`), so that
 * no text is lost and hashes agree. Must not know: where the bytes are from.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; a byte b that is none becomes U+DC00 + b. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length < 64 && bytes.every((byte) => byte < 0x80)) return String.fromCharCode(...bytes);
  try {
    return strict.decode(bytes);
  } catch {
    return decodeMixed(bytes);
  }
}

/** The longest valid sequences as UTF-8, byte by byte where there is none. */
function decodeMixed(bytes: Uint8Array): string {
  const parts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    try {
      parts.push(strict.decode(bytes.subarray(at, at + length)));
      at += length;
    } catch {
      parts.push(String.fromCharCode(0xdc00 + lead));
      at += 1;
    }
  }
  return parts.join('');
}

/** The inverse of `decodeText`. */
export function encodeText(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text, 'utf8');
  const parts: Uint8Array[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Uint8Array.of(code & 0xff) : Buffer.from(char, 'utf8'));
  }
  return Buffer.concat(parts);
}
