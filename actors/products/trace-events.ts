/**
 * Owns the file trace.json: the runs of a job in the Trace Event Format. Must not know: what its events look
 * like (scheduler/trace-events.ts).
 */
import { type RunTrace, traceEvents } from '../../scheduler/index.ts';
import { isoFromMjd, mjdFromUnixMs } from '../io/calendar.ts';
import { type WriteOptions, writeAtomically } from '../io/write-atomically.ts';

/** Writes a trace event by event. Throws `disk-full`, `cannot-write`, `aborted`. */
export async function writeTrace(
  path: string,
  runs: readonly RunTrace[],
  options: WriteOptions = {},
): Promise<void> {
  const first = runs.reduce((least, { startMs }) => Math.min(least, startMs), Number.POSITIVE_INFINITY);
  const start = runs.length === 0 ? {} : { start: `${isoFromMjd(mjdFromUnixMs(first))}Z` };
  await writeAtomically(
    path,
    async (file) => {
      await file.append(`{"displayTimeUnit":"ms","otherData":${JSON.stringify(start)},"traceEvents":[`);
      let separator = '\n';
      for (const event of traceEvents(runs)) {
        await file.append(separator + JSON.stringify(event));
        separator = ',\n';
      }
      await file.append('\n]}\n');
    },
    options,
  );
}
