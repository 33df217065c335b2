/**
 * Owns the command `asperitas certificates`: what TLS between sites needs, made without further tools. Must
 * not know: how certificates are made or used.
 */
import { hostname } from 'node:os';
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import { makeCertificate } from '../certificates.ts';
import { required, takesNoArguments, textOf, textsOf, wholeOf } from './option-values.ts';

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const defaultDays = 365;

function plain(option: string, value: string | undefined): string | undefined {
  if (value === undefined || (plainName.test(value) && value !== 'ca')) return value;
  const message = `--${option} ${value}: letters, digits, dots, dashes, underscores; not ca`;
  throw new AsperitasError('bad-option', message, { option, value });
}

async function run({ args, options, stdout }: CommandContext): Promise<number> {
  takesNoArguments(args, 'certificates');
  const folder = required(options, 'out', 'certificates');
  const site = plain('site', textOf(options, 'site'));
  const name = plain('name', textOf(options, 'name')) ?? site ?? 'client';
  const given = textsOf(options, 'host');
  // Who is only ever dialled from the same machine needs no other names.
  const hosts = given.length > 0 ? given : site === undefined ? [] : ['localhost', '127.0.0.1', hostname()];
  const days = wholeOf(options, 'days', 1, 3650) ?? defaultDays;
  const { ca, cert, key, madeAuthority } = await makeCertificate({ folder, name, site, hosts, days });
  if (madeAuthority) stdout.write(`made an authority: ${ca}; keep its key ca-key.pem where only you are\n`);
  stdout.write(
    `made ${cert} for ${[...hosts, ...(site ? [`site ${site}`] : [])].join(', ') || 'a client'}\n`,
  );
  stdout.write(`use it with --tls-cert ${cert} --tls-key ${key} --tls-ca ${ca}\n`);
  return 0;
}

/** `asperitas certificates` */
export const command: Command = {
  name: 'certificates',
  summary: 'certificates for encrypted connections between sites, and the authority that signs them',
  usage: 'certificates --out DIR [--site NAME] [--host H]... [options]',
  options: {
    out: { type: 'string', value: 'DIR', help: 'the folder of the authority; made if it has none' },
    site: { type: 'string', value: 'NAME', help: 'the site whose nodes may use it; a client needs none' },
    host: {
      type: 'string',
      multiple: true,
      value: 'H',
      help: 'a name or address under which it is dialled; localhost and this machine unless told',
    },
    name: { type: 'string', value: 'NAME', help: 'what the files are called; the site, or client' },
    days: { type: 'string', value: 'N', help: `how long it holds; ${defaultDays}` },
  },
  details:
    'Give each machine its own certificate and key, and ca.pem; the key of the authority, ca-key.pem, to ' +
    'none. With a certificate of a site, a node can only join as a node of that site.\n\n' +
    'example:\n' +
    '  asperitas certificates --out tls --site nancay --host node1.nancay.example --host 10.0.0.2',
  run,
};
