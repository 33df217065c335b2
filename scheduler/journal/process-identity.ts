/**
 * Owns who a process is, so that another can tell whether it still lives: a process id alone is used again,
 * and means another process in another container. Must not know: why anybody wants to know.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  /** The machine since its last start, and the space of process ids in it. */
  readonly machine: string;
  readonly host: string;
  readonly pid: number;
  /** When the process was started, in the words of the system; empty where it does not tell. */
  readonly started: string;
}

function textOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    // Only Linux tells.
    return '';
  }
}

/** The 22nd field of /proc/PID/stat, counted from behind the name, which may hold blanks and brackets. */
function startedOf(pid: number): string {
  return textOf(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });
}

function machineOf(): string {
  const boot = textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const space = textOf(() => readlinkSync('/proc/self/ns/pid'));
  return `${hostname()} ${boot} ${space}`;
}

/** The process that asks. */
export function ownIdentity(): ProcessIdentity {
  return {
    machine: machineOf(),
    host: hostname(),
    pid: process.pid,
    started: startedOf(process.pid),
  };
}

/** The identity in a text that `JSON.stringify` made of one, if it is one. */
export function identityOf(text: string): ProcessIdentity | undefined {
  try {
    const { machine, host, pid, started } = JSON.parse(text) as Partial<ProcessIdentity>;
    if (typeof machine !== 'string' || typeof host !== 'string' || typeof started !== 'string')
      return undefined;
    return typeof pid === 'number' && pid > 0 ? { machine, host, pid, started } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process lives: nobody knows of one on another machine. */
export function lifeOf({ machine, pid, started }: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (machine !== machineOf()) return 'unknown';
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user is alive too.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  return startedOf(pid) === started ? 'alive' : 'dead';
}
