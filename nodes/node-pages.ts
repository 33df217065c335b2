/**
 * Owns a node's pages for monitors, `/health` and `/metrics`, made from its figures when they are asked for.
 * Must not know: how a node works.
 */
import { jsonPage, type ObservationServer, serveObservation } from '../runtime/index.ts';
import { type MetricFamily, openMetrics } from '../scheduler/index.ts';

/** What a node knows of itself. */
export interface NodeFigures {
  readonly node: string;
  readonly site: string;
  readonly connected: boolean;
  readonly retiring: boolean;
  readonly threads: number;
  /** Runs that have a thread, and runs that wait for inputs or a thread. */
  readonly running: number;
  readonly waiting: number;
  readonly runsDone: number;
  readonly runsFailed: number;
  readonly results: number;
  readonly storedBytes: number;
  readonly memoryUsedBytes: number;
  readonly spilledBytes: number;
  readonly memoryBytes: number;
  /** Memory is short, and spilling can't help. */
  readonly pressed: boolean;
  readonly links: number;
  readonly fetches: number;
  readonly fetchedBytes: number;
  readonly served: number;
  readonly servedBytes: number;
}

type Amount = {
  [K in keyof NodeFigures]: NodeFigures[K] extends number | boolean ? K : never;
}[keyof NodeFigures];

const table: readonly (readonly [name: string, field: Amount, help: string])[] = [
  ['connected', 'connected', '1 while the node has its scheduler'],
  ['threads', 'threads', 'threads that run tasks'],
  ['running', 'running', 'runs that have a thread'],
  ['waiting', 'waiting', 'runs that wait for inputs or a thread'],
  ['runs_done_total', 'runsDone', 'runs that gave a result'],
  ['runs_failed_total', 'runsFailed', 'runs that ended without one'],
  ['results', 'results', 'results that are held here'],
  ['stored_bytes', 'storedBytes', 'bytes of results'],
  ['memory_used_bytes', 'memoryUsedBytes', 'bytes of results in memory'],
  ['spilled_bytes', 'spilledBytes', 'bytes of results on disk only'],
  ['memory_limit_bytes', 'memoryBytes', 'what results may fill'],
  ['pressed', 'pressed', '1 while memory is short and spilling does not help'],
  ['links', 'links', 'open connections to other nodes'],
  ['fetches_total', 'fetches', 'results fetched from other nodes'],
  ['fetched_bytes_total', 'fetchedBytes', 'their bytes'],
  ['served_total', 'served', 'results sent to others'],
  ['served_bytes_total', 'servedBytes', 'their bytes'],
];

export function familiesOf(figures: NodeFigures): MetricFamily[] {
  const labels = { node: figures.node, site: figures.site };
  return table.map(([name, field, help]) => ({
    name: `asperitas_node_${name}`,
    help,
    samples: [{ labels, value: Number(figures[field]) }],
  }));
}

/** Serves the pages of a node on a loopback port, 0 for any free one.
 * @throws AsperitasError `cannot-listen` */
export async function serveNodePages(port: number, look: () => NodeFigures): Promise<ObservationServer> {
  const metrics = await openMetrics(() => familiesOf(look()));
  return serveObservation(port, {
    '/health': () => {
      const { node, site, connected, retiring, running, pressed } = look();
      const status = retiring ? 'leaving' : connected ? 'ok' : 'without a scheduler';
      return jsonPage(status === 'ok' ? 200 : 503, { status, node, site, running, pressed });
    },
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
  });
}
