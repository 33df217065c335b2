/**
 * Owns the format that Prometheus reads: families of figures, made anew for every scrape, and the process's
 * own (CPU, memory, delay of the event loop, garbage collection). The only importer of prom-client. Must not
 * know: what is measured.
 */
import type * as Prom from 'prom-client';

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A counter only grows while the process lives, and its name ends in `_total`. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface Metrics {
  readonly contentType: string;
  /** A scrape. */
  text(): Promise<string>;
}

function addFamily(prom: typeof Prom, registry: Prom.Registry, { name, help, samples }: MetricFamily): void {
  const labelNames = Object.keys(samples[0]?.labels ?? {});
  const options = { name, help, labelNames, registers: [registry] };
  if (name.endsWith('_total')) {
    const counter = new prom.Counter(options);
    for (const { labels = {}, value } of samples) counter.inc(labels, value);
  } else {
    const gauge = new prom.Gauge(options);
    for (const { labels = {}, value } of samples) gauge.set(labels, value);
  }
}

/** The library is loaded when it is first wanted: threads that run tasks import this folder too.
 * @param families called for every scrape */
export async function openMetrics(families: () => readonly MetricFamily[]): Promise<Metrics> {
  const prom = await import('prom-client');
  const own = new prom.Registry();
  prom.collectDefaultMetrics({ register: own });
  return {
    contentType: own.contentType,
    text: async () => {
      const registry = new prom.Registry();
      for (const family of families()) addFamily(prom, registry, family);
      return `${await registry.metrics()}\n${await own.metrics()}`;
    },
  };
}
