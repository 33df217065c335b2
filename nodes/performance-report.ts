/**
 * Owns the performance report: one HTML page that tells where the time of a cluster's runs went. It carries
 * its figures, its script and its looks, asks nothing of any network, and its policy forbids that it does.
 * Must not know: how figures are found (report-figures.ts), how the script draws.
 */
import { createHash } from 'node:crypto';
import { durationText, sizeText } from '../runtime/index.ts';
import type { Cluster, Overview, RunTrace, WaitOptions } from '../scheduler/index.ts';
import { criticalPath, lanesOf, memoryOf, sumsOf } from './report-figures.ts';
import { reportScript, reportStyle } from './report-script.ts';

/** Runs that are drawn, the newest: a page of more opens slowly. */
const runsDrawn = 100_000;
/** Rows of a table, and points of a line. */
const rowsShown = 30;
const pointsDrawn = 500;

/** Names come from programs: they are text, never markup. */
function text(value: string | number): string {
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

interface Column<T> {
  readonly head: string;
  readonly of: (row: T) => string | number;
  /** Beside `n` for numbers, `key` for long names. */
  readonly kind?: 'n' | 'key';
}

function tableOf<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cell = (tag: string, kind: string | undefined, value: string | number): string =>
    `<${tag}${kind === undefined ? '' : ` class="${kind}"`}>${text(value)}</${tag}>`;
  const head = columns.map(({ head: name, kind }) => cell('th', kind, name)).join('');
  const body = rows.map((row) => `<tr>${columns.map((c) => cell('td', c.kind, c.of(row))).join('')}</tr>`);
  const table = `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
  return `<div class="scroll">${table}</div>`;
}

const ms = (value: number): string => durationText(value / 1000);
const n = 'n' as const;

function functionTable(runs: readonly RunTrace[]): string {
  return tableOf(sumsOf(runs).slice(0, rowsShown), [
    { head: 'function', of: ({ fn }) => fn, kind: 'key' },
    { head: 'runs', of: (sum) => sum.runs, kind: n },
    { head: 'failed', of: ({ failed }) => failed, kind: n },
    { head: 'computing', of: ({ computeMs }) => ms(computeMs), kind: n },
    { head: 'mean', of: (sum) => ms(sum.computeMs / sum.runs), kind: n },
    { head: 'longest', of: ({ longestMs }) => ms(longestMs), kind: n },
    { head: 'fetching', of: ({ fetchMs }) => ms(fetchMs), kind: n },
    { head: 'queueing', of: ({ queueMs }) => ms(queueMs), kind: n },
    { head: 'fetched', of: ({ fetchedBytes }) => sizeText(fetchedBytes), kind: n },
    { head: 'process grew', of: ({ growthBytes }) => sizeText(Math.max(0, growthBytes)), kind: n },
  ]);
}

function runTable(runs: readonly RunTrace[], zeroMs: number): string {
  return tableOf(runs, [
    { head: 'task', of: ({ key }) => key, kind: 'key' },
    { head: 'node', of: ({ site, node }) => `${site}/${node}` },
    { head: 'from', of: ({ startMs }) => ms(startMs - zeroMs), kind: n },
    { head: 'computing', of: (run) => ms(run.endMs - run.startMs), kind: n },
    { head: 'fetching', of: ({ fetchMs }) => ms(fetchMs ?? 0), kind: n },
    { head: 'queueing', of: ({ queueMs }) => ms(queueMs ?? 0), kind: n },
  ]);
}

function linkTable({ links }: Overview): string {
  if (links.length === 0) return '<p class="note">Nothing was fetched from node to node.</p>';
  return tableOf(links, [
    { head: 'from site', of: ({ from }) => from },
    { head: 'to site', of: ({ to }) => to },
    { head: 'transfers', of: ({ transfers }) => transfers, kind: n },
    { head: 'bytes', of: ({ bytes }) => sizeText(bytes), kind: n },
    { head: 'each at', of: (l) => (l.seconds > 0 ? `${sizeText(l.bytes / l.seconds)}/s` : '-'), kind: n },
  ]);
}

/** A line a node: what its process took. */
function memoryFigure(runs: readonly RunTrace[], about: { zeroMs: number; spanMs: number }): string {
  const nodes = memoryOf(runs, pointsDrawn);
  const top = Math.max(1, ...nodes.flatMap(({ points }) => points.map(([, bytes]) => bytes)));
  const lines = nodes.map(({ node, points }, k) => {
    const path = points.map(([at, bytes]) => {
      const x = (1000 * (at - about.zeroMs)) / about.spanMs;
      return `${x.toFixed(1)},${(195 - (190 * bytes) / top).toFixed(1)}`;
    });
    const colour = `hsl(${(k * 137.5) % 360} 55% 50%)`;
    const title = `<title>${text(node)}</title>`;
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}">${title}</polyline>`;
  });
  const names = nodes.map(({ node }) => text(node)).join(', ');
  return (
    `<svg viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" aria-label="memory over time">` +
    `${lines.join('')}</svg><p class="note">${names}; the top is ${text(sizeText(top))}</p>`
  );
}

/** Nodes where what the process takes after runs has only grown: something there keeps what it should not. */
function leakNote({ nodes }: Overview): string {
  const names = nodes.filter(({ ratchets }) => ratchets).map(({ node }) => text(node));
  return names.length === 0 ? '' : `<p><strong>Memory only grows on ${names.join(', ')}.</strong></p>`;
}

/** The columns that the script draws. */
function drawn(runs: readonly RunTrace[], zeroMs: number): string {
  const lanes = lanesOf(runs);
  const fns = [...new Set(runs.map(({ fn }) => fn))];
  const index = new Map(fns.map((fn, k) => [fn, k]));
  const data = {
    fns,
    lanes: lanes.names,
    lane: lanes.of,
    fn: runs.map(({ fn }) => index.get(fn)),
    start: runs.map(({ startMs }) => Math.round(1000 * (startMs - zeroMs))),
    took: runs.map(({ startMs, endMs }) => Math.max(0, Math.round(1000 * (endMs - startMs)))),
    bad: runs.map(({ outcome }) => (outcome === 'failed' ? 1 : 0)),
  };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** The report as a page. */
export function reportPage(all: readonly RunTrace[], overview: Overview): string {
  const runs = [...all].sort((a, b) => a.startMs - b.startMs).slice(-runsDrawn);
  const zeroMs = runs[0]?.startMs ?? 0;
  const endMs = runs.reduce((most, run) => Math.max(most, run.endMs), zeroMs);
  const busyMs = runs.reduce((sum, run) => sum + run.endMs - run.startMs, 0);
  const spanMs = Math.max(1, endMs - zeroMs);
  const lanes = lanesOf(runs).names.length;
  const longest = [...runs].sort((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs)).slice(0, rowsShown);
  const path = criticalPath(runs);
  const pathMs = path.reduce((sum, run) => sum + run.endMs - run.startMs, 0);
  const share = lanes === 0 ? 0 : Math.round((100 * busyMs) / (spanMs * lanes));
  const hash = createHash('sha256').update(reportScript).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  const began = runs.length === 0 ? '' : ` from ${new Date(zeroMs).toISOString()}`;
  const left = all.length > runs.length ? `, the last of ${all.length}` : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>asperitas: where the time went</title>
<meta http-equiv="Content-Security-Policy" content="${policy}">
<style>${reportStyle}</style></head><body>
<h1>Where the time went</h1>
<p>${runs.length} runs${left} on ${lanes} threads in ${text(ms(spanMs))}${began}: ${text(ms(busyMs))} of
computing, ${share} % of what the threads could have done.</p>
<h2>Runs by thread</h2>
<p class="note">Turn the wheel to zoom, drag to move, click twice for all. Failed runs are red.</p>
<canvas id="stream"></canvas><p id="tip" class="note"></p>
<h2>By function</h2>${functionTable(runs)}
<h2>Critical path</h2>
<p class="note">From the run that ended last back through the inputs that came last: ${path.length} runs that
compute for ${text(ms(pathMs))}. To end sooner, these would have to be faster, or begin sooner.</p>
${runTable(path.slice(-rowsShown), zeroMs)}
<h2>Longest runs</h2>${runTable(longest, zeroMs)}
<h2>Bytes from site to site</h2>${linkTable(overview)}
<h2>Memory of the nodes' processes</h2>${memoryFigure(runs, { zeroMs, spanMs })}${leakNote(overview)}
<script type="application/json" id="runs">${drawn(runs, zeroMs)}</script>
<script>${reportScript}</script>
</body></html>
`;
}

/** Asks a cluster for its runs and gives the report of them, an HTML page that needs nothing else. */
export async function performanceReport(cluster: Cluster, options: WaitOptions = {}): Promise<string> {
  const [runs, overview] = [await cluster.trace(options), await cluster.inspect.overview(options)];
  return reportPage(runs, overview);
}
