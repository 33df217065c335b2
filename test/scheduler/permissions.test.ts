/** Who may say what to a scheduler, over real sockets: each role with the token that it is given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAsperitasError, roleToken, webSocketTransport } from '../../runtime/index.ts';
import { connect, task, tokenRoles } from '../../scheduler/index.ts';
import { startSmallCluster, token } from '../support/small-cluster.ts';

const twice = task('permissions.twice', (_, value: number) => 2 * value);
const tokenOf = (role: keyof typeof tokenRoles): string => roleToken(token, tokenRoles[role]);

/** Rejects because the scheduler has forbidden it, saying so. */
const forbidden = (words: RegExp) => (error: unknown) =>
  isAsperitasError(error) && words.test(error.message) && isAsperitasError(error.cause, 'forbidden');

test('an observer looks on, and is refused when it asks for work or for the end', async (t) => {
  const { scheduler, cluster } = await startSmallCluster(t, ['a1']);
  const observer = () => connect(scheduler.url, { token: tokenOf('observer') });
  const looking = await observer();
  assert.equal((await looking.status()).nodes.length, 1);
  assert.deepEqual(await looking.trace(), []);
  await assert.rejects(
    looking.compute(twice(1)),
    forbidden(/observer may not ask for submit.*client or admin/),
  );
  const ending = await observer();
  await ending.shutdown();
  await assert.rejects(ending.status(), forbidden(/observer may not ask for shutdown/));
  assert.equal(await cluster.compute(twice(2)), 4);
});

test('a client works, and may not end the cluster; an admin may', async (t) => {
  const { scheduler, cluster } = await startSmallCluster(t, ['a1']);
  const client = await connect(scheduler.url, { token: tokenOf('client') });
  assert.equal(await client.compute(twice(3)), 6);
  await client.shutdown();
  await assert.rejects(client.status(), forbidden(/client may not ask for shutdown.*admin/));
  assert.equal(await cluster.compute(twice(4)), 8);
  const admin = await connect(scheduler.url, { token: tokenOf('admin') });
  await admin.shutdown();
  await scheduler.closed;
});

test('the holder of the secret acts as the role that it asks for', async (t) => {
  const { scheduler } = await startSmallCluster(t, ['a1']);
  const modest = await connect(scheduler.url, { token, role: 'observer' });
  await assert.rejects(modest.compute(twice(1)), forbidden(/observer may not ask for submit/));
});

test('a node may submit for its tasks and administer nothing; no client passes for a node', async (t) => {
  const { scheduler } = await startSmallCluster(t, []);
  const asClient = await connect(scheduler.url, { token: tokenOf('node'), role: 'client' });
  assert.equal((await asClient.status()).nodes.length, 0);
  await asClient.close();
  const asAdmin = connect(scheduler.url, { token: tokenOf('node'), role: 'admin' });
  await assert.rejects(asAdmin, { code: 'wrong-role' });
  const hello = { role: 'node', node: 'n' };
  const asNode = webSocketTransport.dial(scheduler.url, { token: tokenOf('client'), hello });
  await assert.rejects(asNode, { code: 'wrong-role' });
});

test('nobody takes over the connection of a client in another role', async (t) => {
  const { scheduler } = await startSmallCluster(t, []);
  const dial = (role: string) => {
    return webSocketTransport.dial(scheduler.url, { token, hello: { role, client: 'known' } });
  };
  const client = await dial('client');
  const observer = await dial('observer');
  const refused = await new Promise((resolve) => observer.onMessage(resolve));
  assert.equal((refused as { error: { code: string } }).error.code, 'forbidden');
  const answered = new Promise((resolve) => {
    client.onMessage((message) => message.type === 'status' && resolve(message));
  });
  client.send({ type: 'status' });
  await answered;
});
