/** Hostile frames at the level of the decoder, the schemas and the scheduler's core: a hundred thousand,
 * made of what a real session said. None gets past its connection, none breaks the core. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { encodeBatch } from '../../runtime/codec.ts';
import {
  clientId,
  isAsperitasError,
  millis,
  nodeId,
  siteName,
  type WireMessage,
} from '../../runtime/index.ts';
import { type FrameSocket, WireConnection } from '../../runtime/transport/wire-connection.ts';
import { check } from '../../scheduler/invariants.ts';
import { FromNode, type NodeInfo, ToClient, ToNode, ToScheduler } from '../../scheduler/protocol.ts';
import { handle } from '../../scheduler/scheduler-core.ts';
import { createState, type SchedulerEvent } from '../../scheduler/scheduler-state.ts';
import { Random } from '../simulation/random.ts';
import { mutated, mutatedValue } from '../support/mutations.ts';
import { recordSession, type Said } from '../support/recorded-session.ts';

/** The full hundred thousand take their time on a small machine; every run has other seeds to try. */
const rounds = Number(process.env.ASPERITAS_FRAMES ?? 100_000);
const seed = Number(process.env.ASPERITAS_SEED ?? 1);

/** A batch as it goes over the wire: in one frame, since none of the session's is large. */
function frameOf(batch: readonly unknown[]): Uint8Array {
  const { header, frames } = encodeBatch(batch);
  const sizes = new Uint8Array(4 + 8 * (1 + frames.length));
  const view = new DataView(sizes.buffer);
  view.setUint32(0, 1 + frames.length, true);
  for (const [index, blob] of [header, ...frames].entries()) {
    view.setFloat64(4 + 8 * index, blob.byteLength, true);
  }
  return new Uint8Array(Buffer.concat([sizes, header]));
}

/** Gives one frame to a connection of its own; what it delivers, and why it ended if it did. */
async function received(frame: Uint8Array): Promise<{ messages: WireMessage[]; error: unknown }> {
  const messages: WireMessage[] = [];
  let give: (data: Uint8Array) => void = () => undefined;
  let end: (why: string | undefined) => void = () => undefined;
  const socket: FrameSocket = {
    send: () => undefined,
    ping: () => undefined,
    hold: () => undefined,
    close: () => end(undefined),
    terminate: () => end('cut'),
    onFrame: (receive) => {
      give = receive;
    },
    onPong: () => undefined,
    onClose: (receive) => {
      end = receive;
    },
  };
  const connection = new WireConnection(socket, {});
  connection.onMessage((message) => messages.push(message));
  give(frame);
  end(undefined);
  return { messages, error: await connection.closed };
}

function parserOf({ peer, towards }: Said): (message: unknown) => unknown {
  if (peer === 'node') return towards ? FromNode.parse : ToNode.parse;
  return towards ? ToScheduler.parse : ToClient.parse;
}

/** A core with a node and a client in it, which takes what passed all checks as those two would have sent. */
class Victim {
  #state = createState();
  #now = 1000;
  taken = 0;

  constructor() {
    this.#begin();
  }

  #begin(): void {
    this.#state = createState();
    const info: NodeInfo = {
      role: 'node',
      node: nodeId('a1'),
      site: siteName('a'),
      url: 'ws://127.0.0.1:9',
      threads: 1,
      memoryBytes: 2 ** 30,
      resources: {},
      pid: 1,
    };
    this.#feed({ type: 'node-joined', info });
    this.#feed({ type: 'client-joined', client: clientId('c') });
  }

  #feed(event: SchedulerEvent): void {
    handle(this.#state, event, millis(this.#now++));
  }

  take({ peer }: Said, message: unknown): void {
    if (peer === 'node') {
      this.#feed({ type: 'from-node', node: nodeId('a1'), message: message as FromNode });
    } else {
      this.#feed({ type: 'from-client', client: clientId('c'), message: message as ToScheduler });
    }
    if (++this.taken % 20 === 0) {
      this.#feed({ type: 'drained' });
      this.#feed({ type: 'ticked' });
      assert.deepEqual(check(this.#state), []);
    }
    if (this.taken % 5000 === 0) this.#begin();
  }
}

async function framesOf(t: TestContext): Promise<{ said: Said; frame: Uint8Array }[]> {
  const session = await recordSession(t);
  const list = session.map((said) => ({ said, frame: frameOf(said.batch) }));
  assert.ok(list.length > 20, 'the session said something');
  return list;
}

test('what was recorded is honest: it passes the decoder and the schemas', async (t) => {
  for (const { said, frame } of await framesOf(t)) {
    const { messages, error } = await received(frame);
    assert.equal(error, undefined);
    assert.equal(messages.length, said.batch.length);
    for (const message of messages) parserOf(said)(message);
  }
});

test(`${rounds} mutated frames end their connection or pass as what they are, no more`, async (t) => {
  const list = await framesOf(t);
  const random = new Random(seed);
  const victim = new Victim();
  const before = Object.getOwnPropertyNames(Object.prototype).sort();
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const { said, frame } = random.pick(list);
    // Some are broken as bytes, others are whole and say what nobody would.
    const mutant = random.chance(0.6)
      ? mutated(frame, random.pick(list).frame, random)
      : frameOf([random.pick(said.batch), mutatedValue(random.pick(said.batch), random)]);
    const about = `seed ${seed}, round ${round}: ${Buffer.from(mutant).toString('hex').slice(0, 400)}`;
    const { messages, error } = await received(mutant);
    if (error !== undefined) {
      refused++;
      assert.ok(isAsperitasError(error, 'invalid-message'), `${about}: ${error}`);
    }
    for (const raw of messages) {
      let message: unknown;
      try {
        message = parserOf(said)(raw);
      } catch (wrong) {
        assert.ok(isAsperitasError(wrong, 'invalid-message'), `${about}: ${wrong}`);
        break;
      }
      try {
        if (said.towards) victim.take(said, message);
      } catch (defect) {
        assert.fail(`${about}: ${(defect as Error).stack}`);
      }
    }
  }
  assert.ok(refused > rounds / 4, `${refused} refused`);
  assert.ok(victim.taken > rounds / 100, `${victim.taken} reached the core`);
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), before);
  assert.equal(({} as { admin?: unknown }).admin, undefined);
});
