/**
 * A node and a scheduler that will not have it, or that it can't understand: it ends and says why, rather
 * than come again for ever. The scheduler's side of the connection is played by the test.
 */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import { NodeAgent } from '../../nodes/agent.ts';
import { type WireMessage, webSocketTransport } from '../../runtime/index.ts';

const token = 'a token for tests of agents';

/** A node whose scheduler answers every connection with `greetings`; how often it has come. */
async function nodeGreetedBy(t: TestContext, ...greetings: readonly WireMessage[]) {
  const visits = { count: 0 };
  const listener = await webSocketTransport.listen({
    token,
    hello: { role: 'scheduler' },
    onConnection: (connection) => {
      visits.count++;
      for (const greeting of greetings) connection.send(greeting);
    },
  });
  t.after(() => listener.close());
  const agent = NodeAgent.start({
    scheduler: listener.url,
    token,
    name: 'a1',
    site: 'a',
    threads: 1,
    memoryBytes: 2 ** 20,
    data: undefined,
    spillFolder: tmpdir(),
    modules: [],
    devices: [],
    host: undefined,
    port: undefined,
    advertise: undefined,
    log: () => undefined,
  });
  t.after(() => agent.then((started) => started.close()).catch(() => undefined));
  return { agent, visits };
}

test('a node that the scheduler refuses ends with what the scheduler says', async (t) => {
  const error = { name: 'AsperitasError', code: 'name-taken', message: 'a node named a1 is there already' };
  const { agent, visits } = await nodeGreetedBy(t, { type: 'refused', error });
  await assert.rejects(agent, { code: 'name-taken', message: error.message });
  assert.equal(visits.count, 1);
});

test('a node is there when its scheduler has welcomed it, and ends when it is refused later', async (t) => {
  const error = { name: 'AsperitasError', code: 'name-taken', message: 'a node named a1 is there already' };
  const { agent } = await nodeGreetedBy(t, { type: 'welcome', epoch: 1 }, { type: 'refused', error });
  await assert.rejects((await agent).ended, { code: 'name-taken' });
});

test('a node that is told what it does not understand ends, and does no wrong work', async (t) => {
  const { agent, visits } = await nodeGreetedBy(t, { type: 'dance' });
  await assert.rejects(agent, { code: 'invalid-message', message: /scheduler-to-node.*dance/ });
  assert.equal(visits.count, 1);
});
