/** Encrypted connections with real certificates over real sockets: who gets through, who does not and why,
 * what happens as certificates change or come to their end. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { type CertificateFiles, makeCertificate } from '../../nodes/certificates.ts';
import {
  roleToken,
  TlsFiles,
  type Transport,
  tlsTransport,
  webSocketTransport,
} from '../../runtime/index.ts';
import { urisOf } from '../../runtime/transport/peer.ts';
import { connect, startScheduler, tokenRoles } from '../../scheduler/index.ts';
import { runCli, startCli } from '../support/cli.ts';
import { fib } from '../support/nested-tasks.ts';
import { temporaryFolder } from '../support/peers.ts';
import { range, sumOf } from '../support/test-tasks.ts';

const token = 'the secret of these tests';
const hosts = ['127.0.0.1', 'localhost'];
const tasks = new URL('../support/test-tasks.js', import.meta.url).href;
const nested = new URL('../support/nested-tasks.js', import.meta.url).href;

interface About {
  readonly name: string;
  readonly site?: string;
  readonly hosts?: readonly string[];
  readonly days?: number;
}

function make(folder: string, about: About): Promise<CertificateFiles> {
  const { name, site, days = 30 } = about;
  return makeCertificate({ folder, name, site, hosts: about.hosts ?? hosts, days });
}

async function transportOf(t: TestContext, files: Partial<CertificateFiles>): Promise<Transport> {
  const { cert, key, ca } = files;
  const opened = await TlsFiles.open({ cert, key, ca }, () => undefined);
  t.after(() => opened.close());
  return tlsTransport(opened);
}

/** A scheduler that wants certificates of its peers. */
async function secureScheduler(t: TestContext, folder: string, about: Partial<About> = {}) {
  const files = await make(folder, { name: 'scheduler', ...about });
  const scheduler = await startScheduler({ token, transport: await transportOf(t, files) });
  t.after(() => scheduler.close());
  assert.match(scheduler.url, /^wss:/);
  return { files, scheduler };
}

test('two sites compute together by their certificates; a node of another site is refused', async (t) => {
  const folder = temporaryFolder(t);
  const env = { ASPERITAS_TOKEN: token };
  const make = (...words: string[]) => runCli(['certificates', '--out', folder, ...words]);
  const said = await make('--site', 'a', '--host', '127.0.0.1');
  assert.match(said.stdout, /made an authority: .*ca\.pem[\s\S]*made .*a\.pem for 127\.0\.0\.1, site a/);
  for (const words of [['--site', 'b', '--host', '127.0.0.1'], []])
    assert.equal((await make(...words)).status, 0);
  const of = (name: string): string[] => [
    ...['--tls-cert', join(folder, `${name}.pem`), '--tls-key', join(folder, `${name}-key.pem`)],
    ...['--tls-ca', join(folder, 'ca.pem')],
  ];
  const scheduler = startCli(['scheduler', '--port', '0', ...of('a')], env);
  const [, url] = await scheduler.said(/scheduler at (wss:\S+), .*encrypted, certificate valid until \d{4}-/);
  const start = (site: string, certificate: string, name: string) =>
    startCli(
      [
        ...['node', '--scheduler', url!, '--site', site, '--name', name, '--threads', '1'],
        ...['--modules', tasks, '--modules', nested, ...of(certificate)],
      ],
      // A token for nodes alone: what its tasks submit, they submit as a client.
      { ASPERITAS_TOKEN: roleToken(token, tokenRoles.node) },
    );
  const nodes = [start('a', 'a', 'a1'), start('b', 'b', 'b1')];
  for (const node of nodes) await node.said(/threads for/);
  const cheat = await start('b', 'a', 'b2').ended;
  assert.match(
    cheat.stderr,
    /b2 claims to be of b, but its certificate names asperitas:\/\/site\/a: use one/,
  );
  assert.equal(cheat.status, 1);

  const transport = await transportOf(t, {
    cert: join(folder, 'client.pem'),
    key: join(folder, 'client-key.pem'),
    ca: join(folder, 'ca.pem'),
  });
  const cluster = await connect(url!, { token, transport });
  const far = range.with({ site: 'a' })(1000);
  assert.equal(await cluster.compute(sumOf.with({ site: 'b' })(far)), (999 * 1000) / 2);
  assert.equal(await cluster.compute(fib.with({ site: 'b' })(5)), 5);
  await cluster.close();
  const status = await runCli(['status', '--scheduler', url!], {
    ...env,
    ASPERITAS_TLS_CA: join(folder, 'ca.pem'),
    ASPERITAS_TLS_CERT: join(folder, 'client.pem'),
    ASPERITAS_TLS_KEY: join(folder, 'client-key.pem'),
  });
  assert.equal(status.status, 0, status.stderr);
  assert.match(status.stdout, /b1/);
  for (const { child, ended } of [...nodes, scheduler]) {
    child.kill('SIGTERM');
    assert.equal((await ended).status, 0);
  }
});

test('no certificate, another authority, another host or no encryption: nobody gets through', async (t) => {
  const folder = temporaryFolder(t);
  const { files, scheduler } = await secureScheduler(t, folder);
  const dial = (transport: Transport, url = scheduler.url) => connect(url, { token, transport });
  const wrong = { code: 'wrong-certificate', message: /--tls-ca/ };
  await assert.rejects(dial(await transportOf(t, { ca: files.ca })), wrong);
  const others = await make(temporaryFolder(t), { name: 'other' });
  await assert.rejects(dial(await transportOf(t, others)), wrong);
  await assert.rejects(dial(await transportOf(t, { ...others, ca: files.ca })), wrong);
  await assert.rejects(dial(webSocketTransport), wrong);
  const plain = scheduler.url.replace('wss:', 'ws:');
  await assert.rejects(dial(await transportOf(t, files), plain), { code: 'not-encrypted', message: /wss:/ });
  await assert.rejects(dial(webSocketTransport, plain), { code: 'unreachable' });

  const elsewhere = await secureScheduler(t, temporaryFolder(t), { hosts: ['elsewhere.example'] });
  const client = await transportOf(t, elsewhere.files);
  await assert.rejects(dial(client, elsewhere.scheduler.url), {
    ...wrong,
    message: /Hostname\/IP does not match/,
  });
});

test('the token is wanted even of a peer with a good certificate', async (t) => {
  const { files, scheduler } = await secureScheduler(t, temporaryFolder(t));
  const transport = await transportOf(t, files);
  await assert.rejects(connect(scheduler.url, { token: 'a guess', transport }), { code: 'wrong-token' });
  const cluster = await connect(scheduler.url, { token, transport });
  assert.equal((await cluster.status()).nodes.length, 0);
  await cluster.close();
});

test('old versions of TLS are refused', async (t) => {
  const { files, scheduler } = await secureScheduler(t, temporaryFolder(t));
  const [cert, key, ca] = [files.cert, files.key, files.ca].map((path) => readFileSync(path));
  const speak = (version: SecureVersion) =>
    new Promise<string>((resolve) => {
      const port = Number(new URL(scheduler.url).port);
      const versions = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' };
      const socket = connectTls({ port, host: '127.0.0.1', cert, key, ca, ...versions });
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol() ?? 'none');
        socket.destroy();
      });
      socket.once('error', () => resolve('refused'));
    });
  assert.equal(await speak('TLSv1.1'), 'refused');
  assert.equal(await speak('TLSv1.2'), 'TLSv1.2');
  assert.equal(await speak('TLSv1.3'), 'TLSv1.3');
});

test('a stranger that decrypts and encrypts again between the two ends is refused', async (t) => {
  const folder = temporaryFolder(t);
  const { files, scheduler } = await secureScheduler(t, folder);
  // It even has a certificate of the same authority, and passes every byte on.
  const { createServer: createTlsServer } = await import('node:tls');
  const [cert, key, ca] = [files.cert, files.key, files.ca].map((path) => readFileSync(path));
  const relay = createTlsServer({ cert, key, ca, requestCert: true }, (near) => {
    const far = connectTls({ port: Number(new URL(scheduler.url).port), host: '127.0.0.1', cert, key, ca });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  t.after(() => relay.close());
  const { port } = relay.address() as { port: number };
  const transport = await transportOf(t, files);
  const through = connect(`wss://127.0.0.1:${port}`, { token, transport });
  await assert.rejects(through, { code: 'wrong-token' });
});

test('certificates are read again when they change; broken ones leave the former in use', async (t) => {
  const folder = temporaryFolder(t);
  const files = await make(folder, { name: 'first' });
  const second = await make(folder, { name: 'second' });
  const lines: string[] = [];
  const opened = await TlsFiles.open(files, (line) => lines.push(line));
  t.after(() => opened.close());
  const listener = await tlsTransport(opened).listen({ token, hello: {}, onConnection: () => undefined });
  t.after(() => listener.close());
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const [cert, key, ca] = [files.cert, files.key, files.ca].map((path) => readFileSync(path));
      const socket = connectTls({
        port: Number(new URL(listener.url).port),
        host: '127.0.0.1',
        cert,
        key,
        ca,
      });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        resolve(socket.getPeerX509Certificate()!.subject);
        socket.destroy();
      });
    });
  assert.match(await shown(), /CN=first/);
  copyFileSync(second.cert, files.cert);
  copyFileSync(second.key, files.key);
  await opened.reload();
  assert.match(await shown(), /CN=second/);
  writeFileSync(files.cert, 'no certificate');
  await opened.reload();
  assert.match(lines.at(-1)!, /stay as they were: .*first\.pem: holds no certificate/);
  copyFileSync(second.cert, files.cert);
  assert.match(await shown(), /CN=second/);
});

test('a certificate near its end is warned of, one past it is refused', async (t) => {
  const folder = temporaryFolder(t);
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  (await TlsFiles.open(await make(folder, { name: 'long', days: 60 }), log)).close();
  assert.deepEqual(lines, []);
  (await TlsFiles.open(await make(folder, { name: 'short', days: 5 }), log)).close();
  assert.match(lines.join(), /short\.pem expires in [45] days/);
  const past = await make(folder, { name: 'past', days: -1 });
  await assert.rejects(TlsFiles.open(past, log), {
    code: 'bad-certificate',
    message: /past\.pem: expired on/,
  });
});

test('files that do not belong together or that others can read are refused by name', async (t) => {
  const folder = temporaryFolder(t);
  const one = await make(folder, { name: 'one' });
  const two = await make(folder, { name: 'two' });
  const open = (files: object) => TlsFiles.open(files, () => undefined);
  await assert.rejects(open({ ...one, key: two.key }), {
    message: /two-key\.pem: is not the key of .*one\.pem/,
  });
  await assert.rejects(open({ cert: one.cert }), { message: /wanted together/ });
  await assert.rejects(open({ ca: join(folder, 'none.pem') }), {
    message: /none\.pem: can't be read \(ENOENT\)/,
  });
  chmodSync(one.key, 0o644);
  await assert.rejects(open(one), { code: 'insecure-file', message: /chmod 600/ });
  await assert.rejects(make(folder, { name: 'two' }), { code: 'cannot-write', message: /is there already/ });
});

test('a certificate whose names are written to look like others names no site', () => {
  assert.deepEqual(urisOf('DNS:a.example, URI:asperitas://site/a'), ['asperitas://site/a']);
  assert.deepEqual(urisOf('DNS:"a, URI:asperitas://site/b, "'), []);
  assert.deepEqual(urisOf(undefined), []);
});

test('a listener of another kind is named as such', async (t) => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 no\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const transport = await transportOf(t, await make(temporaryFolder(t), { name: 'x' }));
  const dialled = connect(`wss://127.0.0.1:${port}`, { token, transport });
  await assert.rejects(dialled, { code: 'wrong-certificate' });
});
