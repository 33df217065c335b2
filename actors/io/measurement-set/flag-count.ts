/**
 * Owns the counting of flags over a whole Measurement Set, by reading its FLAG column once in bounded pieces.
 * Must not know: visibilities, which samples an image would use.
 */
import { limits } from './limits.ts';
import type { MeasurementSet } from './measurement-set.ts';
import { expandRuns } from './row-index.ts';

/** Flags of all correlations, autocorrelations included. */
export interface FlagCount {
  readonly samples: number;
  readonly flagged: number;
  readonly percent: number;
}

/** Counts flags. Throws what the FLAG column throws. */
export async function countFlags(set: MeasurementSet, signal?: AbortSignal): Promise<FlagCount> {
  const column = set.table.column('FLAG');
  let samples = 0;
  let flagged = 0;
  for (const fieldId of await set.observedFieldIds()) {
    const slots = await set.timeSlots(fieldId);
    const ids = new Set(slots.flatMap(({ rows }) => [...rows.keys()]));
    for (const dataDescriptionId of ids) {
      const runs = await set.rowRuns({ fieldId, dataDescriptionId, slots: [0, slots.length] });
      const rows = expandRuns(runs).sort();
      const [shape = []] = await column.readShapes(rows.subarray(0, 1));
      const rowBytes = shape.reduce((product, length) => product * length, 1);
      const step = Math.max(1, Math.floor(limits.pieceBytes / Math.max(1, rowBytes)));
      for (let start = 0; start < rows.length; start += step) {
        signal?.throwIfAborted();
        const flags = (await column.read(rows.subarray(start, start + step))).values as Uint8Array;
        samples += flags.length;
        for (const flag of flags) flagged += flag;
      }
    }
  }
  return { samples, flagged, percent: samples === 0 ? 0 : (100 * flagged) / samples };
}
