/**
 * Owns the command `asperitas audit`: whether an audit log is whole. Must not know: what its entries say.
 */
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import { verifyAudit } from '../../scheduler/index.ts';

async function run({ args, stdout }: CommandContext): Promise<number> {
  const [file, more] = args;
  if (file === undefined || more !== undefined) {
    throw new AsperitasError('usage', 'audit takes one file; see asperitas audit --help', {
      command: 'audit',
    });
  }
  const { entries, head, tornBytes } = verifyAudit(file);
  stdout.write(`${file}: ${entries} entries, each follows the one before; the last is ${head}\n`);
  if (tornBytes > 0) stdout.write(`${tornBytes} bytes at its end are no whole entry: a write was cut off\n`);
  return 0;
}

/** `asperitas audit` */
export const command: Command = {
  name: 'audit',
  summary: "check that nothing was changed in, or taken out of, a scheduler's audit log",
  usage: 'audit FILE',
  options: {},
  details:
    'A scheduler writes one with --audit FILE. Each line holds the digest of the line before; note the ' +
    'last one elsewhere to see later that the end was not cut off, or the whole not written anew.\n\n' +
    'example:\n  asperitas audit /var/log/asperitas/audit.jsonl',
  run,
};
