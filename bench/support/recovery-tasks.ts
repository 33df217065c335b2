/**
 * Tasks that leave a trace of every run, for tests of what is run again: a line in a file when a run begins.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { task } from '../../scheduler/index.ts';

/** Notes its name, takes some time, and gives one more than the largest of its inputs. */
export const noted = task(
  'recovery.noted',
  async (
    { signal },
    about: { readonly file: string; readonly name: string; readonly ms: number },
    inputs: readonly number[],
  ) => {
    appendFileSync(about.file, `${about.name}\n`);
    await sleep(about.ms, undefined, { signal });
    return 1 + Math.max(0, ...inputs);
  },
);
