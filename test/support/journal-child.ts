/**
 * A process that opens a journal and writes to it until it is killed: `node journal-child.js URL NAME`. Says
 * a line when it is the writer, and the number of every append once that is durable. Each append holds two
 * records, the number and some padding; now and then everything is rewritten as one record.
 */
import { writeSync } from 'node:fs';
import { openJournal } from '../../scheduler/journal/open-journal.ts';

const [url, name, mode] = process.argv.slice(2);

// Synchronous, so that what was said before the end is not lost with the process.
const say = (line: string): void => void writeSync(1, `${line}\n`);

/** The record that stands for all appends up to a number. */
const summary = (upTo: number): Uint8Array => Buffer.from(`upto ${upTo}`);

const journal = await openJournal(url!, { name: name!, log: (line) => say(`log ${line}`) });
let last = 0;
for await (const record of journal.read()) {
  const number = /^(?:upto )?(\d+)/.exec(Buffer.from(record).toString())?.[1];
  if (number !== undefined) last = Number(number);
}
say(`open ${journal.epoch} ${last}`);
void journal.lost.then((error) => {
  say(`lost ${error.code}`);
  process.exit(3);
});
for (let number = last + 1; ; number++) {
  try {
    const padding = Buffer.alloc((number * 997) % 5000, 'x');
    await journal.append([Buffer.from(`${number}`), padding]);
    if (mode === 'rewriting' && number % 7 === 0) await journal.rewrite([summary(number)]);
  } catch (error) {
    say(`refused ${(error as { code?: string }).code}`);
    process.exit(3);
  }
  say(`done ${number}`);
  if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, 5));
}
