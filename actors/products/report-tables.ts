/**
 * Owns the tables of the report: sources, observations, parameters, where the time went. Must not know: the
 * page around them.
 */
import { isoFromMjd } from '../io/calendar.ts';
import { formatDec, formatRa, radians } from '../io/wcs.ts';
import { bytesText, durationText, fluxText } from './axis-ticks.ts';
import type { CatalogueSource } from './catalogue.ts';
import { escapeMarkup } from './markup.ts';
import { exact } from './numbers.ts';
import type { ReportObservation, ReportParameter } from './report-input.ts';
import type { TraceSummary } from './trace.ts';

/** A column: its head, its cell as markup, and the value by which it sorts if that is a number. */
interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => string;
  readonly value?: (row: T) => number;
  readonly wrap?: boolean;
}

interface TableAbout {
  readonly caption: string;
  readonly sortable?: boolean;
}

function tableOf<T>(rows: readonly T[], columns: readonly Column<T>[], about: TableAbout): string {
  const classOf = ({ value, wrap }: Column<T>): string =>
    value !== undefined ? ' class="number"' : wrap === true ? ' class="wrap"' : '';
  const heads = columns.map((column) => `<th scope="col"${classOf(column)}>${column.head}</th>`);
  const lines = rows.map((row) => {
    const cells = columns.map((column, k) => {
      const sort = column.value === undefined ? '' : ` data-value="${exact(column.value(row))}"`;
      const text = `${classOf(column)}${sort}>${column.cell(row)}`;
      return k === 0 ? `<th scope="row"${text}</th>` : `<td${text}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  const sortable = about.sortable === true ? ' class="sortable"' : '';
  return `<div class="scroll" tabindex="0" role="group" aria-label="${about.caption}"><table${sortable}>
<caption>${about.caption}</caption>
<thead><tr>${heads.join('')}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody></table></div>`;
}

const dash = '\u2013';
const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits).replace('-', '\u2212') : dash;

/** A time of day, or a date with it. */
const timeText = (mjd: number): string =>
  Number.isFinite(mjd) ? isoFromMjd(mjd, 0).replace('T', ' ') : dash;

/** The catalogue.
 * @param drawn ids that have a card to link to */
export function sourceTable(sources: readonly CatalogueSource[], drawn: ReadonlySet<string>): string {
  const columns: Column<CatalogueSource>[] = [
    {
      head: 'Source',
      cell: ({ id }) => {
        const name = escapeMarkup(id);
        return drawn.has(id) ? `<a href="#${name}">${name}</a>` : name;
      },
    },
    { head: 'Kind', cell: ({ kind }) => `<span class="kind ${kind}">${kind}</span>` },
    { head: 'RA', value: ({ raDeg }) => raDeg, cell: ({ raDeg }) => formatRa(radians(raDeg), 2) },
    {
      head: 'Dec',
      value: ({ decDeg }) => decDeg,
      cell: ({ decDeg }) => formatDec(radians(decDeg), 1).replace('-', '\u2212'),
    },
    { head: 'Peak flux', value: (one) => one.peakFluxJy, cell: (one) => fluxText(one.peakFluxJy) },
    { head: 'S/N', value: ({ peakSnr }) => peakSnr, cell: ({ peakSnr }) => fixed(peakSnr, 1) },
    { head: 'Peak (UTC)', value: ({ peakMjd }) => peakMjd, cell: ({ peakMjd }) => timeText(peakMjd) },
    {
      head: 'Seen for',
      value: ({ startMjd, endMjd }) => endMjd - startMjd,
      cell: ({ startMjd, endMjd }) => durationText((endMjd - startMjd) * 86_400),
    },
    { head: 'eta', value: ({ eta }) => eta, cell: ({ eta }) => fixed(eta, 2) },
    { head: 'V', value: ({ v }) => v, cell: ({ v }) => fixed(v, 3) },
    { head: 'Frames', value: ({ nFrames }) => nFrames, cell: ({ nFrames }) => String(nFrames) },
  ];
  return tableOf(sources, columns, {
    caption:
      'Positions ICRS. S/N: of the detection; eta: reduced chi-square about the weighted mean; ' +
      'V: standard deviation over mean of the fluxes',
    sortable: true,
  });
}

/** The sets that were read. */
export function observationTable(observations: readonly ReportObservation[]): string {
  const columns: Column<ReportObservation>[] = [
    { head: 'Measurement Set', wrap: true, cell: ({ path }) => escapeMarkup(path) },
    { head: 'Site', cell: ({ site }) => escapeMarkup(site) },
    { head: 'Telescope', cell: ({ telescope }) => escapeMarkup(telescope) },
    { head: 'Field', cell: ({ field }) => escapeMarkup(field) },
    { head: 'Start (UTC)', value: ({ startMjd }) => startMjd, cell: ({ startMjd }) => timeText(startMjd) },
    {
      head: 'Length',
      value: ({ startMjd, endMjd }) => endMjd - startMjd,
      cell: ({ startMjd, endMjd }) => durationText((endMjd - startMjd) * 86_400),
    },
    { head: 'Antennas', value: ({ antennas }) => antennas, cell: ({ antennas }) => String(antennas) },
    { head: 'Rows', value: ({ rows }) => rows, cell: ({ rows }) => rows.toLocaleString('en') },
    {
      head: 'Flagged',
      value: ({ flaggedFraction }) => flaggedFraction,
      cell: ({ flaggedFraction }) => `${fixed(100 * flaggedFraction, 1)} %`,
    },
  ];
  return tableOf(observations, columns, { caption: 'Rows of two different antennas in the field' });
}

/** How the command was given. */
export function parameterTable(parameters: readonly ReportParameter[]): string {
  const columns: Column<ReportParameter>[] = [
    { head: 'Parameter', cell: ({ name }) => escapeMarkup(name) },
    { head: 'Value', wrap: true, cell: ({ value }) => escapeMarkup(value) },
  ];
  return tableOf(parameters, columns, { caption: 'All parameters, those left at their defaults included' });
}

/** A bar behind a number. */
function meter(share: number, text: string): string {
  const width = Math.round(1000 * Math.min(1, Math.max(0, share))) / 10;
  const bar = `<rect width="${width}" height="1"/>`;
  const svg = `<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">${bar}</svg>`;
  return `<div class="meter">${svg}<span>${text}</span></div>`;
}

/** What nodes and functions took. */
export function timeTables({ wallS, nodes, functions }: TraceSummary): string {
  const busiest = Math.max(...nodes.map(({ busyS }) => busyS), 1e-9);
  const longest = Math.max(...functions.map(({ totalS }) => totalS), 1e-9);
  const byNode = tableOf(
    nodes,
    [
      { head: 'Node', cell: ({ site, node }) => escapeMarkup(`${site}/${node}`) },
      { head: 'Tasks', value: ({ tasks }) => tasks, cell: ({ tasks }) => tasks.toLocaleString('en') },
      { head: 'Failed', value: ({ failed }) => failed, cell: ({ failed }) => String(failed) },
      {
        head: 'Time in tasks, all threads',
        value: ({ busyS }) => busyS,
        cell: ({ busyS }) => meter(busyS / busiest, durationText(busyS)),
      },
      {
        head: 'Fetched within the site',
        value: ({ localBytes }) => localBytes,
        cell: ({ localBytes }) => bytesText(localBytes),
      },
      {
        head: 'From other sites',
        value: ({ remoteBytes }) => remoteBytes,
        cell: ({ remoteBytes }) => bytesText(remoteBytes),
      },
    ],
    { caption: `By node; ${durationText(wallS)} from the first task to the last`, sortable: true },
  );
  const byFunction = tableOf(
    functions,
    [
      { head: 'Function', cell: ({ fn }) => `<code>${escapeMarkup(fn)}</code>` },
      { head: 'Tasks', value: ({ tasks }) => tasks, cell: ({ tasks }) => tasks.toLocaleString('en') },
      {
        head: 'Time, all tasks',
        value: ({ totalS }) => totalS,
        cell: ({ totalS }) => meter(totalS / longest, durationText(totalS)),
      },
      {
        head: 'Longest task',
        value: ({ longestS }) => longestS,
        cell: ({ longestS }) => durationText(longestS),
      },
    ],
    { caption: 'By function', sortable: true },
  );
  return `${byNode}<p></p>${byFunction}`;
}
