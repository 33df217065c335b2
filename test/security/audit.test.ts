/** The audit log: who did what is in it, nobody else can read it, and whatever is changed in it shows. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { roleToken, webSocketTransport } from '../../runtime/index.ts';
import { AuditLog } from '../../scheduler/audit-log.ts';
import { connect, startScheduler, task, verifyAudit } from '../../scheduler/index.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/peers.ts';
import { eventually, token } from '../support/small-cluster.ts';
import { SmallNode } from '../support/small-node.ts';

const make = task('audit.make', (_, length: number) => new Float64Array(length).fill(1));
const sum = task('audit.sum', (_, array: Float64Array) => array.reduce((total, value) => total + value, 0));

type Entry = Readonly<Record<string, unknown>>;
const entriesOf = (file: string): Entry[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);

test('who submitted which functions, what crossed sites, who was refused: all is written down', async (t) => {
  const auditFile = join(temporaryFolder(t), 'audit.jsonl');
  const scheduler = await startScheduler({ token, auditFile, check: true });
  const { url } = scheduler;
  const nodes = await Promise.all(['a1', 'b1'].map((name) => SmallNode.start({ url, token, name })));
  const client = await connect(url, { token });
  assert.equal(await client.compute(sum.with({ site: 'b' })(make.with({ site: 'a' })(2000))), 2000);
  const observer = await connect(url, { token: roleToken(token, ['observer']) });
  await assert.rejects(observer.compute(make(1)));
  const stranger = webSocketTransport.dial(url, { token: 'a guess', hello: { role: 'client' } });
  await assert.rejects(stranger, { code: 'wrong-token' });
  await client.shutdown();
  for (const node of nodes) await node.die();
  await scheduler.closed;

  assert.equal(statSync(auditFile).mode & 0o777, 0o600);
  const entries = entriesOf(auditFile);
  const of = (event: string): Entry[] => entries.filter((entry) => entry.event === event);
  assert.deepEqual(
    of('joined')
      .map(({ role }) => role)
      .sort(),
    ['admin', 'node', 'node', 'observer'],
  );
  const [submitted] = of('submitted');
  assert.deepEqual(submitted!.functions, { 'audit.make': 1, 'audit.sum': 1 });
  assert.deepEqual([submitted!.role, submitted!.address], ['admin', '127.0.0.1']);
  const [moved] = of('moved');
  assert.deepEqual([moved!.fromSite, moved!.toSite], ['a', 'b']);
  assert.ok((moved!.bytes as number) >= 16_000);
  assert.match(String(of('refused')[0]!.why), /observer may not ask for submit/);
  assert.equal(of('turned-away')[0]!.why, 'wrong token');
  assert.equal(of('ordered')[0]!.type, 'shutdown');
  assert.equal(entries.at(-1)!.event, 'ended');
  assert.ok(!readFileSync(auditFile, 'utf8').includes(token), 'no secret');
  assert.equal(verifyAudit(auditFile).entries, entries.length);
  const verified = await runCli(['audit', auditFile]);
  assert.match(verified.stdout, new RegExp(`: ${entries.length} entries, each follows`));
});

function logIn(file: string, ...events: string[]): void {
  const log = AuditLog.open(file, assert.fail);
  for (const event of events) log.write(event, { of: event });
  log.close();
}

test('a line that was changed, taken out, exchanged or put in breaks the chain where it is', async (t) => {
  const file = join(temporaryFolder(t), 'audit.jsonl');
  logIn(file, 'one', 'two', 'three', 'four');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const [first, second, third, fourth] = lines as [string, string, string, string];
  const broken: [string[], number][] = [
    [[first, second.replace('"of":"two"', '"of":"TWO"'), third, fourth], 3],
    [[first, third, fourth], 2],
    [[first, third, second, fourth], 2],
    [[first, second, second, third, fourth], 3],
    [[second, third, fourth], 1],
    [[first, '{', third, fourth], 2],
  ];
  for (const [changed, line] of broken) {
    writeFileSync(file, `${changed.join('\n')}\n`);
    assert.throws(() => verifyAudit(file), { code: 'audit-broken', fields: { path: file, line } });
    assert.throws(() => AuditLog.open(file, assert.fail), { code: 'audit-broken' });
  }
  const { status, stderr } = await runCli(['audit', file]);
  assert.equal(status, 1);
  assert.match(stderr, /^asperitas: .*the chain is broken at line 2/);
});

test('a later scheduler goes on with the same chain, also after a write that was cut off', (t) => {
  const file = join(temporaryFolder(t), 'audit.jsonl');
  logIn(file, 'one', 'two');
  const { head } = verifyAudit(file);
  logIn(file, 'three');
  assert.equal(verifyAudit(file).entries, 3);
  assert.equal(entriesOf(file)[2]!.before, head, 'whoever noted the head can see that it is still there');
  truncateSync(file, statSync(file).size - 10);
  assert.equal(verifyAudit(file).entries, 2);
  assert.ok(verifyAudit(file).tornBytes > 0);
  logIn(file, 'four');
  assert.deepEqual(
    entriesOf(file).map(({ event }) => event),
    ['one', 'two', 'torn', 'four'],
  );
  assert.deepEqual(verifyAudit(file).tornBytes, 0);
});

test('a log that others can read or that cannot be written keeps the scheduler from starting', async (t) => {
  const file = join(temporaryFolder(t), 'audit.jsonl');
  logIn(file, 'one');
  chmodSync(file, 0o644);
  await assert.rejects(startScheduler({ token, auditFile: file }), { code: 'insecure-file' });
  const nowhere = join(file, 'below', 'a.jsonl');
  await assert.rejects(startScheduler({ token, auditFile: nowhere }), { code: 'cannot-write' });
  assert.ok(!existsSync(nowhere));
});

test('entries wait for their file in order and none is lost at the end', async (t) => {
  const file = join(temporaryFolder(t), 'audit.jsonl');
  const log = AuditLog.open(file, assert.fail);
  for (let index = 0; index < 3000; index++) log.write('many', { index });
  await eventually(() => statSync(file).size > 0, 'written');
  for (let index = 0; index < 10; index++) log.write('more', { index });
  log.close();
  assert.equal(verifyAudit(file).entries, 3010);
});
