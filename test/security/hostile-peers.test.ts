/** Hostile peers of a real scheduler and a real node, each a process of its own: whatever they send, both
 * live, leak nothing, and serve an honest client. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import { encodeBatch } from '../../runtime/codec.ts';
import { type WireMessage, webSocketTransport } from '../../runtime/index.ts';
import { packHandshake } from '../../runtime/transport/handshake.ts';
import { limits } from '../../runtime/transport/limits.ts';
import { type Cluster, connect } from '../../scheduler/index.ts';
import { Random } from '../simulation/random.ts';
import { type RunningCli, startCli } from '../support/cli.ts';
import { mutated, mutatedValue } from '../support/mutations.ts';
import { frameOf, RawPeer } from '../support/raw-peer.ts';
import { recordSession } from '../support/recorded-session.ts';
import { add } from '../support/test-tasks.ts';

const token = 'the secret of these hostile tests';
const tasks = new URL('../support/test-tasks.js', import.meta.url).href;
const env = { ASPERITAS_TOKEN: token };
/** How many mutated frames go over sockets: more on demand. */
const frames = Number(process.env.ASPERITAS_SOCKET_FRAMES ?? 2000);
const seed = Number(process.env.ASPERITAS_SEED ?? 1);

let scheduler: RunningCli;
let node: RunningCli;
let url: string;
let nodeUrl: string;
let honest: Cluster;

before(async () => {
  scheduler = startCli(['scheduler', '--port', '0', '--check'], env);
  url = (await scheduler.said(/scheduler at (ws:\S+),/))[1]!;
  const words = ['--scheduler', url, '--site', 'a', '--name', 'a1', '--threads', '1', '--modules', tasks];
  const [port] = await freePorts();
  node = startCli(['node', ...words, '--port', String(port)], env);
  await node.said(/threads for/);
  nodeUrl = `ws://127.0.0.1:${port}`;
  honest = await connect(url, { token });
});

after(async () => {
  await honest.close();
  for (const daemon of [node, scheduler]) {
    daemon.child.kill('SIGTERM');
    await daemon.ended;
  }
});

async function freePorts(): Promise<number[]> {
  const listener = await webSocketTransport.listen({ token, hello: {}, onConnection: () => undefined });
  const { port } = new URL(listener.url);
  await listener.close();
  return [Number(port)];
}

let asked = 0;

/** Both processes live and serve who is honest, over old connections and new ones. */
async function assertServed(): Promise<void> {
  assert.equal(scheduler.child.exitCode, null);
  assert.equal(node.child.exitCode, null);
  asked++;
  assert.equal(await honest.compute(add([asked, 1])), asked + 1);
  const another = await connect(url, { token });
  assert.equal(await another.compute(add([asked, 2])), asked + 2);
  await another.close();
}

const both = (): string[] => [url, nodeUrl];

test('garbage instead of HTTP, of WebSocket, of a handshake: each is cut off', async () => {
  for (const target of both()) {
    const raw = await RawPeer.dial(target);
    raw.socket.write(Buffer.alloc(2000, 0xff));
    await raw.closed();
    const plain = await RawPeer.dial(target);
    plain.socket.write('GET /secrets HTTP/1.1\r\nHost: x\r\n\r\n');
    await plain.closed();
    const masked = await RawPeer.upgrade(target);
    masked.socket.write(Buffer.alloc(50, 0xff));
    await masked.closed();
    for (const first of [{ nonce: 'short', version: 2 }, {}, [1, 2], { nonce: new Uint8Array(32) }]) {
      const peer = await RawPeer.upgrade(target);
      peer.send(packHandshake(first as WireMessage));
      await peer.closed();
    }
  }
  await assertServed();
});

test('a message too long before the proof is cut off, in one piece and in many', async () => {
  for (const target of both()) {
    const one = await RawPeer.upgrade(target);
    one.socket.write(frameOf(new Uint8Array(limits.handshakeBytes + 1000).fill(0x91)));
    await one.closed();
    const many = await RawPeer.upgrade(target);
    const piece = new Uint8Array(1000);
    many.socket.write(frameOf(piece, 0x02));
    for (let count = 0; count < 1000 && !many.isClosed; count++) {
      many.socket.write(frameOf(piece, 0x00));
      await new Promise(setImmediate);
    }
    await many.closed();
  }
  await assertServed();
});

test('a slow-loris, in the request or in the handshake, is cut off while others are served', async () => {
  const slow: { peer: RawPeer; drip: NodeJS.Timeout }[] = [];
  for (const target of both()) {
    const request = await RawPeer.dial(target);
    request.socket.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => request.socket.write('X-Slow: 1\r\n'), 300);
    slow.push({ peer: request, drip });
    const handshake = await RawPeer.upgrade(target);
    const bytes = frameOf(packHandshake({ nonce: new Uint8Array(32), version: 2 }));
    let sent = 0;
    const byByte = setInterval(() => handshake.socket.write(bytes.subarray(sent, ++sent)), 300);
    slow.push({ peer: handshake, drip: byByte });
    slow.push({ peer: await RawPeer.dial(target), drip: setTimeout(() => undefined, 0) });
  }
  await assertServed();
  for (const { peer, drip } of slow) {
    await peer.closed();
    clearInterval(drip);
  }
  await assertServed();
});

test('hundreds of idle connections do not keep an honest one out', async () => {
  const idle: RawPeer[] = [];
  for (let count = 0; count < 3 * limits.unprovedConnections; count++) {
    idle.push(await RawPeer.dial(both()[count % 2]!));
  }
  await assertServed();
  const open = idle.filter(({ isClosed }) => !isClosed).length;
  assert.ok(open <= 2 * limits.unprovedConnections, `${open} are open`);
  for (const peer of idle) peer.destroy();
});

test('a recorded handshake and the frames after it are of no use on another connection', async () => {
  const hello = { role: 'client', client: 'recorded' };
  const first = await RawPeer.introduce(url, { token, hello });
  first.send(batch([{ type: 'shutdown' }].slice(1)));
  const again = await RawPeer.upgrade(url);
  for (const payload of first.sent) again.send(payload);
  again.send(batch([{ type: 'shutdown' }]));
  await again.closed();
  first.destroy();
  await assertServed();
});

test('the challenge that a listener gives, reflected to it, proves nothing', async () => {
  for (const target of both()) {
    const one = await RawPeer.upgrade(target);
    const other = await RawPeer.upgrade(target);
    one.send(packHandshake({ nonce: new Uint8Array(32).fill(7), version: 2 }));
    const challenge = await one.next();
    other.send(challenge);
    const answer = await other.next();
    one.send(answer);
    await one.closed();
    other.destroy();
  }
  await assertServed();
});

/** What a connection sends for a batch of messages. */
function batch(messages: readonly unknown[]): Uint8Array {
  const { header, frames: bulk } = encodeBatch(messages);
  const sizes = new DataView(new ArrayBuffer(4 + 8 * (1 + bulk.length)));
  sizes.setUint32(0, 1 + bulk.length, true);
  for (const [index, blob] of [header, ...bulk].entries()) sizes.setFloat64(4 + 8 * index, blob.length, true);
  return new Uint8Array(Buffer.concat([new Uint8Array(sizes.buffer), header, ...bulk]));
}

const hellos: readonly WireMessage[] = [
  { role: 'client', client: 'hostile' },
  {
    ...{ role: 'node', node: 'h1', site: 'h', url: 'ws://127.0.0.1:9', threads: 1, memoryBytes: 1e9 },
    ...{ resources: { none: 1 }, pid: 1 },
  },
];

test('holders of the token that break the protocol lose their connection, no more', async () => {
  const well = new Uint8Array(500_000).fill(0x91);
  const sized = (count: number, ...sizes: number[]): Uint8Array => {
    const view = new DataView(new ArrayBuffer(4 + 8 * sizes.length));
    view.setUint32(0, count, true);
    for (const [index, size] of sizes.entries()) view.setFloat64(4 + 8 * index, size, true);
    return new Uint8Array(view.buffer);
  };
  const hostile: Uint8Array[] = [
    new Uint8Array(0),
    Uint8Array.of(1),
    sized(2 ** 31, 1),
    sized(1, 2 ** 53),
    sized(1, Number.NaN),
    new Uint8Array(Buffer.concat([sized(1, well.length), well])),
    batch([{ type: 'nothing' }]),
    batch([{ type: { toString: 1 } }]),
    batch([{ type: 'submit', tasks: [], wants: [JSON.parse('{"__proto__":1}')] }]),
    batch([Array.from({ length: 3 }, () => [])]),
  ];
  for (const hello of hellos) {
    for (const payload of hostile) {
      const peer = await RawPeer.introduce(url, { token, hello });
      peer.send(payload);
      await peer.closed();
    }
  }
  for (const payload of hostile) {
    const peer = await RawPeer.introduce(nodeUrl, { token, hello: { role: 'data' } });
    peer.send(payload);
    await peer.closed();
  }
  // Longer than any message may be: cut off as its length is read.
  const long = await RawPeer.introduce(url, { token, hello: hellos[0]! });
  const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
  long.socket.write(head);
  await long.closed();
  await assertServed();
});

function openFiles({ child }: RunningCli): number {
  return readdirSync(`/proc/${child.pid}/fd`).length;
}

function residentMiB({ child }: RunningCli): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))!;
  return Number(kib) / 1024;
}

/** Files are closed some time after the peer has gone. */
async function settledFiles(daemon: RunningCli, wanted: number): Promise<number> {
  for (let tries = 0; tries < 200 && openFiles(daemon) > wanted; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return openFiles(daemon);
}

async function hostileFrames(t: TestContext): Promise<{ hello: WireMessage; frame: Uint8Array }[]> {
  const session = await recordSession(t);
  const random = new Random(seed);
  const towards = session.filter((said) => said.towards);
  const whole = towards.map(({ batch: messages }) => batch(messages));
  return Array.from({ length: frames }, () => {
    const place = random.int(0, towards.length - 1);
    const { peer, batch: messages } = towards[place]!;
    const frame = random.chance(0.7)
      ? mutated(whole[place]!, random.pick(whole), random)
      : batch([mutatedValue(random.pick(messages), random)]);
    return { hello: hellos[peer === 'client' ? 0 : 1]!, frame };
  });
}

test(`${frames} mutated frames over sockets crash nothing and leak nothing`, {
  skip: process.platform === 'linux' ? false : 'counts open files as Linux shows them',
}, async (t) => {
  const list = await hostileFrames(t);
  const files = [openFiles(scheduler), openFiles(node)] as const;
  const memoryMiB = [residentMiB(scheduler), residentMiB(node)] as const;
  let [sent, connections] = [0, 0];
  const sendSome = async (part: number): Promise<void> => {
    let peer: RawPeer | undefined;
    for (let index = part; index < list.length; index += 4) {
      const { hello, frame } = list[index]!;
      // Each part under names of its own, so that they do not end each other.
      const own = { ...hello, [hello.role === 'node' ? 'node' : 'client']: `h${part}` };
      if (peer === undefined || peer.isClosed || index % 8 < 4) {
        peer?.destroy();
        const toNode = index % 10 === 9;
        connections++;
        const party = { token, hello: toNode ? { role: 'data' } : own };
        peer = await RawPeer.introduce(toNode ? nodeUrl : url, party);
      }
      peer.send(frame);
      sent++;
      await new Promise(setImmediate);
    }
    peer?.destroy();
  };
  await Promise.all([0, 1, 2, 3].map(sendSome));
  assert.equal(sent, frames);
  assert.ok(connections > frames / 10);
  await assertServed();
  for (const [index, daemon] of [scheduler, node].entries()) {
    const now = await settledFiles(daemon, files[index]! + 2);
    assert.ok(now <= files[index]! + 2, `${files[index]} files were open, now ${now}`);
    const grownMiB = residentMiB(daemon) - memoryMiB[index]!;
    assert.ok(grownMiB < 400, `grown by ${grownMiB} MiB`);
  }
  assert.deepEqual(
    (await honest.status()).nodes.map((one) => one.node),
    ['a1'],
  );
});
