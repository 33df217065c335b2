/**
 * Owns the text of `asperitas status` and of a screen of `asperitas top`: tables made from the scheduler's
 * overview. Pure. Must not know: terminals, where the overview comes from.
 */
import { durationText, type Layout, sizeText, tableLines } from '../runtime/index.ts';
import type { FunctionView, LinkView, NodeView, Overview } from '../scheduler/index.ts';

/** A node that was silent for so long is marked: heartbeats come every second. */
const silentMs = 3_000;

/** Of its memory, what a node may fill before it is marked. */
const fullShare = 0.9;

function stateOf(node: NodeView): string {
  const words: string[] = [];
  if (node.retiring) words.push('leaving');
  if (node.silentMs > silentMs) words.push(`silent ${durationText(Math.round(node.silentMs / 1000))}`);
  if (node.storedBytes > fullShare * node.memoryBytes) words.push('full');
  if (node.ratchets) words.push('memory only grows');
  if (words.length === 0) words.push(node.running > 0 ? 'busy' : 'idle');
  return words.join(', ');
}

const right = true;

const nodeColumns: readonly Layout<NodeView>[] = [
  { title: 'node', of: ({ node }) => node },
  { title: 'site', of: ({ site }) => site },
  { title: 'running', of: ({ running, threads }) => `${running}/${threads}`, right },
  { title: 'queued', of: ({ assigned, parked, running }) => Math.max(0, assigned - running) + parked, right },
  { title: 'results', of: ({ held }) => held, right },
  { title: 'stored', of: ({ storedBytes }) => sizeText(storedBytes), right },
  { title: 'of', of: ({ memoryBytes }) => sizeText(memoryBytes), right },
  { title: 'process', of: ({ rssBytes }) => sizeText(rssBytes), right },
  { title: 'state', of: stateOf },
];

const mean = ({ seconds, done, failed }: FunctionView): string =>
  done + failed === 0 ? '-' : durationText(seconds / (done + failed));

const functionColumns: readonly Layout<FunctionView>[] = [
  { title: 'function', of: ({ fn }) => fn },
  { title: 'running', of: ({ running }) => running, right },
  { title: 'done', of: ({ done }) => done, right },
  { title: 'failed', of: ({ failed }) => failed, right },
  { title: 'mean', of: mean, right },
  { title: 'longest', of: ({ longestSeconds }) => durationText(longestSeconds), right },
  { title: 'total', of: ({ seconds }) => durationText(seconds), right },
  { title: 'results', of: ({ bytes }) => sizeText(bytes), right },
  { title: 'process grew', of: ({ growthBytes }) => sizeText(growthBytes), right },
];

const linkColumns: readonly Layout<LinkView>[] = [
  { title: 'from site', of: ({ from }) => from },
  { title: 'to site', of: ({ to }) => to },
  { title: 'transfers', of: ({ transfers }) => transfers, right },
  { title: 'bytes', of: ({ bytes }) => sizeText(bytes), right },
  {
    title: 'each at',
    of: ({ bytes, seconds }) => (seconds > 0 ? `${sizeText(bytes / seconds)}/s` : '-'),
    right,
  },
];

/** Tasks by phase, in the order of their lives, without those of none. */
function taskLine(tasks: Overview['tasks']): string {
  const names = {
    waiting: 'waiting',
    ready: 'ready',
    assigned: 'sent to nodes',
    held: 'held',
    failed: 'failed',
  };
  const parts = Object.entries(names)
    .filter(([phase]) => (tasks[phase] ?? 0) > 0)
    .map(([phase, name]) => `${tasks[phase]} ${name}`);
  return parts.length === 0 ? 'tasks: none' : `tasks: ${parts.join(', ')}`;
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}

function headLines(overview: Overview): string[] {
  const { nodes, clients, nowMs, sinceMs } = overview;
  const threads = sum(nodes, (node) => node.threads);
  const sites = new Set(nodes.map(({ site }) => site)).size;
  const up = sinceMs === 0 ? 0 : Math.round((nowMs - sinceMs) / 1000);
  const stopping = overview.stopping ? '; it is stopping' : '';
  return [
    `${nodes.length} nodes with ${threads} threads at ${sites} sites, ${clients} clients, ` +
      `up ${durationText(up)}${stopping}`,
    taskLine(overview.tasks),
  ];
}

/** All of an overview. */
export function statusLines(overview: Overview): string[] {
  const { nodes, functions, links } = overview;
  return [
    ...headLines(overview),
    ...(nodes.length === 0 ? [] : ['', ...tableLines(nodes, nodeColumns)]),
    ...(functions.length === 0 ? [] : ['', ...tableLines(functions, functionColumns)]),
    ...(links.length === 0 ? [] : ['', ...tableLines(links, linkColumns)]),
  ];
}

function ended({ functions }: Overview): number {
  return sum(functions, ({ done, failed }) => done + failed);
}

/** What went on between two overviews. */
function rateLine(now: Overview, before: Overview | undefined): string {
  const seconds = before === undefined ? 0 : (now.nowMs - before.nowMs) / 1000;
  if (before === undefined || seconds <= 0) return '';
  const runs = (ended(now) - ended(before)) / seconds;
  const bytes = (sum(now.links, (l) => l.bytes) - sum(before.links, (l) => l.bytes)) / seconds;
  return `${Number(runs.toPrecision(3))} tasks/s, ${sizeText(Math.max(0, bytes))}/s between nodes`;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** A screen of at most this size: what does not fit is counted. */
export function screenLines(
  now: Overview,
  before: Overview | undefined,
  { columns, rows }: ScreenSize,
): string[] {
  const head = [...headLines(now), rateLine(now, before)];
  // Three gaps, the heads of three tables, and the last line.
  const room = Math.max(3, rows - head.length - 7);
  const nodes = Math.min(now.nodes.length, Math.ceil(room / 2));
  const links = Math.min(now.links.length, Math.ceil((room - nodes) / 3));
  const functions = Math.min(now.functions.length, Math.max(1, room - nodes - links));
  const lines = [
    ...head,
    ...table(now.nodes, nodes, nodeColumns, 'nodes'),
    ...table(now.functions, functions, functionColumns, 'functions'),
    ...table(now.links, links, linkColumns, 'pairs of sites'),
  ];
  return lines.slice(0, rows).map((line) => line.slice(0, columns));
}

function table<Row>(
  rows: readonly Row[],
  most: number,
  columns: readonly Layout<Row>[],
  what: string,
): string[] {
  if (rows.length === 0) return [];
  const left = rows.length - most;
  const more = left > 0 ? [`  ... and ${left} further ${what}`] : [];
  return ['', ...tableLines(rows.slice(0, most), columns), ...more];
}
