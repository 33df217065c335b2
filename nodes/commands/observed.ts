/**
 * Owns what the daemons' options say about watching them: the port of their pages for monitors, and their
 * structured log. Must not know: what is watched.
 */
import {
  AsperitasError,
  type CommandContext,
  type CommandOption,
  type Log,
  type LogLevel,
  logLevels,
  openLog,
} from '../../runtime/index.ts';
import type { SpanOptions } from '../../scheduler/index.ts';
import { portOf, textOf } from './option-values.ts';

export const observedOptions: Readonly<Record<string, CommandOption>> = {
  'http-port': {
    type: 'string',
    value: 'P',
    help: 'serve /health and /metrics on this port of 127.0.0.1, 0 for any free one; none unless told',
  },
  'log-file': { type: 'string', value: 'FILE', help: 'add events to it, a JSON line each; - is stderr' },
  'log-level': { type: 'string', value: 'LEVEL', help: `${logLevels.join(', ')}: what is logged; info` },
};

export function httpPortOf(options: CommandContext['options']): number | undefined {
  return portOf(options, 'http-port');
}

/** The structured log that the options ask for, if they do.
 * @throws AsperitasError `bad-option`, `cannot-write` */
export async function logOf(
  options: CommandContext['options'],
  source: Readonly<Record<string, string>>,
): Promise<Log | undefined> {
  const level = textOf(options, 'log-level') ?? 'info';
  if (!(logLevels as readonly string[]).includes(level)) {
    const message = `--log-level ${level}: one of ${logLevels.join(', ')} is wanted`;
    throw new AsperitasError('bad-option', message, { option: 'log-level', value: level });
  }
  const file = textOf(options, 'log-file');
  return file === undefined ? undefined : openLog({ file, level: level as LogLevel, source });
}

/** Where OpenTelemetry's own variables say that spans go, if they do.
 * @throws AsperitasError `bad-option` */
export function spansOf(env: NodeJS.ProcessEnv = process.env): SpanOptions | undefined {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const whole = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const url = whole || (base ? `${base.replace(/\/+$/, '')}/v1/traces` : '');
  if (url === '') return undefined;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    const message = `OTEL_EXPORTER_OTLP_ENDPOINT ${url}: a URL such as http://127.0.0.1:4318 is wanted`;
    throw new AsperitasError('bad-option', message, { option: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: url });
  }
  const headers = (env.OTEL_EXPORTER_OTLP_HEADERS ?? '').split(',').flatMap((pair) => {
    const [, name, value] = /^\s*([^=\s]+)\s*=(.*)$/.exec(pair) ?? [];
    return name === undefined ? [] : [[name, decodeURIComponent(value!.trim())]];
  });
  const service = env.OTEL_SERVICE_NAME || 'asperitas';
  return { url, headers: Object.fromEntries(headers) as Record<string, string>, service };
}
