/**
 * Owns what a scheduler tells a monitor: whether it is well, and its figures, all taken from the state when
 * they are asked for. Must not know: HTTP, the format of the figures.
 */
import { limits } from './limits.ts';
import type { MetricFamily, MetricSample } from './metrics.ts';
import type { NodeRecord, SchedulerState } from './scheduler-state.ts';
import { ratchets } from './tally.ts';

/** What the shell knows and the state does not. */
export interface ShellFigures {
  readonly events: number;
  /** Seconds spent on them: in the core, and carrying out what it asks for. */
  readonly coreSeconds: number;
  /** Bytes of the journal, where there is one. */
  readonly journalBytes: number | undefined;
}

const prefix = 'asperitas_scheduler';

function one(name: string, help: string, value: number): MetricFamily {
  return { name: `${prefix}_${name}`, help, samples: [{ value }] };
}

function many(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name: `${prefix}_${name}`, help, samples };
}

function nodeState(node: NodeRecord): string {
  if (node.retiring) return 'leaving';
  return node.assigned.size > 0 ? 'busy' : 'idle';
}

/** How many there are of each word. */
function countBy<T>(items: Iterable<T>, wordOf: (item: T) => string, words: readonly string[]) {
  const counts = new Map(words.map((word) => [word, 0]));
  for (const item of items) counts.set(wordOf(item), (counts.get(wordOf(item)) ?? 0) + 1);
  return [...counts];
}

function functionFamilies(state: SchedulerState): MetricFamily[] {
  // Names come from programs: those that took least time are left out where there are very many.
  const rows = [...state.tally.functions]
    .sort(([, a], [, b]) => b.seconds - a.seconds)
    .slice(0, limits.metricFunctions);
  const of = (pick: (row: (typeof rows)[number][1]) => number): MetricSample[] =>
    rows.map(([fn, row]) => ({ labels: { function: fn }, value: pick(row) }));
  const runs = rows.flatMap(([fn, { done, failed }]) => [
    { labels: { function: fn, outcome: 'done' }, value: done },
    { labels: { function: fn, outcome: 'failed' }, value: failed },
  ]);
  return [
    many('runs_total', 'runs that ended', runs),
    many(
      'run_seconds_total',
      'seconds that runs took',
      of(({ seconds }) => seconds),
    ),
    many(
      'result_bytes_total',
      'bytes of results',
      of(({ bytes }) => bytes),
    ),
  ];
}

function linkFamilies(state: SchedulerState): MetricFamily[] {
  const links = [...state.tally.links.values()];
  const of = (pick: (link: (typeof links)[number]) => number): MetricSample[] =>
    links.map((link) => ({ labels: { from: link.from, to: link.to }, value: pick(link) }));
  return [
    many(
      'transfer_bytes_total',
      'bytes fetched by nodes, by site',
      of(({ bytes }) => bytes),
    ),
    many(
      'transfers_total',
      'results fetched by nodes, by site',
      of(({ transfers }) => transfers),
    ),
    many(
      'transfer_seconds_total',
      'seconds that these took, each by itself',
      of(({ seconds }) => seconds),
    ),
  ];
}

function nodeFamilies(state: SchedulerState): MetricFamily[] {
  const nodes = [...state.nodes.values()];
  const of = (pick: (node: NodeRecord) => number): MetricSample[] =>
    nodes.map((node) => ({ labels: { node: node.info.node, site: node.info.site }, value: pick(node) }));
  const { memory } = state.tally;
  return [
    many(
      'node_threads',
      'threads of a node',
      of(({ info }) => info.threads),
    ),
    many(
      'node_running',
      'runs that a node says are running',
      of(({ status }) => status.running),
    ),
    many(
      'node_stored_bytes',
      'bytes of results that a node holds',
      of(({ status }) => status.storedBytes),
    ),
    many(
      'node_memory_bytes',
      'what results may fill',
      of(({ info }) => info.memoryBytes),
    ),
    many(
      'node_rss_bytes',
      "memory of a node's process",
      of(({ status }) => status.rssBytes),
    ),
    many(
      'node_silent_seconds',
      'since its last word',
      of((n) => (state.now - n.lastHeard) / 1000),
    ),
    many(
      'node_memory_ratchets',
      '1 where what a node takes after runs has only grown for a while',
      of(({ info }) => (ratchets(memory.get(info.node)) ? 1 : 0)),
    ),
  ];
}

/** All figures of a scheduler. */
export function familiesOf(state: SchedulerState, shell: ShellFigures): MetricFamily[] {
  const { counts, tally } = state;
  const tasks = Object.entries(counts).map(([phase, value]) => ({ labels: { state: phase }, value }));
  const nodes = countBy(state.nodes.values(), nodeState, ['busy', 'idle', 'leaving']);
  return [
    many('tasks', 'tasks by phase', tasks),
    many(
      'nodes',
      'nodes by state',
      nodes.map(([word, value]) => ({ labels: { state: word }, value })),
    ),
    one('clients', 'clients that are connected, or may come back', state.clients.size),
    one('nodes_joined_total', 'nodes that joined', tally.nodesJoined),
    one('nodes_lost_total', 'nodes that were lost', tally.nodesLost),
    one('nodes_left_total', 'nodes that left as they said', tally.nodesLeft),
    one('events_total', 'events that the core has handled', shell.events),
    one(
      'core_seconds_total',
      'seconds spent on events; over runs: the time that a task takes here',
      shell.coreSeconds,
    ),
    ...(shell.journalBytes === undefined
      ? []
      : [one('journal_bytes', 'bytes of the journal', shell.journalBytes)]),
    ...functionFamilies(state),
    ...linkFamilies(state),
    ...nodeFamilies(state),
  ];
}

/** Whether a scheduler can be given work, and what one look tells. */
export function healthOf(state: SchedulerState, ending: boolean): { well: boolean; report: object } {
  const stopping = ending || state.stoppingSince !== undefined;
  const { waiting, ready, assigned } = state.counts;
  const report = {
    status: stopping ? 'stopping' : 'ok',
    nodes: state.nodes.size,
    clients: state.clients.size,
    unfinishedTasks: waiting + ready + assigned,
  };
  return { well: !stopping, report };
}
