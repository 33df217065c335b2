/**
 * Damages copies of casacore tables in the ways that disks, networks and ill will do: cut, overwritten,
 * missing and exchanged files, links that lead in circles. A seed decides everything, so that a case can be
 * repeated.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type RandomStream, randomStream } from '../../actors/simulation/random.ts';

/** What was done, in words, and to which file or folder, relative to the copy. */
export interface Damage {
  readonly target: string;
  readonly words: string;
}

const whole = (random: RandomStream, below: number) => Math.floor(random.uniform() * below);
const pick = <T>(random: RandomStream, list: readonly T[]): T => list[whole(random, list.length)]!;

/** All files below a folder, relative to it. */
function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Copies a folder; files are hard links, so that only the damaged one costs anything. */
export function linkCopy(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkCopy(source, target);
    else
      try {
        linkSync(source, target);
      } catch {
        copyFileSync(source, target);
      }
  }
}

/** Changes bytes in memory; returns the file's new contents and what was done. */
type Rewrite = (bytes: Buffer, random: RandomStream) => readonly [Buffer, string];

/** Offsets that matter: half of them near the beginning, where headers and counts are, the rest anywhere. */
function offsetIn(bytes: Buffer, random: RandomStream): number {
  const near = [64, 600, bytes.length, bytes.length][whole(random, 4)]!;
  return whole(random, Math.max(1, Math.min(near, bytes.length)));
}

const hugeCounts = [0xffffffff, 0x7fffffff, 0x80000000, 0x00ffffff, 0x7ffffff0, 0];

const rewrites: readonly Rewrite[] = [
  (bytes, random) => {
    const length = whole(random, bytes.length);
    return [bytes.subarray(0, length), `cut to ${length} of ${bytes.length} bytes`];
  },
  (bytes, random) => {
    const bits = 1 + whole(random, 8);
    const places: number[] = [];
    for (let i = 0; i < bits && bytes.length > 0; i++) {
      const at = offsetIn(bytes, random);
      bytes[at]! ^= 1 << whole(random, 8);
      places.push(at);
    }
    return [bytes, `bits flipped at ${places}`];
  },
  (bytes, random) => {
    if (bytes.length < 8) return [bytes, 'nothing'];
    const at = Math.min(
      bytes.length - 8,
      random.uniform() < 0.7 ? offsetIn(bytes, random) & ~3 : offsetIn(bytes, random),
    );
    const value = pick(random, hugeCounts);
    if (random.uniform() < 0.5) bytes.writeUInt32BE(value, at);
    else bytes.writeUInt32LE(value, at);
    if (random.uniform() < 0.2) bytes.writeUInt32BE(pick(random, hugeCounts), at + 4);
    return [bytes, `${value} written at ${at}`];
  },
  (bytes, random) => {
    const at = offsetIn(bytes, random);
    const length = 1 + whole(random, pick(random, [8, 64, 4096]));
    bytes.fill(pick(random, [0, 0, 0xff]), at, Math.min(bytes.length, at + length));
    return [bytes, `${length} bytes wiped at ${at}`];
  },
  (bytes, random) => {
    const [from, to] = [offsetIn(bytes, random), offsetIn(bytes, random)];
    const length = 1 + whole(random, 200);
    bytes.copy(bytes, to, from, Math.min(bytes.length, from + length));
    return [bytes, `${length} bytes of ${from} copied to ${to}`];
  },
  (bytes, random) => {
    const more = Buffer.alloc(1 + whole(random, 3000), whole(random, 256));
    return [Buffer.concat([bytes, more]), `${more.length} bytes added`];
  },
  (bytes, random) => {
    // A small number more or less: the kind of damage that passes plausibility.
    const at = offsetIn(bytes, random);
    if (bytes.length > 0) bytes[at] = (bytes[at]! + pick(random, [1, 255, 2, 254])) & 0xff;
    return [bytes, `the byte at ${at} changed a little`];
  },
];

/** Puts something else in a file's place. */
const exchanges: readonly ((path: string, root: string, random: RandomStream) => string)[] = [
  () => 'removed',
  (path) => {
    mkdirSync(path);
    return 'a folder in its place';
  },
  (path) => {
    writeFileSync(path, '');
    return 'emptied';
  },
  (path) => {
    symlinkSync(path, path);
    return 'a link to itself';
  },
  (path) => {
    execFileSync('mkfifo', [path]);
    return 'a pipe in its place';
  },
  (path, root, random) => {
    const other = pick(random, filesBelow(root));
    copyFileSync(join(root, other), path);
    return `${other} in its place`;
  },
];

function damageFile(root: string, target: string, random: RandomStream): Damage {
  const path = join(root, target);
  if (random.uniform() < 0.08) {
    rmSync(path);
    return { target, words: pick(random, exchanges)(path, root, random) };
  }
  const [bytes, words] = pick(random, rewrites)(Buffer.from(readFileSync(path)), random);
  rmSync(path);
  writeFileSync(path, bytes);
  return { target, words };
}

/** A folder replaced by a link to another one: tables that stand on themselves, subtables in circles. */
function linkFolder(root: string, random: RandomStream): Damage {
  const folders = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const path = pick(random, folders);
  const other = pick(random, [...folders, dirname(path), path]);
  rmSync(path, { recursive: true });
  symlinkSync(other, path);
  return { target: relative(root, path), words: `a link to ${relative(root, other) || 'the set'}` };
}

/** Damages a copy as the seed says; mostly one thing, sometimes several. */
export function damage(root: string, seed: number): Damage[] {
  const random = randomStream(seed);
  if (random.uniform() < 0.06) return [linkFolder(root, random)];
  const files = filesBelow(root).filter((name) => statSync(join(root, name)).size > 0);
  // table.dat rules everything else, and headers are in the first files: they are hit more often than chance.
  const heads = files.filter((name) => /table\.(dat|f\d+)$/.test(name));
  const times = random.uniform() < 0.85 ? 1 : 3;
  const done: Damage[] = [];
  for (let i = 0; i < times; i++) {
    const target = pick(random, random.uniform() < 0.6 ? heads : files);
    if (!done.some((damaged) => damaged.target === target)) done.push(damageFile(root, target, random));
  }
  return done;
}
