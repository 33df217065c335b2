/**
 * Owns a small HTTP server for monitoring: a few pages, made when they are asked for, on loopback only. It
 * reads nothing but the path of a GET request. Must not know: what any page says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsperitasError } from './errors.ts';

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Pages by path. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

export interface ObservationServer {
  readonly url: string;
  close(): Promise<void>;
}

const host = '127.0.0.1';
/** A page is asked for in one small packet, by a program on this machine. */
const serverOptions = {
  requestTimeout: 5_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8_192,
} as const;
const connections = 32;

function send(response: ServerResponse, { status, type, body }: Page): void {
  const headers = { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, headers).end(body);
}

function plain(status: number, text: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

export function jsonPage(status: number, value: unknown): Page {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

/** A page of a foreign site that a user of this machine looks at must not read it under a name of its own
 * that leads here. */
function namesThisMachine(name: string | undefined): boolean {
  return name !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(name);
}

async function answer(pages: Pages, request: IncomingMessage): Promise<Page> {
  if (!namesThisMachine(request.headers.host)) return plain(403, 'ask for it under 127.0.0.1');
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET is answered');
  const path = (request.url ?? '/').split('?', 1)[0]!;
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return plain(404, `there are ${Object.keys(pages).join(' and ')}`);
  return page();
}

/** Serves pages on a loopback port, 0 for any free one.
 * @throws AsperitasError `cannot-listen` */
export async function serveObservation(port: number, pages: Pages): Promise<ObservationServer> {
  const server = createServer(serverOptions, (request, response) => {
    answer(pages, request).then(
      (page) => send(response, page),
      (error: unknown) => send(response, plain(500, error instanceof Error ? error.message : String(error))),
    );
  });
  server.maxConnections = connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is in use' : cause.message;
      const message = `can't serve HTTP on port ${port}: ${why}; choose another --http-port`;
      reject(new AsperitasError('cannot-listen', message, { host, port }, { cause }));
    });
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
