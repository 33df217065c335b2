/**
 * Owns how a process of the command line gets its certificates: options of the daemons, variables for all
 * others, one transport for both. Must not know: who is dialled, what a certificate stands for.
 */
import {
  type CommandContext,
  type CommandOption,
  TlsFiles,
  type TlsPaths,
  type Transport,
  tlsTransport,
  webSocketTransport,
} from '../runtime/index.ts';

/** Options of the daemons. */
export const tlsOptions: Readonly<Record<string, CommandOption>> = {
  'tls-cert': { type: 'string', value: 'FILE', help: 'its certificate: connections are encrypted' },
  'tls-key': { type: 'string', value: 'FILE', help: 'the key of the certificate' },
  'tls-ca': {
    type: 'string',
    value: 'FILE',
    help: 'who signs the certificates of peers: each must show one then',
  },
};

const variables = { cert: 'ASPERITAS_TLS_CERT', key: 'ASPERITAS_TLS_KEY', ca: 'ASPERITAS_TLS_CA' } as const;

/** Names of all variables that hold paths of certificates. */
export const tlsVariables: readonly string[] = Object.values(variables);

export interface Secured {
  readonly transport: Transport;
  /** Absent where nothing is said of certificates. */
  readonly files: TlsFiles | undefined;
  readonly paths: TlsPaths | undefined;
}

/** The transport that options and variables ask for. The files are read again on SIGHUP.
 * @throws AsperitasError `bad-certificate`, `insecure-file` */
export async function securedTransport(
  options: CommandContext['options'],
  log: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Secured> {
  const of = (name: keyof typeof variables): string | undefined => {
    const option = options[`tls-${name}`];
    return typeof option === 'string' ? option : env[variables[name]] || undefined;
  };
  const paths = { cert: of('cert'), key: of('key'), ca: of('ca') };
  if (Object.values(paths).every((path) => path === undefined)) {
    return { transport: webSocketTransport, files: undefined, paths: undefined };
  }
  const files = await TlsFiles.open(paths, log);
  process.on('SIGHUP', () => void files.reload());
  return { transport: tlsTransport(files), files, paths };
}

/** How the certificate of a daemon stands, for the line that it begins with. */
export function certificateWords({ files }: Secured): string {
  const until = files?.validUntil;
  return until === undefined
    ? ''
    : `, encrypted, certificate valid until ${until.toISOString().slice(0, 10)}`;
}
