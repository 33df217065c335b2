/**
 * Owns the spans of runs for OpenTelemetry: one a run, from the order until its end, sent in batches as OTLP
 * JSON over HTTP. Runs are taken from those that are kept anyway, at most a few times a second, and what a
 * collector does not take waits within a bound. Must not know: sockets of the cluster, what tasks do.
 */
import { createHash } from 'node:crypto';
import type { Log } from '../runtime/index.ts';
import { limits } from './limits.ts';
import type { RunTrace } from './protocol.ts';
import type { SchedulerState } from './scheduler-state.ts';

export interface SpanOptions {
  /** Where batches are posted: the whole URL, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

/** A span as OTLP's JSON has it: ids in hexadecimal, times in nanoseconds as text. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  readonly kind: 1;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: 1 | 2 };
}

function hex(text: string, bytes: number): string {
  return createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 2 * bytes);
}

function nanos(ms: number): string {
  const whole = Math.floor(ms);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)));
}

function attributesOf(values: Readonly<Record<string, string | number | undefined>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]): Attribute[] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
    return [{ key, value: { intValue: String(Math.round(value)) } }];
  });
}

/** The span of a run. All attempts at a task are one trace; a link leads to the input that came last. */
export function spanOf(run: RunTrace): Span {
  const { key, fn, node, site, startMs, endMs, fetchMs = 0, queueMs = 0, after } = run;
  const attributes = attributesOf({
    'asperitas.task.key': key,
    'asperitas.task.function': fn,
    'asperitas.node': node,
    'asperitas.site': site,
    'thread.id': run.thread,
    'asperitas.fetch_ms': fetchMs,
    'asperitas.queue_ms': queueMs,
    'asperitas.compute_ms': endMs - startMs,
    'asperitas.fetched.same_site_bytes': run.localBytes,
    'asperitas.fetched.other_sites_bytes': run.remoteBytes,
    'asperitas.process.peak_bytes': run.rssPeakBytes,
  });
  const links = after === undefined ? [] : [{ traceId: hex(after, 16), spanId: hex(`of ${after}`, 8) }];
  return {
    traceId: hex(key, 16),
    // The run whose result counts bears the id that others link to.
    spanId: run.outcome === 'done' ? hex(`of ${key}`, 8) : hex(`${key} ${node} ${startMs}`, 8),
    name: fn,
    kind: 1,
    startTimeUnixNano: nanos(startMs - fetchMs - queueMs),
    endTimeUnixNano: nanos(Math.max(startMs, endMs)),
    attributes,
    links,
    status: { code: run.outcome === 'done' ? 1 : 2 },
  };
}

export class SpanExporter {
  readonly #options: SpanOptions;
  readonly #log: Log;
  #seen = 0;
  #queue: RunTrace[] = [];
  #dropped = 0;
  #sending: Promise<void> | undefined;
  #pauseUntilMs = 0;

  constructor(options: SpanOptions, log: Log | undefined) {
    this.#options = options;
    this.#log = log ?? (() => undefined);
  }

  /** Takes up the runs that have ended since the last look, and sends. */
  look({ traces, tally }: Pick<SchedulerState, 'traces' | 'tally'>): void {
    const fresh = Math.min(tally.runs - this.#seen, traces.length);
    this.#seen = tally.runs;
    for (const run of fresh === 0 ? [] : traces.slice(-fresh)) this.#queue.push(run);
    const over = this.#queue.length - limits.spansQueued;
    if (over > 0) {
      this.#queue = this.#queue.slice(over);
      this.#dropped += over;
    }
    if (performance.now() >= this.#pauseUntilMs) this.#send();
  }

  /** Sends what is left, once, for a short while at most. */
  async close(): Promise<void> {
    await this.#sending;
    this.#send();
    await this.#sending;
  }

  #send(): void {
    if (this.#sending !== undefined || this.#queue.length === 0) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, limits.spansSent);
      const failure = await this.#post(batch);
      if (failure !== undefined) {
        // Tried again later; when it is too much, the oldest go.
        this.#pauseUntilMs = performance.now() + limits.spansRetryMs;
        const text = `the collector at ${this.#options.url} takes no spans: ${failure}`;
        const fields = { waiting: this.#queue.length, dropped: this.#dropped };
        this.#log({ level: 'warn', event: 'spans-not-taken', text, fields });
        return;
      }
      const sent = new Set(batch);
      this.#queue = this.#queue.filter((run) => !sent.has(run));
    }
  }

  async #post(batch: readonly RunTrace[]): Promise<string | undefined> {
    const { url, headers, service } = this.#options;
    const resource = { attributes: attributesOf({ 'service.name': service }) };
    const scopeSpans = [{ scope: { name: 'asperitas' }, spans: batch.map(spanOf) }];
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] }),
        signal: AbortSignal.timeout(limits.spansPostMs),
        redirect: 'error',
      });
      await response.arrayBuffer();
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
