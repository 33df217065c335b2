/**
 * Owns the layout of what commands print for people: tables, sizes, durations, and runs of words on a
 * page of 100 columns. Pure.
 * Must not know: what is printed.
 */

/** Columns of the page. */
export const pageWidth = 100;

/** A column of a printed table. */
export interface Layout<Row> {
  readonly title: string;
  readonly of: (row: Row) => string | number;
  readonly right?: boolean;
}

/** Lines of a table, indented by two, its columns as wide as they need to be. */
export function tableLines<Row>(rows: readonly Row[], layout: readonly Layout<Row>[]): string[] {
  const cells = [
    layout.map(({ title }) => title),
    ...rows.map((row) => layout.map(({ of }) => String(of(row)))),
  ];
  const widths = layout.map((_, column) =>
    cells.reduce((most, line) => Math.max(most, line[column]!.length), 0),
  );
  return cells.map((line) => {
    const padded = line.map((text, column) =>
      layout[column]!.right === true ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
    );
    return `  ${padded.join('  ')}`.trimEnd();
  });
}

/** Words joined by blanks, broken at the width of the page and indented by two. */
export function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of words) {
    if (line.length + 1 + word.length > pageWidth && line.trim() !== '') {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return line.trim() === '' ? lines : [...lines, line];
}

/** `12.3 MB`, in powers of 1000. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3)} ${units[power]}`;
}

/** `1 h 02 min 05 s`, to a tenth of a second below a minute. */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 1 ? 3 : 1))} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours} h ${two(minutes)} min ${two(rest)} s` : `${minutes} min ${two(rest)} s`;
}
