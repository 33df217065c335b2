/**
 * Owns the WebSocket transport: listening and dialling, plain or encrypted, and the way of a socket to an
 * authenticated connection. The only importer of ws. Must not know: what the messages mean, what is proved.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { AsperitasError } from '../errors.ts';
import { dialAny } from './dial-any.ts';
import { dialError, notEncrypted } from './dial-errors.ts';
import {
  type HandshakePort,
  HandshakeRefused,
  introduce,
  packHandshake,
  parseHandshake,
  receiveDialler,
} from './handshake.ts';
import { limits } from './limits.ts';
import { channelOf, type Peer, peerOf } from './peer.ts';
import type { TlsFiles } from './tls-files.ts';
import type {
  Connection,
  DialOptions,
  Listener,
  ListenOptions,
  Transport,
  WireMessage,
} from './transport.ts';
import { WaitingRoom } from './waiting-room.ts';
import { type FrameSocket, WireConnection } from './wire-connection.ts';

const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** What both ends allow a peer. */
const socketLimits = {
  perMessageDeflate: false,
  maxPayload: limits.payloadBytes,
  maxFragments: limits.messageFragments,
  maxBufferedChunks: limits.bufferedChunks,
  skipUTF8Validation: true,
} as const;

/** Older versions of TLS have known weaknesses; the newest that both ends know is taken. */
const tlsLimits = { minVersion: 'TLSv1.2' } as const;

/** ws hands out views of its receive buffer; the bytes of a message of one piece are given as they are. */
function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Uint8Array.from(Buffer.concat(data));
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Every frame of a socket from its first on: those that come while nobody receives are kept in order. */
class Inbox {
  readonly #frames: Uint8Array[] = [];
  #receive: ((frame: Uint8Array) => void) | undefined;

  constructor(socket: WebSocket) {
    socket.on('message', (data) => {
      const frame = bytesOf(data);
      if (this.#receive !== undefined) this.#receive(frame);
      else if (this.#frames.length < limits.earlyFrames) this.#frames.push(frame);
      else socket.terminate();
    });
  }

  receive(receive: ((frame: Uint8Array) => void) | undefined): void {
    this.#receive = receive;
    while (this.#receive !== undefined && this.#frames.length > 0) this.#receive(this.#frames.shift()!);
  }
}

function socketOf(socket: WebSocket, inbox: Inbox, peer: Peer): FrameSocket {
  return {
    peer,
    send: (data, done) => socket.send(data, { binary: true }, () => done()),
    ping: () => socket.ping(),
    hold: (active) => {
      // ws has no word for it, but shows its socket.
      const { _socket: line } = socket as unknown as { readonly _socket?: Partial<Socket> };
      if (active) line?.ref?.();
      else line?.unref?.();
    },
    terminate: () => socket.terminate(),
    close: (reason) => socket.close(1000, reason.slice(0, 100)),
    onFrame: (receive) => inbox.receive(receive),
    onPong: (receive) => socket.on('pong', receive),
    onClose: (receive) =>
      socket.on('close', (code, reason) =>
        receive(code === 1000 ? undefined : `${code} ${reason.toString()}`.trim()),
      ),
  };
}

/** The next message of a handshake; rejects when the socket closes or `signal` is aborted. */
function nextHandshake(socket: WebSocket, inbox: Inbox, signal: AbortSignal): Promise<WireMessage> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      inbox.receive(undefined);
      socket.off('close', closed);
      signal.removeEventListener('abort', aborted);
    };
    const closed = (code: number): void => {
      end();
      reject(new HandshakeRefused(code, `closed during the handshake (${code})`));
    };
    const aborted = (): void => {
      end();
      reject(signal.reason);
    };
    socket.on('close', closed);
    signal.addEventListener('abort', aborted);
    inbox.receive((frame) => {
      end();
      try {
        resolve(parseHandshake(frame));
      } catch (error) {
        reject(error);
      }
    });
    if (signal.aborted) aborted();
  });
}

interface Beginning {
  readonly socket: WebSocket;
  readonly inbox: Inbox;
  readonly signal: AbortSignal;
  readonly channel: Uint8Array;
}

function portOf({ socket, inbox, signal, channel }: Beginning): HandshakePort {
  return {
    channel,
    send: (message) => socket.send(packHandshake(message)),
    next: () => nextHandshake(socket, inbox, signal),
  };
}

/** Cuts a peer off that sends more than a handshake before it has proved anything. */
function capBytes(socket: Socket): () => void {
  let bytes = 0;
  const count = (piece: Buffer): void => {
    bytes += piece.byteLength;
    if (bytes > 2 * limits.handshakeBytes) socket.destroy();
  };
  socket.on('data', count);
  return () => void socket.off('data', count);
}

async function accept(
  socket: WebSocket,
  request: IncomingMessage,
  options: ListenOptions,
): Promise<Connection | undefined> {
  const signal = AbortSignal.timeout(limits.handshakeMs);
  const inbox = new Inbox(socket);
  const peer = peerOf(request.socket);
  const uncap = capBytes(request.socket);
  try {
    const port = portOf({ socket, inbox, signal, channel: channelOf(request.socket) });
    const hello = await receiveDialler(port, options);
    uncap();
    const { maxBatchBytes = limits.batchBytes } = options;
    const patience = { ...limits, batchBytes: maxBatchBytes };
    return new WireConnection(socketOf(socket, inbox, peer), hello, patience);
  } catch (error) {
    // Garbage, silence or a vanished peer before authentication: nothing is owed to it.
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof HandshakeRefused && error.closeCode >= 4000 && socket.readyState === socket.OPEN) {
      socket.close(error.closeCode, why.slice(0, 100));
      setTimeout(() => socket.terminate(), limits.closeMs).unref();
    } else {
      socket.terminate();
    }
    options.onRefused?.(peer.address, why);
    return undefined;
  }
}

/** The TCP or TLS connection beneath, once the WebSocket is open. */
function opened(socket: WebSocket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    let beneath: Socket | undefined;
    signal.addEventListener('abort', aborted);
    socket.on('error', reject);
    socket.once('upgrade', (response) => {
      beneath = response.socket;
    });
    socket.once('open', () => {
      signal.removeEventListener('abort', aborted);
      resolve(beneath!);
    });
    if (signal.aborted) aborted();
  });
}

interface Dialling {
  readonly url: string;
  readonly options: DialOptions;
  readonly signal: AbortSignal;
  readonly tls: TlsFiles | undefined;
}

async function dialOnce({ url, options, signal, tls }: Dialling): Promise<Connection> {
  let socket: WebSocket | undefined;
  try {
    socket = new WebSocket(url, {
      ...socketLimits,
      // Masking guards proxies against hostile browsers; between two authenticated ends it only costs time.
      generateMask: () => undefined,
      ...tlsLimits,
      ...tls?.context,
    });
    socket.on('error', () => undefined);
    const inbox = new Inbox(socket);
    const beneath = await opened(socket, signal);
    const port = portOf({ socket, inbox, signal, channel: channelOf(beneath) });
    const hello = await introduce(port, options);
    return new WireConnection(socketOf(socket, inbox, peerOf(beneath)), hello);
  } catch (error) {
    socket?.terminate();
    throw error;
  }
}

/** A listener with too many strangers cuts one of them off, which may have been this end. */
function wasCrowdedOut(error: unknown): boolean {
  if (error instanceof HandshakeRefused) return error.closeCode === 1006;
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
}

async function dial(url: string, options: DialOptions, tls: TlsFiles | undefined): Promise<Connection> {
  const timeoutMs = options.timeoutMs ?? limits.dialMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  try {
    if (tls !== undefined && !url.startsWith('wss:')) throw notEncrypted(url);
    for (let tries = 1; ; tries++) {
      try {
        return await dialOnce({ url, options, signal, tls });
      } catch (error) {
        if (tries >= limits.dialTries || signal.aborted || !wasCrowdedOut(error)) throw error;
        // Spread, so that those who were cut off together don't come back together.
        const pauseMs = limits.dialPauseMs * tries * (0.5 + Math.random());
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  } catch (error) {
    throw dialError(error, { url, timeoutMs, aborted: options.signal?.aborted === true });
  }
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message = `can't listen on ${host}:${port} (${error.code}): choose another --port or --host`;
      reject(new AsperitasError('cannot-listen', message, { host, port }, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

/** @throws AsperitasError `insecure-bind`, `weak-token` */
function checkHost(host: string, { token, insecure }: ListenOptions, tls: TlsFiles | undefined): void {
  if (loopback.test(host)) return;
  const encrypted = tls?.context.cert !== undefined;
  if (!encrypted && insecure !== true) {
    const message =
      `listening on ${host} without encryption is refused: give --tls-cert and --tls-key ` +
      '(asperitas certificates makes them), or --insecure-no-tls where a VPN or a tunnel protects the line';
    throw new AsperitasError('insecure-bind', message, { host });
  }
  if (token.length >= limits.routableTokenCharacters) return;
  const least = limits.routableTokenCharacters;
  const message = `listening on ${host} needs a token of at least ${least} characters`;
  throw new AsperitasError('weak-token', message, { host });
}

function makeServer(tls: TlsFiles | undefined): Server {
  const options = {
    headersTimeout: limits.handshakeMs,
    requestTimeout: limits.handshakeMs,
    connectionsCheckingInterval: limits.upgradeCheckMs,
  };
  const answer = (_: IncomingMessage, response: import('node:http').ServerResponse): void => {
    response.writeHead(426, { connection: 'close' }).end('a WebSocket is expected here\n');
  };
  if (tls?.context.cert === undefined) return createServer(options, answer);
  const contextOf = () => ({ ...tlsLimits, ...tls.context });
  const mutual = tls.context.ca !== undefined;
  const server: TlsServer = createTlsServer(
    {
      ...options,
      ...contextOf(),
      handshakeTimeout: limits.handshakeMs,
      requestCert: mutual,
      rejectUnauthorized: mutual,
    },
    answer,
  );
  const stop = tls.onChange(() => server.setSecureContext(contextOf()));
  server.on('close', stop);
  server.on('tlsClientError', (_, socket) => socket.destroy());
  return server;
}

async function listen(options: ListenOptions, tls: TlsFiles | undefined): Promise<Listener> {
  const host = options.host ?? '127.0.0.1';
  checkHost(host, options, tls);
  const server = makeServer(tls);
  const waiting = new WaitingRoom((address, why) => options.onRefused?.(address, why));
  server.on('connection', (socket: Socket) => waiting.enter(socket));
  const sockets = new WebSocketServer({ server, ...socketLimits });
  sockets.on('error', () => undefined);
  const connections = new Set<Connection>();
  sockets.on('connection', (socket, request) => {
    socket.on('error', () => socket.terminate());
    void accept(socket, request, options).then((connection) => {
      if (connection === undefined) return;
      waiting.leave(request.socket);
      connections.add(connection);
      void connection.closed.then(() => connections.delete(connection));
      options.onConnection(connection);
    });
  });
  await listenOn(server, host, options.port ?? 0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const scheme = tls?.context.cert === undefined ? 'ws' : 'wss';
  return {
    url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: async () => {
      for (const connection of connections) connection.close('the listener closes');
      await Promise.race([
        Promise.all([...connections].map((connection) => connection.closed)),
        new Promise((resolve) => setTimeout(resolve, limits.closeMs).unref()),
      ]);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** WebSockets over TCP: unencrypted as a listener; `wss://` is dialled where the system trusts the peer. */
export const webSocketTransport: Transport = {
  listen: (options) => listen(options, undefined),
  dial: (urls, options) => dialAny(urls, (url) => dial(url, options, undefined)),
};

/** WebSockets over TLS, with the certificates of this end. Without one of its own it only dials. */
export function tlsTransport(tls: TlsFiles): Transport {
  return {
    listen: (options) => listen(options, tls),
    dial: (urls, options) => dialAny(urls, (url) => dial(url, options, tls)),
  };
}
