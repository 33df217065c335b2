/**
 * Owns the command `asperitas table`: looks into any casacore table, such as a subtable of a Measurement Set:
 * what it consists of, the values of its cells, fingerprints of its columns. Rows are read in pieces, so that
 * memory stays bounded whatever the table's size. Must not know: Measurement Sets.
 */
import { once } from 'node:events';
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import { cellBlocks, cellBytes } from '../io/casacore/cell-blocks.ts';
import { describeColumn } from '../io/casacore/describe-table.ts';
import { hashColumn } from '../io/casacore/hash.ts';
import { openTable } from '../io/casacore/open-table.ts';
import type { Column, Table } from '../io/casacore/table.ts';
import { tablePathOf } from '../io/casacore/table-path.ts';
import { cellParts, recordJson } from './exact-json.ts';
import { cellText, rowsText, shownElements, type TableDescription, tableText } from './table-text.ts';

/** Rows that are shown where nobody said which. */
const defaultRows = 10;
/** Rows that are laid out together on the page. */
const pageRows = 200;
/** JSON is written in texts of about this length. */
const writeCharacters = 1 << 16;
/** Of cells larger than this only the elements that are shown are read. */
const largeCellBytes = 1 << 20;

/** Writes, and waits where the reader of the output is slower than we are. */
async function print({ stdout, signal }: CommandContext, text: string): Promise<void> {
  signal.throwIfAborted();
  if (!stdout.write(text)) await once(stdout, 'drain', { signal });
}

/** `i:j`, `i:`, `:j`, `:` or `i` as a half-open range of rows. Throws `bad-option` and `no-such-row`. */
function rowRange(text: string | undefined, { path, rowCount }: Table): [start: number, end: number] {
  if (text === undefined) return [0, Math.min(defaultRows, rowCount)];
  const match = /^(\d*)(:?)(\d*)$/.exec(text);
  if (match === null || text === '')
    throw new AsperitasError(
      'bad-option',
      `--rows ${text}: give rows as FIRST:END, such as 0:100, or one row`,
      {
        option: 'rows',
      },
    );
  const start = match[1] === '' ? 0 : Number(match[1]);
  const end = match[2] === '' ? start + 1 : match[3] === '' ? rowCount : Number(match[3]);
  if (start > end || end > rowCount)
    throw new AsperitasError('no-such-row', `${path}: rows ${text} asked of a table with ${rowCount} rows`, {
      table: path,
      rowCount,
    });
  return [start, end];
}

function chosenColumns(table: Table, text: string | undefined): Column[] {
  const names =
    text === undefined ? table.columns.map(({ name }) => name) : text.split(',').map((name) => name.trim());
  return names.map((name) => table.column(name));
}

async function describe(table: Table): Promise<TableDescription> {
  const { path, kind, endian, rowCount, info, keywords } = table;
  const columns = [];
  for (const column of table.columns) {
    const { comment, keywords: own } = column;
    columns.push({ ...(await describeColumn(table, column)), comment, keywords: own });
  }
  const isSubtable = new Set(table.subtableNames);
  return {
    ...{ path, kind, byteOrder: endian, rows: rowCount, ...info, columns },
    keywords: Object.fromEntries(Object.entries(keywords).filter(([name]) => !isSubtable.has(name))),
    subtables: table.subtableNames.map((name) => ({
      name,
      path: (keywords[name] as { readonly table: string }).table,
    })),
  };
}

/** A description as JSON; keywords hold values that JSON.stringify would bend. */
function descriptionJson(table: TableDescription): string {
  const { columns, keywords, ...rest } = table;
  const columnTexts = columns.map(({ keywords: own, ...column }) => {
    const text = JSON.stringify(column);
    return `${text.slice(0, -1)},"keywords":${recordJson(own)}}`;
  });
  const head = JSON.stringify(rest).slice(0, -1);
  return `${head},"keywords":${recordJson(keywords)},"columns":[\n${columnTexts.join(',\n')}\n]}\n`;
}

/** The first elements of a cell that is too large to be read for the sake of them. */
async function cellStart(column: Column, row: number, shape: readonly number[]) {
  let wanted = shownElements;
  const slice = shape.map((length) => {
    const count = Math.min(length, wanted);
    wanted = count < length ? 1 : Math.ceil(wanted / Math.max(1, count));
    return { start: 0, count };
  });
  return column.read({ start: row, count: 1 }, slice);
}

/** The cells of rows `[start, end)` of a column, a line each. */
async function cellTexts(column: Column, start: number, end: number): Promise<string[]> {
  if (column.type === 'record') return Array.from({ length: end - start }, () => '(record)');
  const shapes = column.isArray ? await column.readShapes({ start, count: end - start }) : [];
  const texts: string[] = [];
  for (let row = start; row < end; ) {
    const shape = shapes[row - start];
    if (shape !== undefined && cellBytes(column, shape) > largeCellBytes) {
      texts.push(cellText(await cellStart(column, row, shape), column.type, shape));
      row += 1;
      continue;
    }
    let last = row + 1;
    while (last < end && cellBytes(column, shapes[last - start]) <= largeCellBytes) last++;
    for await (const { cells } of cellBlocks(column, row, last))
      for (const cell of cells) texts.push(cellText(cell, column.type));
    row = last;
  }
  return texts;
}

type Selection = readonly [columns: readonly Column[], start: number, end: number];

async function printRows(context: CommandContext, [columns, start, end]: Selection): Promise<void> {
  const names = columns.map(({ name }) => name);
  for (let first = start; first < end; first += pageRows) {
    const last = Math.min(end, first + pageRows);
    const texts: string[][] = [];
    for (const column of columns) texts.push(await cellTexts(column, first, last));
    const cells = Array.from({ length: last - first }, (_, row) => texts.map((column) => column[row]));
    await print(context, rowsText({ start: first, names, cells }));
  }
}

async function printJsonRows(context: CommandContext, table: Table, selection: Selection): Promise<void> {
  const [columns, start, end] = selection;
  await print(context, `{"path":${JSON.stringify(table.path)},"rows":[${start},${end}],"columns":{`);
  for (const [place, column] of columns.entries()) {
    await print(context, `${place === 0 ? '' : ','}\n${JSON.stringify(column.name)}:[`);
    let pending = '';
    let separator = '';
    for await (const { cells } of cellBlocks(column, start, end))
      for (const cell of cells) {
        pending += separator;
        separator = ',\n';
        for (const part of cellParts(cell, column.type)) {
          pending += part;
          if (pending.length < writeCharacters) continue;
          await print(context, pending);
          pending = '';
        }
      }
    await print(context, `${pending}]`);
  }
  await print(context, '}}\n');
}

/** Prints the fingerprints; a column that can't be read is told on stderr and makes the status 1. */
async function printHashes(context: CommandContext, [columns, start, end]: Selection): Promise<number> {
  const asJson = context.options.json === true;
  const found: Record<string, string> = Object.create(null);
  let status = 0;
  for (const column of columns) {
    try {
      found[column.name] = await hashColumn(column, start, end);
      if (!asJson) await print(context, `${column.name} ${found[column.name]}\n`);
    } catch (error) {
      if (!(error instanceof AsperitasError)) throw error;
      context.stderr.write(`${error.message}\n`);
      status = 1;
    }
  }
  if (asJson) await print(context, `${JSON.stringify(found, undefined, 2)}\n`);
  return status;
}

async function run(context: CommandContext): Promise<number> {
  const { args, options } = context;
  if (args.length !== 1)
    throw new AsperitasError('usage', 'name one table; see asperitas table --help', { command: 'table' });
  const text = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
  const table = await openTable(tablePathOf(args[0]));
  try {
    const columns = chosenColumns(table, text('columns'));
    if (options.hash === true) {
      const [start, end] = rowRange(text('rows') ?? ':', table);
      return await printHashes(context, [columns, start, end]);
    }
    if (options.columns === undefined && options.rows === undefined) {
      const description = await describe(table);
      await print(
        context,
        options.json === true
          ? descriptionJson(description)
          : tableText(description, options.keywords === true),
      );
      return 0;
    }
    const [start, end] = rowRange(text('rows'), table);
    const selection: Selection = [columns, start, end];
    if (options.json === true) await printJsonRows(context, table, selection);
    else await printRows(context, selection);
    return 0;
  } finally {
    await table.close();
  }
}

/** `asperitas table OBS.ms::ANTENNA` */
export const command: Command = {
  name: 'table',
  summary: 'what any casacore table holds: columns, keywords, cells, fingerprints',
  usage: 'table PATH [--columns A,B] [--rows I:J] [--hash] [--keywords] [--json]',
  options: {
    columns: { type: 'string', value: 'A,B', help: 'print the cells of these columns (the first 10 rows)' },
    rows: {
      type: 'string',
      value: 'I:J',
      help: 'print the cells of rows I up to, not including, J; or of row I',
    },
    hash: {
      type: 'boolean',
      help: 'print a SHA-256 of each column, equal for equal contents in any storage',
    },
    keywords: { type: 'boolean', help: 'also print comments and keywords of the columns' },
    json: { type: 'boolean', help: 'print JSON, without loss; docs/formats.md says how' },
  },
  details: 'A subtable is OBS.ms::ANTENNA or OBS.ms/ANTENNA. --rows : means all rows.',
  run,
};
