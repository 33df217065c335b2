/**
 * Owns the command `asperitas info`: prints what a Measurement Set holds, for people or as JSON.
 * Must not know: how the set is read.
 */
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import { describeSet } from '../io/measurement-set/describe.ts';
import { countFlags } from '../io/measurement-set/flag-count.ts';
import { openMeasurementSet } from '../io/measurement-set/measurement-set.ts';
import { infoText } from './info-text.ts';

async function run({ args, options, stdout, signal }: CommandContext): Promise<number> {
  if (args.length === 0) {
    throw new AsperitasError('usage', 'name a Measurement Set; see asperitas info --help', {
      command: 'info',
    });
  }
  const descriptions = [];
  for (const path of args) {
    signal.throwIfAborted();
    const set = await openMeasurementSet(path);
    try {
      const description = await describeSet(set);
      const flags = options.flags === true ? { flags: await countFlags(set, signal) } : {};
      descriptions.push({ ...description, ...flags });
    } finally {
      await set.close();
    }
  }
  if (options.json === true) {
    const [only] = descriptions;
    stdout.write(`${JSON.stringify(descriptions.length === 1 ? only : descriptions, undefined, 2)}\n`);
  } else {
    stdout.write(descriptions.map(infoText).join('\n'));
  }
  return 0;
}

/** `asperitas info OBS.ms` */
export const command: Command = {
  name: 'info',
  summary: 'what a Measurement Set holds: fields, bands, times, antennas, columns',
  usage: 'info OBS.ms [MORE.ms ...] [--json] [--flags]',
  options: {
    json: { type: 'boolean', help: 'print JSON; its keys are listed in docs/formats.md' },
    flags: { type: 'boolean', help: 'also count the flags, which reads the whole FLAG column' },
  },
  run,
};
