/**
 * Owns the command `asperitas token`: a token for one role, to be handed out instead of the secret. Must not
 * know: what a role may do.
 */
import { AsperitasError, type Command, type CommandContext, roleToken } from '../../runtime/index.ts';
import { tokenRoles } from '../../scheduler/index.ts';
import { readToken, tokenPlace, writeToken } from '../config.ts';
import { takesNoArguments, textOf } from './option-values.ts';

async function run({ args, options, stdout }: CommandContext): Promise<number> {
  takesNoArguments(args, 'token');
  const tokenFile = textOf(options, 'token-file');
  const role = textOf(options, 'role');
  const secret = await readToken(tokenFile);
  if (role === undefined) {
    stdout.write(`the token is in ${tokenPlace(tokenFile)}\n`);
    return 0;
  }
  if (!Object.hasOwn(tokenRoles, role)) {
    const message = `--role ${role}: one of ${Object.keys(tokenRoles).join(', ')} is wanted`;
    throw new AsperitasError('bad-option', message, { option: 'role', value: role });
  }
  const token = roleToken(secret, tokenRoles[role as keyof typeof tokenRoles]);
  const out = textOf(options, 'out');
  if (out === undefined) {
    stdout.write(`${token}\n`);
  } else {
    await writeToken(out, token);
    stdout.write(`a token for ${role} is in ${out}\n`);
  }
  return 0;
}

/** `asperitas token` */
export const command: Command = {
  name: 'token',
  summary: "a token for one role, made of the cluster's secret, to be handed out alone",
  usage: 'token [--role ROLE] [--out FILE] [options]',
  options: {
    role: {
      type: 'string',
      value: 'ROLE',
      help: 'observer (may only look), client (work of its own), node, or admin (everything)',
    },
    out: { type: 'string', value: 'FILE', help: 'a new file for the token, instead of printing it' },
    'token-file': { type: 'string', value: 'FILE', help: 'where the secret lies' },
  },
  details:
    'Without --role it says where the secret lies. A token for a role is used as the secret is: as a file ' +
    'named by --token-file, or in the variable ASPERITAS_TOKEN. No other key can be computed from it.\n\n' +
    'example:\n  asperitas token --role observer --out observer.token',
  run,
};
