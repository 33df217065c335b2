/** Whatever structured clone can copy is a legal argument and result, over a real cluster: values drawn at
 * random, and those that are known to be awkward. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type Lazy, task } from '../../scheduler/index.ts';
import { startSmallCluster } from '../support/small-cluster.ts';

const echo = task('values.echo', (_, value: unknown) => value);
const relay = task('values.relay', (_, value: unknown) => ({ value }));

class Draw {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

const leaves: readonly ((draw: Draw) => unknown)[] = [
  () => undefined,
  () => null,
  (draw) => draw.pick([true, false]),
  (draw) => draw.pick([0, -0, Number.NaN, 1 / 0, -1 / 0, 2 ** 53, -(2 ** 31), 5e-324, 0.1, 2 ** 32, 2 ** 63]),
  (draw) =>
    draw.pick(['', 'text', '\u0000', 'ü → 𝄞', '\ud800 alone', '__proto__', '$task', 'x'.repeat(70_000)]),
  (draw) => draw.pick([0n, -1n, 2n ** 64n, -(2n ** 63n), 10n ** 300n]),
  (draw) => new Date(draw.pick([0, -1, 8.64e15, Number.NaN, 1.5e12])),
  (draw) => draw.pick([/a+/gi, /[/\n]/su, /(?:)/]),
  (draw) => new Float64Array(draw.list(300, () => draw.pick([0, -0, Number.NaN, 1 / 0, 0.5]))),
  (draw) => new Float32Array(draw.below(3) * 200),
  (draw) => new Uint8ClampedArray(draw.list(9, () => 300)),
  (draw) => new Int16Array(draw.list(9, () => -5)),
  (draw) => new BigInt64Array(draw.list(9, () => -(2n ** 63n))),
  (draw) => new BigUint64Array(draw.list(200, () => 2n ** 64n - 1n)),
  (draw) => new Float64Array(64).subarray(draw.below(64)),
  (draw) => new Uint8Array(draw.list(2000, () => draw.below(256))).buffer,
  (draw) => new DataView(new ArrayBuffer(draw.below(40))),
];

function value(draw: Draw, depth: number): unknown {
  const kind = depth > 4 ? 0 : draw.below(9);
  const inner = () => value(draw, depth + 1);
  if (kind === 0 || kind > 5) return draw.pick(leaves)(draw);
  if (kind === 1) return draw.list(5, inner);
  if (kind === 2) return new Map(draw.list(4, () => [inner(), inner()] as const));
  if (kind === 3) return new Set(draw.list(4, inner));
  const name = () => draw.pick(['a', 'b', '', '$task', '$$task', '__proto__', 'constructor', '0', 'ü']);
  const record: Record<string, unknown> = {};
  for (const key of draw.list(4, name)) {
    Object.defineProperty(record, key, {
      value: inner(),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return record;
}

/** As they would be printed in full: equality of objects asks keys of maps to be the same objects. */
function same(actual: unknown, expected: unknown): void {
  const limits = { depth: null, maxArrayLength: 5000, maxStringLength: 100_000 };
  assert.equal(inspect(actual, limits), inspect(expected, limits));
}

test('values drawn at random come back as they went, and through another task', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1', 'b1']);
  const values = Array.from({ length: 400 }, (_, seed) => value(new Draw(seed + 1), 0));
  const sites = ['a', 'b'];
  const tasks = values.map((one, k) => relay.with({ site: sites[k % 2]! })(echo.with({ site: 'a' })(one)));
  const results = await cluster.compute(tasks as Lazy<{ value: unknown }>[]);
  for (const [k, result] of results.entries()) same(result, { value: structuredClone(values[k]) });
});

test('awkward values of their own', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  const sparse = [1, 2, 3];
  delete sparse[1];
  const big = new Float64Array(2_000_000).map((_, index) => index);
  const awkward = [
    undefined,
    [undefined],
    { x: undefined },
    -0,
    [],
    {},
    new Map(),
    new Set(),
    big,
    new Uint8Array(0),
  ];
  for (const one of awkward) same(await cluster.compute(echo(one)), one);
  same(await cluster.compute(echo(sparse)), [1, undefined, 3]);
  const shared = { twice: [1] };
  same(await cluster.compute(echo([shared, shared])), [shared, shared]);
  const error = new TypeError('a value', { cause: new Error('why') });
  const back = (await cluster.compute(echo({ error }))) as { error: Error };
  assert.equal(back.error instanceof TypeError, true);
  assert.equal(back.error.message, 'a value');
  assert.equal((back.error.cause as Error).message, 'why');
});

test('what is no value is refused where it is made, and says so', async (t) => {
  const { cluster } = await startSmallCluster(t, ['a1']);
  const loop: { self?: unknown } = {};
  loop.self = loop;
  const round = new Map<string, unknown>();
  round.set('self', round);
  assert.throws(() => cluster.submit(echo(() => 1)), { code: 'not-serialisable' });
  assert.throws(() => cluster.submit(echo(Symbol('x'))), { code: 'not-serialisable' });
  assert.throws(() => cluster.submit(echo(loop)), { code: 'arguments-too-deep' });
  assert.throws(() => cluster.submit(echo(round)), { code: 'not-serialisable' });
  assert.throws(() => cluster.submit(echo(10n ** 5000n)), { code: 'not-serialisable' });
  const make = task('values.make', (_, what: string): unknown => (what === 'loop' ? loop : () => what));
  await assert.rejects(cluster.compute(make('loop')), { code: 'not-serialisable' });
  await assert.rejects(cluster.compute(make('function')), { code: 'not-serialisable' });
});

test('whatever is thrown arrives: an error as one, anything else as its text', async (t) => {
  class Odd extends RangeError {
    override readonly name = 'Odd';
    readonly code = 'ODD';
  }
  const hostile = Object.defineProperty(new Error('hidden'), 'message', {
    get: () => {
      throw new Error('not even a message');
    },
  });
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const thrown: Readonly<Record<string, unknown>> = {
    odd: new Odd('is odd', { cause: { reason: 5 } }),
    type: new TypeError('no type'),
    text: 'only a text',
    nothing: undefined,
    symbol: Symbol('s'),
    bare: Object.create(null),
    circular,
    hostile,
    proxy: new Proxy(new Error('proxied'), {}),
    many: new AggregateError([new Error('one'), 'two'], 'many'),
  };
  const fail = task('values.fail', (_, what: string): never => {
    throw thrown[what];
  });
  const { cluster } = await startSmallCluster(t, ['a1']);
  const errors: Record<string, Error & { code?: string }> = {};
  for (const what of Object.keys(thrown)) {
    errors[what] = await cluster.compute(fail(what)).then(
      () => assert.fail(`${what} was thrown`),
      (error) => error,
    );
  }
  assert.deepEqual([errors.odd!.name, errors.odd!.message, errors.odd!.code], ['Odd', 'is odd', 'ODD']);
  assert.match(errors.odd!.stack!, /Odd|is odd/);
  assert.match(String((errors.odd!.cause as Error).stack), /values\.test/);
  assert.match(String(((errors.odd!.cause as Error).cause as Error).message), /reason: 5/);
  assert.equal(errors.type instanceof TypeError, true);
  assert.equal(errors.text!.message, 'only a text');
  assert.equal(errors.nothing!.message, 'undefined');
  assert.equal(errors.symbol!.message, 'Symbol(s)');
  assert.match(errors.bare!.message, /Object: null prototype/);
  assert.match(errors.circular!.message, /Circular/);
  assert.equal(typeof errors.hostile!.message, 'string');
  assert.equal(errors.proxy!.message, 'proxied');
  assert.equal(errors.many!.message, 'many');
});
