/**
 * Owns the layout of what commands print for people: tables and runs of words on a page of 100 columns. Pure.
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
