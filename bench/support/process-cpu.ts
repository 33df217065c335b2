/**
 * Owns the processor time of a process and all its children, threads included, as Linux counts it: unlike the
 * time of day, it hardly depends on what else the machine does. Must not know: what is measured.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second. */
const tickMs = 10;

interface Times {
  readonly parent: number;
  readonly cpuMs: number;
}

function timesOf(pid: number): Times | undefined {
  try {
    // The name, in brackets, may contain anything; what follows it is split by blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return { parent: Number(fields[1]), cpuMs: tickMs * (Number(fields[11]) + Number(fields[12])) };
  } catch {
    return undefined;
  }
}

/** Milliseconds of processor time of a process and its living descendants; NaN where there is no /proc. */
export function cpuOfTree(root: number): number {
  let pids: number[];
  try {
    pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return Number.NaN;
  }
  const known = new Map(pids.flatMap((pid) => [[pid, timesOf(pid)] as const]));
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = known.get(at)?.parent) {
      if (at === root) return true;
    }
    return false;
  };
  return [...known].reduce((sum, [pid, times]) => sum + (belongs(pid) ? (times?.cpuMs ?? 0) : 0), 0);
}
