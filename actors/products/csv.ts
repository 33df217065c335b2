/**
 * Owns the writing of comma-separated lines by RFC 4180, but with the line ends of Unix. Must not know: which
 * columns there are.
 */

/** A text as a field: in quotes where it would otherwise end early. */
export function csvText(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line of fields that are already written. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.join(',')}\n`;
}
