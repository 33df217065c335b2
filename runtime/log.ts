/**
 * Owns the structured log: one JSON line for each event that an operator would look for later, such as a node
 * that joined or a peer that was refused. The only importer of pino. Events have a word by which programs
 * find them; their fields never hold secrets or data. Must not know: what any event means.
 */
import { closeSync, openSync } from 'node:fs';
import { AsperitasError } from './errors.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogEvent {
  readonly level: LogLevel;
  /** A word for programs, past tense: `node-joined`. */
  readonly event: string;
  /** A line for people. */
  readonly text: string;
  readonly fields?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Takes an event. Never throws, and costs nothing worth counting: events are rare. */
export type Log = (event: LogEvent) => void;

export interface LogOptions {
  /** A file that lines are added to; `-` is stderr. */
  readonly file: string;
  /** Events below it are left out. */
  readonly level: LogLevel;
  /** Fields of every line: who speaks. */
  readonly source: Readonly<Record<string, string | number>>;
}

/** Of one event, so many lines a second are written: a peer that is refused again and again must not fill
 * the disk. How many were left out is said with the next one. */
const linesPerSecond = 50;

/** Names that no field may have, whoever made it. */
const secrets = ['token', 'password', 'secret', 'authorization'];

function openable(file: string): string | number {
  if (file === '-') return 2;
  try {
    closeSync(openSync(file, 'a', 0o600));
    return file;
  } catch (cause) {
    const message = `--log-file ${file}: it can't be written to; name another file`;
    throw new AsperitasError('cannot-write', message, { path: file }, { cause });
  }
}

/** Lines of an event in the present second, and how many were left out. */
interface Flow {
  second: number;
  lines: number;
  omitted: number;
}

/** Opens the log. Lines are written at once, so that those before a crash are there after it. The library is
 * loaded only then: threads that run tasks import this folder too.
 * @throws AsperitasError `cannot-write` */
export async function openLog({ file, level, source }: LogOptions): Promise<Log> {
  const { destination, pino } = await import('pino');
  const sink = destination({ dest: openable(file), sync: true, append: true });
  // A disk that is full now may have room later; what happens goes before what is said about it.
  sink.on('error', () => undefined);
  const logger = pino(
    {
      level,
      base: { pid: process.pid, ...source },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: secrets,
    },
    sink,
  );
  return limited(({ level: at, event, text, fields }, omitted) => {
    logger[at]({ event, ...fields, ...(omitted > 0 ? { omitted } : {}) }, text);
  });
}

/** Passes on so many of one event a second, and how many were left out before. */
function limited(write: (event: LogEvent, omitted: number) => void): Log {
  const flows = new Map<string, Flow>();
  return (event) => {
    const second = Math.floor(Date.now() / 1000);
    const flow = flows.get(event.event) ?? { second, lines: 0, omitted: 0 };
    flows.set(event.event, flow);
    if (flow.second !== second) Object.assign(flow, { second, lines: 0 });
    if (flow.lines >= linesPerSecond) {
      flow.omitted++;
      return;
    }
    flow.lines++;
    write(event, flow.omitted);
    flow.omitted = 0;
  };
}
