/**
 * Owns the choice of what leaves memory for the disk: the least recently used first, from the high-water mark
 * down to the low one. Must not know: files, buffers, time.
 */

/** A datum in memory that is large enough to be worth a file. */
export interface SpillCandidate {
  readonly key: string;
  readonly bytes: number;
  /** How many runs and transfers are reading it; such a datum stays. */
  readonly pins: number;
}

export interface SpillMarks {
  readonly highBytes: number;
  readonly lowBytes: number;
}

/** The keys to spill, in order; none while use is at or below the high-water mark. */
export function chooseSpills(
  leastRecentFirst: Iterable<SpillCandidate>,
  usedBytes: number,
  marks: SpillMarks,
): string[] {
  if (usedBytes <= marks.highBytes) return [];
  const keys: string[] = [];
  let left = usedBytes;
  for (const { key, bytes, pins } of leastRecentFirst) {
    if (left <= marks.lowBytes) break;
    if (pins > 0) continue;
    keys.push(key);
    left -= bytes;
  }
  return keys;
}
