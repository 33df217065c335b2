/** The store over real files: spilling and reading back, damage, a disk that refuses, bounded memory. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Store, type StoreOptions } from '../../nodes/store.ts';
import { encodedBytes, isAsperitasError } from '../../runtime/index.ts';
import { datum, decoded, numbers } from '../support/node-data.ts';
import { temporaryFolder } from '../support/peers.ts';
import { until } from '../support/until.ts';

const MiB = 2 ** 20;

interface Opened {
  readonly store: Store;
  readonly folder: string;
  readonly lost: string[];
  readonly pressures: boolean[];
}

function opened(t: TestContext, options: Partial<StoreOptions> = {}): Opened {
  const folder = temporaryFolder(t);
  const lost: string[] = [];
  const pressures: boolean[] = [];
  const store = Store.open({
    memoryBytes: 10 * MiB,
    folder,
    onLost: (key) => lost.push(key),
    onPressure: (pressed) => pressures.push(pressed),
    ...options,
  });
  t.after(() => store.close());
  return { store, folder, lost, pressures };
}

function spillFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith('.spill'))
    .sort();
}

/** Data of 1 MiB, `count` of them, by key `d0`, `d1`...; resolves when what has to be spilled is. */
async function filled(store: Store, count: number): Promise<void> {
  for (let index = 0; index < count; index++) store.put(`d${index}`, datum(numbers(MiB, index)));
  await until('data were spilled', () => store.memoryUsedBytes <= 7 * MiB);
}

test('a datum is held, given out as the same memory, and forgotten', async (t) => {
  const { store } = opened(t);
  const parts = datum({ image: numbers(80_000), name: 'x' });
  assert.equal(store.put('a', parts), encodedBytes(parts));
  assert.equal(store.put('a', datum('another')), encodedBytes(parts));
  assert.deepEqual(store.keys(), ['a']);
  assert.equal(store.bytesOf('a'), encodedBytes(parts));
  assert.equal(store.memoryUsedBytes, encodedBytes(parts));
  assert.equal(store.storedBytes, encodedBytes(parts));
  assert.equal((await store.get('a')).frames[0], parts.frames[0]);
  store.delete('a');
  store.delete('a');
  assert.deepEqual([store.has('a'), store.storedBytes, store.memoryUsedBytes], [false, 0, 0]);
  await assert.rejects(store.get('a'), (error) => isAsperitasError(error, 'datum-absent'));
});

test('frames that are not shared memory of their own are copied into such', async (t) => {
  const { store } = opened(t);
  const large = new Uint8Array(new SharedArrayBuffer(4096)).fill(1);
  const header = new Uint8Array(100).subarray(10, 20);
  store.put('a', { header, frames: [new Uint8Array([1, 2, 3]), large.subarray(8, 16)] });
  const { frames, header: kept } = await store.get('a');
  assert.deepEqual(
    frames.map(({ buffer }) => [buffer instanceof SharedArrayBuffer, buffer.byteLength]),
    [
      [true, 3],
      [true, 8],
    ],
  );
  assert.equal(kept.buffer.byteLength, 10);
});

test('the least recently used data are spilled and read back equal', async (t) => {
  const { store, folder, lost } = opened(t);
  for (let index = 0; index < 7; index++) store.put(`d${index}`, datum(numbers(MiB, index)));
  await store.get('d0');
  store.put('d7', datum(numbers(MiB, 7)));
  await until('data were spilled', () => store.memoryUsedBytes <= 5 * MiB);
  assert.equal(spillFiles(folder).length, 4);
  assert.equal(store.spilledBytes + store.memoryUsedBytes, store.storedBytes);
  const files = spillFiles(folder).length;
  assert.deepEqual(decoded(await store.get('d0')), numbers(MiB, 0));
  for (let index = 1; index < 8; index++) {
    assert.deepEqual(decoded(await store.get(`d${index}`)), numbers(MiB, index), `d${index}`);
  }
  assert.ok(files <= spillFiles(folder).length);
  assert.deepEqual(lost, []);
});

test('data of several frames, empty ones too, survive the disk', async (t) => {
  const { store } = opened(t, { memoryBytes: MiB });
  const value = { a: numbers(MiB, 1), none: new Float32Array(0), b: numbers(MiB, 2), note: 'n'.repeat(5000) };
  store.put('a', datum(value));
  await until('it was spilled', () => store.memoryUsedBytes === 0);
  const parts = await store.get('a');
  assert.deepEqual(decoded(parts), value);
  assert.ok(parts.frames.every(({ buffer }) => buffer instanceof SharedArrayBuffer));
});

test('several readers of a spilled datum share one reading, and one may give up', async (t) => {
  const { store } = opened(t);
  await filled(store, 12);
  const controller = new AbortController();
  const [first, second, third] = [store.get('d0'), store.get('d0', controller.signal), store.get('d0')];
  controller.abort();
  await assert.rejects(second, (error) => isAsperitasError(error, 'aborted'));
  assert.equal(await first, await third);
});

test('pinned data stay in memory, and count as pressure beyond the limit', async (t) => {
  const { store, pressures } = opened(t);
  for (let index = 0; index < 12; index++) {
    store.put(`d${index}`, datum(numbers(MiB, index)));
    store.pin(`d${index}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([store.spilledBytes, store.pressed, pressures], [0, true, [true]]);
  await store.relieved();
  for (let index = 0; index < 12; index++) store.unpin(`d${index}`);
  await until('data were spilled', () => store.memoryUsedBytes <= 7 * MiB);
  assert.deepEqual([store.pressed, pressures], [false, [true, false]]);
  assert.throws(
    () => store.pin('absent'),
    (error) => isAsperitasError(error, 'datum-absent'),
  );
});

test('small data are never spilled', async (t) => {
  const { store, folder } = opened(t, { memoryBytes: 100_000 });
  for (let index = 0; index < 10; index++) store.put(`d${index}`, datum(numbers(20_000, index)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([spillFiles(folder), store.pressed], [[], true]);
});

const damages: readonly [string, (path: string) => void][] = [
  ['a changed byte', (path) => changeByte(path, 500_000)],
  ['a changed header', (path) => changeByte(path, 40)],
  ['a changed size', (path) => changeByte(path, 17)],
  ['a changed magic', (path) => changeByte(path, 0)],
  ['a changed checksum', (path) => changeByte(path, readFileSync(path).length - 1)],
  ['a cut', (path) => truncateSync(path, 100_000)],
  ['a cut of one byte', (path) => truncateSync(path, readFileSync(path).length - 1)],
  ['a cut to nothing', (path) => truncateSync(path, 0)],
  ['a superfluous byte', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.of(0)]))],
  ['a vanished file', (path) => rmSync(path)],
];

function changeByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 0x10;
  writeFileSync(path, bytes);
}

for (const [name, damage] of damages) {
  test(`a damaged spill file is found: ${name}`, async (t) => {
    const { store, folder, lost } = opened(t, { memoryBytes: MiB });
    store.put('a', datum(numbers(MiB)));
    await until('it was spilled', () => store.memoryUsedBytes === 0);
    damage(spillFiles(folder)[0]!);
    await assert.rejects(store.get('a'), (error) => isAsperitasError(error, 'spill-damaged'));
    assert.deepEqual([lost, store.has('a'), store.storedBytes, store.spilledBytes], [['a'], false, 0, 0]);
    store.put('a', datum(numbers(MiB)));
    assert.deepEqual(decoded(await store.get('a')), numbers(MiB));
  });
}

test('a disk that refuses leaves data in memory, and is tried again', async (t) => {
  const parent = temporaryFolder(t);
  const folder = join(parent, 'spill');
  writeFileSync(folder, 'a file where a folder should be');
  const { store, pressures } = opened(t, { folder, spillRetryMs: 20 });
  for (let index = 0; index < 12; index++) store.put(`d${index}`, datum(numbers(MiB, index)));
  await store.relieved();
  assert.deepEqual([store.pressed, store.spilledBytes], [true, 0]);
  assert.deepEqual(decoded(await store.get('d0')), numbers(MiB, 0));
  rmSync(folder);
  await until('data were spilled', () => store.memoryUsedBytes <= 7 * MiB);
  assert.deepEqual([store.pressed, pressures.at(-1)], [false, false]);
});

test('what is deleted while it is spilled or read back is gone', async (t) => {
  const { store, folder } = opened(t);
  for (let index = 0; index < 12; index++) store.put(`d${index}`, datum(numbers(MiB, index)));
  await new Promise((resolve) => setImmediate(resolve));
  for (let index = 0; index < 12; index++) store.delete(`d${index}`);
  await until('the files went', () => spillFiles(folder).length === 0);
  assert.deepEqual([store.storedBytes, store.memoryUsedBytes, store.spilledBytes], [0, 0, 0]);

  await filled(store, 12);
  const reading = store.get('d0').then(decoded, (error: unknown) => error);
  store.delete('d0');
  const answer = await reading;
  if (!isAsperitasError(answer, 'datum-absent')) assert.deepEqual(answer, numbers(MiB, 0));
  assert.equal(store.has('d0'), false);
  assert.equal(store.memoryUsedBytes + store.spilledBytes, store.storedBytes);
});

test('closing removes the folder, and a start removes what a killed process left', async (t) => {
  const folder = temporaryFolder(t);
  const host = hostname().replaceAll(/[^\w]/g, '_');
  const dead = join(folder, `asperitas-spill-${host}-999999999-abc`);
  const other = join(folder, 'asperitas-spill-another.host-999999999-abc');
  for (const path of [dead, other]) mkdirSync(path);
  const store = Store.open({ memoryBytes: MiB, folder });
  assert.equal(readdirSync(folder).length, 2);
  store.put('a', datum(numbers(MiB)));
  await until('it was spilled', () => store.memoryUsedBytes === 0);
  assert.equal(readdirSync(folder).length, 2);
  await store.close();
  assert.deepEqual(readdirSync(folder), ['asperitas-spill-another.host-999999999-abc']);
});

test('the sums stay true through thousands of random operations', async (t) => {
  const { store, lost } = opened(t, { memoryBytes: 2 * MiB });
  const held = new Map<string, number>();
  const pinned: string[] = [];
  const reads: Promise<void>[] = [];
  const choices = numbers(8 * 10_000, 5);
  let next = 0;
  const choose = (limit: number): number => Math.floor((choices[next++]! / 2 ** 32) * limit);
  for (let step = 0; step < 2000; step++) {
    const key = `d${choose(40)}`;
    const action = choose(6);
    if (action <= 1 && !held.has(key)) {
      const seed = choose(1000);
      store.put(key, datum(numbers(80_000, seed)));
      held.set(key, seed);
    } else if (action === 2) {
      store.delete(key);
      held.delete(key);
    } else if (action === 3 && held.has(key)) {
      store.pin(key);
      pinned.push(key);
    } else if (action === 4 && pinned.length > 0) {
      store.unpin(pinned.shift()!);
    } else if (held.has(key)) {
      const seed = held.get(key)!;
      const check = (value: unknown): void => assert.deepEqual(value, numbers(80_000, seed));
      const absent = (error: unknown): void => assert.ok(isAsperitasError(error, 'datum-absent'));
      reads.push(store.get(key).then((parts) => check(decoded(parts)), absent));
    }
    if (step % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(reads);
  for (const key of pinned) store.unpin(key);
  await until('spilling ended', () => store.memoryUsedBytes <= 1.4 * MiB);
  assert.deepEqual(store.keys().sort(), [...held.keys()].sort());
  const sizes = store.keys().map((key) => store.bytesOf(key)!);
  assert.equal(
    store.storedBytes,
    sizes.reduce((sum, bytes) => sum + bytes, 0),
  );
  assert.equal(store.memoryUsedBytes + store.spilledBytes, store.storedBytes);
  for (const [key, seed] of held) assert.deepEqual(decoded(await store.get(key)), numbers(80_000, seed));
  assert.deepEqual(lost, []);
});

test('memory stays bounded while many times more data go through', async (t) => {
  const { store } = opened(t, { memoryBytes: 64 * MiB });
  const before = process.memoryUsage.rss();
  let mostBytes = 0;
  for (let index = 0; index < 32; index++) {
    const frame = new Uint8Array(new SharedArrayBuffer(16 * MiB)).fill(index);
    store.put(`d${index}`, { header: Uint8Array.of(index), frames: [frame] });
    await store.relieved();
    assert.ok(store.memoryUsedBytes <= 64 * MiB);
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - before);
  }
  for (let index = 0; index < 32; index++) {
    const { header, frames } = await store.get(`d${index}`);
    assert.deepEqual([header[0], frames[0]!.at(0), frames[0]!.at(-1)], [index, index, index]);
    await store.relieved();
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - before);
  }
  // 512 MiB were put and read back; the limit, and what waits to be collected, may lie in memory.
  assert.ok(mostBytes < 448 * MiB, `${mostBytes} bytes`);
});
