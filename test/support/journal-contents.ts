/**
 * What a journal holds, for tests that write, reopen and compare.
 */
import assert from 'node:assert/strict';
import type { Journal } from '../../scheduler/journal/journal.ts';

export const record = (text: string): Uint8Array => Buffer.from(text);

/** The records of a journal as texts. */
export async function contentsOf(journal: Journal): Promise<string[]> {
  const found: string[] = [];
  for await (const bytes of journal.read()) found.push(Buffer.from(bytes).toString());
  return found;
}

/** Checks what journal-child.ts wrote: every number once, in order, from the first or from a summary on, each
 * followed by its padding. Returns the last number. */
export function lastOfChild(contents: readonly string[]): number {
  const summary = /^upto (\d+)$/.exec(contents[0] ?? '');
  let last = summary === null ? 0 : Number(summary[1]);
  for (let at = summary === null ? 0 : 1; at < contents.length; at += 2) {
    assert.equal(contents[at], String(last + 1));
    assert.equal(contents[at + 1], 'x'.repeat(((last + 1) * 997) % 5000));
    last++;
  }
  return last;
}
