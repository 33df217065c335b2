/**
 * Owns report.html: one page that needs nothing beside itself, with pictures, light curves, tables. Must not
 * know: how what it shows was made.
 */
import { createHash } from 'node:crypto';
import { isoFromMjd } from '../io/calendar.ts';
import { type WriteOptions, writeTextFile } from '../io/write-atomically.ts';
import { durationText, fluxText, freqText } from './axis-ticks.ts';
import type { SourceKind } from './catalogue.ts';
import { limits } from './limits.ts';
import { escapeMarkup } from './markup.ts';
import type { ReportBand, ReportInput } from './report-input.ts';
import { reportScript } from './report-script.ts';
import { drawnSources, sourceCard } from './report-sources.ts';
import { reportStyle } from './report-style.ts';
import { observationTable, parameterTable, sourceTable, timeTables } from './report-tables.ts';
import { markOf, skyFigure } from './sky-figure.ts';
import { fieldDegrees } from './sky-grid.ts';

/** Nothing may be loaded, whatever a name in the data says; of scripts, only ours runs. */
function policy(): string {
  const hash = createHash('sha256').update(reportScript).digest('base64');
  return `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
}

const kinds: readonly SourceKind[] = ['transient', 'variable', 'steady'];

function plural(count: number, one: string): string {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
}

function facts({ sources, bands, observations, trace }: ReportInput): string {
  const count = (kind: SourceKind): string =>
    sources.filter((source) => source.kind === kind).length.toLocaleString('en');
  const start = Math.min(...observations.map(({ startMjd }) => startMjd));
  const end = Math.max(...observations.map(({ endMjd }) => endMjd));
  const sites = new Set(observations.map(({ site }) => site)).size;
  const list: (readonly [string, string])[] = [
    ['Transients', count('transient')],
    ['Variable', count('variable')],
    ['Steady', count('steady')],
    ['Frames', bands.reduce((sum, { frames }) => sum + frames, 0).toLocaleString('en')],
    ['Bands', String(bands.length)],
    ['Observed', durationText((end - start) * 86_400)],
    ['Sites', String(sites)],
  ];
  if (trace !== undefined && trace.wallS > 0) list.push(['Computed in', durationText(trace.wallS)]);
  return `<dl class="facts">${list
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`)
    .join('')}</dl>`;
}

function lead({ observations }: ReportInput): string {
  const [first] = observations;
  if (first === undefined) return '';
  const telescopes = [...new Set(observations.map(({ telescope }) => telescope))].filter(Boolean);
  const start = isoFromMjd(Math.min(...observations.map(({ startMjd }) => startMjd)), 0).replace('T', ' ');
  const end = isoFromMjd(Math.max(...observations.map(({ endMjd }) => endMjd)), 0).replace('T', ' ');
  const what = [telescopes.join(', '), `field ${first.field}`, `${start} to ${end} UTC`];
  return escapeMarkup(what.filter((part) => part !== '').join(' \u00b7 '));
}

function bandCard(input: ReportInput, band: ReportBand, index: number): string {
  const { meanImage, name, caption, beam, freqHz, bandwidthHz, noiseJy } = band;
  const shared = Math.sqrt(limits.picturePixels / input.bands.length);
  const seen = input.sources.length;
  const figure = skyFigure({
    image: meanImage,
    beam,
    sources: input.sources,
    id: `band-${index}`,
    side: Math.min(limits.pictureSide, Math.floor(shared)),
    label: `${name}: ${caption}, ${plural(seen, 'source')} marked`,
  });
  const asec = (rad: number): string => {
    const seconds = (rad * 180 * 3600) / Math.PI;
    return seconds < 120
      ? `${Number(seconds.toPrecision(3))}\u2033`
      : `${Number((seconds / 60).toPrecision(3))}\u2032`;
  };
  const about = [
    `${caption}, ${freqText(freqHz)}, ${freqText(bandwidthHz)} wide, ${plural(band.frames, 'frame')}`,
    `noise ${fluxText(noiseJy)}/beam`,
    ...(beam === undefined ? [] : [`beam ${asec(beam.majorRad)} \u00d7 ${asec(beam.minorRad)}`]),
    `field ${Number(fieldDegrees(meanImage).toPrecision(3))}\u00b0`,
  ];
  const only = input.bands.length === 1 ? ' single' : '';
  return `<article class="card${only}"><header><h3>${escapeMarkup(name)}</h3></header>
<figure>${figure}<figcaption>${escapeMarkup(about.join('; '))}.</figcaption></figure></article>`;
}

function markKeys(): string {
  const items = kinds.map((kind) => {
    const mark = markOf(kind, 14, 14);
    return `<li><svg class="key" viewBox="0 0 28 28" aria-hidden="true">${mark}</svg>${kind}</li>`;
  });
  return `<ul class="legend keys">${items.join('')}</ul>`;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: string;
}

function sectionsOf(input: ReportInput): Section[] {
  const drawn = drawnSources(input);
  const cards = (kind: SourceKind): string =>
    drawn
      .filter((source) => source.kind === kind)
      .map((source) => sourceCard(input, source))
      .join('\n');
  const nothing = (what: string): string => `<p class="lead">No ${what} was found.</p>`;
  const left = input.sources.filter(({ kind }) => kind !== 'steady').length;
  const shown = drawn.filter(({ kind }) => kind !== 'steady').length;
  const more =
    left > shown ? `<p class="note">${left - shown} more are in the table and in lightcurves.csv.</p>` : '';
  const sections: Section[] = [
    { id: 'transients', title: 'Transients', body: (cards('transient') || nothing('transient')) + more },
    {
      id: 'images',
      title: 'Images',
      body: `${markKeys()}<p></p><div class="bands">${input.bands
        .map((band, index) => bandCard(input, band, index))
        .join('\n')}</div>`,
    },
  ];
  if (input.sources.some(({ kind }) => kind === 'variable')) {
    sections.push({ id: 'variables', title: 'Variable sources', body: cards('variable') });
  }
  if (drawn.some(({ kind }) => kind === 'steady')) {
    sections.push({ id: 'steady', title: 'Brightest steady sources', body: cards('steady') });
  }
  const ids = new Set(drawn.map(({ id }) => id));
  const catalogue = input.sources.length === 0 ? nothing('source') : sourceTable(input.sources, ids);
  sections.push({ id: 'catalogue', title: 'Catalogue', body: catalogue });
  const observations = observationTable(input.observations);
  sections.push({ id: 'observations', title: 'Observations', body: observations });
  sections.push({ id: 'parameters', title: 'Parameters', body: parameterTable(input.parameters) });
  if (input.trace !== undefined && input.trace.nodes.length > 0) {
    sections.push({ id: 'time', title: 'Where the time went', body: timeTables(input.trace) });
  }
  return sections;
}

/** The page. */
export function reportHtml(input: ReportInput): string {
  const title = escapeMarkup(input.title);
  const sections = sectionsOf(input);
  const made = `${isoFromMjd(input.madeMjd, 0).replace('T', ' ')} UTC`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="generator" content="${escapeMarkup(input.software)}">
<title>${title}</title>
<style>${reportStyle}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="lead">${lead(input)}</p>
${facts(input)}
<nav aria-label="Sections"><ul>
${sections.map(({ id, title: name }) => `<li><a href="#${id}">${name}</a></li>`).join('\n')}
</ul></nav>
</header>
<main>
${sections
  .map(({ id, title: name, body }) => {
    return `<section aria-labelledby="${id}"><h2 id="${id}">${name}</h2>\n${body}\n</section>`;
  })
  .join('\n')}
</main>
<footer>Made by ${escapeMarkup(input.software)} on ${made}. Times UTC, positions ICRS, flux densities in Jy
per beam.</footer>
<script>${reportScript}</script>
</body>
</html>
`;
}

/** Throws `disk-full`, `cannot-write`, `aborted`. */
export async function writeReport(
  path: string,
  input: ReportInput,
  options: WriteOptions = {},
): Promise<void> {
  await writeTextFile(path, reportHtml(input), options);
}
