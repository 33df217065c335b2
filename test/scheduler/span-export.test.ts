/** Spans of real runs, as a real HTTP collector gets them. */
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { spansOf } from '../../nodes/commands/observed.ts';
import { connect, startScheduler } from '../../scheduler/index.ts';
import type { Span } from '../../scheduler/span-export.ts';
import { eventually } from '../support/small-cluster.ts';
import { SmallNode } from '../support/small-node.ts';
import * as tasks from '../support/test-tasks.ts';

interface Posted {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly spans: readonly Span[];
  readonly service: string | undefined;
}

/** A collector that answers with the next of `statuses`, then with 200. */
async function startCollector(t: TestContext, statuses: number[] = []) {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as {
        resourceSpans: {
          resource: { attributes: { key: string; value: { stringValue: string } }[] };
          scopeSpans: { spans: Span[] }[];
        }[];
      };
      const [of] = body.resourceSpans;
      const service = of!.resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
      const { url: path, headers } = request;
      posted.push({ path, headers, spans: of!.scopeSpans[0]!.spans, service });
      response.writeHead(statuses.shift() ?? 200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { posted, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const token = 'a token for tests of spans';

async function computeWith(t: TestContext, env: NodeJS.ProcessEnv) {
  const scheduler = await startScheduler({ token, spans: spansOf(env) });
  const node = await SmallNode.start({ url: scheduler.url, token, name: 'a1' });
  const cluster = await connect(scheduler.url, { token, fuse: false });
  let stopped: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    await cluster.close();
    await node.die();
    await scheduler.close();
  };
  const stop = (): Promise<void> => (stopped ??= stopAll());
  t.after(stop);
  assert.equal(await cluster.compute(tasks.add([tasks.add([1, 2]), 3])), 6);
  await assert.rejects(cluster.compute(tasks.failPlainly()));
  return stop;
}

const attribute = (span: Span, key: string) => span.attributes.find((one) => one.key === key)?.value;

test('each run is a span with its function, node and times, and linked to its last input', async (t) => {
  const { posted, url } = await startCollector(t);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`, OTEL_EXPORTER_OTLP_HEADERS: 'x-team=radio%20sky,' };
  await computeWith(t, { ...env, OTEL_SERVICE_NAME: 'night run' });
  await eventually(() => posted.flatMap(({ spans }) => spans).length === 3, 'three spans are posted');
  const [first] = posted;
  assert.deepEqual([first!.path, first!.headers['x-team']], ['/v1/traces', 'radio sky']);
  assert.deepEqual([first!.headers['content-type'], first!.service], ['application/json', 'night run']);
  const spans = posted.flatMap((one) => one.spans);
  const outer = spans.find(({ links }) => links.length === 1)!;
  const inner = spans.find(({ spanId }) => spanId === outer.links[0]!.spanId)!;
  assert.equal(inner.name, 'test.add');
  assert.equal(inner.traceId, outer.links[0]!.traceId);
  for (const span of spans) {
    assert.match(span.traceId, /^[0-9a-f]{32}$/);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
    assert.deepEqual(attribute(span, 'asperitas.node'), { stringValue: 'a1' });
    assert.ok(attribute(span, 'asperitas.compute_ms') !== undefined);
  }
  assert.equal(spans.find(({ name }) => name === 'test.fail')!.status.code, 2);
});

test('without the variable nothing is sent, and one that is no URL is refused', () => {
  assert.equal(spansOf({}), undefined);
  assert.throws(() => spansOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }), { code: 'bad-option' });
  const whole = spansOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://h/own/path' });
  assert.equal(whole?.url, 'http://h/own/path');
});

test('spans that a collector did not take come again at the end, and work was not held up', async (t) => {
  const { posted, url } = await startCollector(t, [503]);
  const stop = await computeWith(t, { OTEL_EXPORTER_OTLP_ENDPOINT: url });
  await eventually(() => posted.length >= 1, 'the first batch was posted');
  await stop();
  const taken = new Set(posted.slice(1).flatMap(({ spans }) => spans.map(({ spanId }) => spanId)));
  assert.equal(taken.size, 3);
});
