/**
 * Owns the WebSocket transport: listening, dialling, the authenticated handshake. The only importer of ws.
 * Must not know: what the messages mean.
 */
import { createServer, type Server } from 'node:http';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { decodePacked, encodePacked } from '../codec.ts';
import { AsperitasError } from '../errors.ts';
import { isNonce, makeNonce, proofOf, sameProof } from './handshake.ts';
import { limits } from './limits.ts';
import type {
  Connection,
  DialOptions,
  Listener,
  ListenOptions,
  Transport,
  WireMessage,
} from './transport.ts';
import { type FrameSocket, WireConnection } from './wire-connection.ts';

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

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

function socketOf(socket: WebSocket, inbox: Inbox): FrameSocket {
  return {
    send: (data, done) => socket.send(data, { binary: true }, () => done()),
    ping: () => socket.ping(),
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

function parseHandshake(frame: Uint8Array): WireMessage {
  if (frame.byteLength > limits.handshakeBytes) throw new Error('an oversized handshake');
  const message = decodePacked(frame);
  if (typeof message !== 'object' || message === null) throw new Error('a handshake that is no record');
  return message as WireMessage;
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
      reject(new HandshakeClosed(code));
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

class HandshakeClosed extends Error {
  readonly closeCode: number;
  constructor(closeCode: number) {
    super(`closed during the handshake (${closeCode})`);
    this.closeCode = closeCode;
  }
}

/** Closes a handshake whose proof failed; RFC 6455 leaves 4000-4999 to applications. */
const wrongTokenCode = 4401;

/** The listener's half: nothing is said of this end before the dialler has proved the token. */
async function accept(socket: WebSocket, options: ListenOptions): Promise<Connection | undefined> {
  const signal = AbortSignal.timeout(limits.handshakeMs);
  const inbox = new Inbox(socket);
  try {
    const listener = makeNonce();
    const first = await nextHandshake(socket, inbox, signal);
    if (!isNonce(first.nonce)) throw new Error('no nonce');
    const nonces = { dialler: first.nonce, listener };
    socket.send(encodePacked({ nonce: listener }));
    const second = await nextHandshake(socket, inbox, signal);
    if (!sameProof(second.proof, proofOf(options.token, 'dialler', nonces))) {
      socket.close(wrongTokenCode, 'wrong token');
      setTimeout(() => socket.terminate(), limits.closeMs).unref();
      return undefined;
    }
    const hello = (second.hello ?? {}) as WireMessage;
    const connection = new WireConnection(socketOf(socket, inbox), hello);
    socket.send(encodePacked({ proof: proofOf(options.token, 'listener', nonces), hello: options.hello }));
    return connection;
  } catch {
    // Garbage, silence or a vanished peer before authentication: nothing is owed to it.
    socket.terminate();
    return undefined;
  }
}

interface Dialling {
  readonly socket: WebSocket;
  readonly inbox: Inbox;
  readonly url: string;
  readonly options: DialOptions;
  readonly signal: AbortSignal;
}

/** The dialler's half. */
async function introduce(dialling: Dialling): Promise<Connection> {
  const { socket, inbox, url, options, signal } = dialling;
  const dialler = makeNonce();
  socket.send(encodePacked({ nonce: dialler }));
  const first = await nextHandshake(socket, inbox, signal);
  if (!isNonce(first.nonce)) throw notAsperitas(url);
  const nonces = { dialler, listener: first.nonce };
  socket.send(encodePacked({ proof: proofOf(options.token, 'dialler', nonces), hello: options.hello }));
  const second = await nextHandshake(socket, inbox, signal);
  if (!sameProof(second.proof, proofOf(options.token, 'listener', nonces))) throw wrongToken(url);
  return new WireConnection(socketOf(socket, inbox), (second.hello ?? {}) as WireMessage);
}

function wrongToken(url: string): AsperitasError {
  return new AsperitasError(
    'wrong-token',
    `${url} refused the token: use the token that it was started with`,
    { url },
  );
}
function notAsperitas(url: string): AsperitasError {
  return new AsperitasError('unreachable', `${url} does not answer as asperitas does: check the address`, {
    url,
  });
}

function dialError(error: unknown, url: string, options: DialOptions, timeoutMs: number): AsperitasError {
  if (options.signal?.aborted) {
    return new AsperitasError('aborted', `dialling ${url} was aborted`, { url });
  }
  if (error instanceof AsperitasError && error.code !== 'invalid-message') return error;
  if (error instanceof HandshakeClosed && error.closeCode === wrongTokenCode) return wrongToken(url);
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new AsperitasError('timeout', `${url} did not answer within ${timeoutMs} ms`, { url, timeoutMs });
  }
  const why =
    error instanceof Error
      ? error.message || (error as NodeJS.ErrnoException).code || 'closed'
      : String(error);
  const message = `can't reach ${url} (${why}): is it running, and is the address right?`;
  return new AsperitasError('unreachable', message, { url }, { cause: error });
}

function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener('abort', aborted);
    socket.on('error', reject);
    socket.once('open', () => {
      signal.removeEventListener('abort', aborted);
      resolve();
    });
    if (signal.aborted) aborted();
  });
}

async function dial(url: string, options: DialOptions): Promise<Connection> {
  const timeoutMs = options.timeoutMs ?? limits.dialMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  let socket: WebSocket | undefined;
  try {
    socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: limits.payloadBytes,
      // Masking guards proxies against hostile browsers; between two authenticated ends it only costs time.
      generateMask: () => undefined,
      skipUTF8Validation: true,
    });
    socket.on('error', () => undefined);
    const inbox = new Inbox(socket);
    await opened(socket, signal);
    return await introduce({ socket, inbox, url, options, signal });
  } catch (error) {
    socket?.terminate();
    throw dialError(error, url, options, timeoutMs);
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

async function listen(options: ListenOptions): Promise<Listener> {
  const host = options.host ?? '127.0.0.1';
  if (!loopback.has(host) && options.token.length < limits.routableTokenCharacters) {
    const least = limits.routableTokenCharacters;
    const message = `listening on ${host} needs a token of at least ${least} characters`;
    throw new AsperitasError('weak-token', message, { host });
  }
  const server = createServer((_, response) => response.writeHead(426).end('a WebSocket is expected here\n'));
  server.headersTimeout = limits.handshakeMs;
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: false,
    maxPayload: limits.payloadBytes,
    skipUTF8Validation: true,
  });
  sockets.on('error', () => undefined);
  const connections = new Set<Connection>();
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    void accept(socket, options).then((connection) => {
      if (connection === undefined) return;
      connections.add(connection);
      void connection.closed.then(() => connections.delete(connection));
      options.onConnection(connection);
    });
  });
  await listenOn(server, host, options.port ?? 0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `ws://${host.includes(':') ? `[${host}]` : host}:${port}`,
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

/** WebSockets over TCP. */
export const webSocketTransport: Transport = { listen, dial };
