/**
 * Owns MultiFile, a container (table.mf) that holds the files of all storage managers of a table as lists of
 * blocks, for file systems that dislike many files. Must not know: what is in the files.
 */
import { AipsReader } from './aips-io.ts';
import { type ByteSource, openFile } from './byte-source.ts';
import { limits } from './limits.ts';
import { damaged, fileError, unsupported } from './table-errors.ts';

/** Where the bytes of a file inside the container are. */
interface Member {
  readonly name: string;
  readonly sizeBytes: number;
  /** Block numbers in the container, in the order of the file. */
  readonly blocks: readonly number[];
}

export interface MultiFile {
  /** A file inside the container. Throws `missing-file`. */
  member(name: string): ByteSource;
}

/** Reads the list of files of a container; their bytes are read where asked for. */
export async function openMultiFile(source: ByteSource): Promise<MultiFile> {
  const head = new AipsReader({ bytes: await readRange(source, 0, 24), file: source.path });
  const first = head.u64();
  const { members, blockBytes } = first === 0 ? await readSecond(source) : await readFirst(source, first);
  return {
    member(name) {
      const found = members.find((candidate) => candidate.name === name);
      if (found !== undefined) return new MemberSource(source, blockBytes, found);
      throw fileError(`${source.path}::${name}`, { code: 'ENOENT' });
    },
  };
}

interface Contents {
  readonly members: readonly Member[];
  readonly blockBytes: number;
}

async function readRange(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  if (length > limits.headerBytes || offset + length > source.size)
    throw damaged(source.path, offset, `${length} bytes of the ${source.size} in the file`);
  const bytes = new Uint8Array(length);
  await source.readInto(bytes, offset);
  return bytes;
}

/** Version 1: what does not fit in the first block is in a file of its own. */
async function readFirst(source: ByteSource, headerBytes: number): Promise<Contents> {
  const lead = new AipsReader({ bytes: await readRange(source, 0, 24), file: source.path });
  lead.u64();
  const blockBytes = checkedBlock(lead, lead.u64());
  let bytes = await readRange(source, 0, Math.min(headerBytes, blockBytes));
  if (headerBytes > blockBytes) {
    const extension = await openFile(`${source.path}_hdrext`);
    try {
      const rest = await readRange(extension, 0, headerBytes - blockBytes);
      bytes = Buffer.concat([bytes, rest]);
    } finally {
      await extension.close();
    }
  }
  const reader = new AipsReader({ bytes, file: source.path });
  reader.position = 24;
  const frame = reader.open('MultiFile');
  reader.u64(); // Blocks in use.
  const list = reader.open('Block');
  const count = reader.count(12, 'files');
  const members: Member[] = [];
  for (let i = 0; i < count; i++) {
    const name = reader.string();
    const blocks = [...reader.block(8)];
    members.push({ name, blocks, sizeBytes: reader.u64() });
  }
  reader.close(list);
  reader.close(frame);
  return { members, blockBytes };
}

/** Version 2: what does not fit in the first block continues in a chain of blocks. */
async function readSecond(source: ByteSource): Promise<Contents> {
  const lead = new AipsReader({ bytes: await readRange(source, 0, 64), file: source.path });
  lead.u64();
  const continuation = lead.u64();
  lead.u64();
  const version = lead.u32();
  if (version !== 2) throw unsupported(source.path, `version ${version} of MultiFile`);
  lead.u32(); // A checksum, which few writers ask for.
  const headerBytes = lead.u64();
  const blockBytes = checkedBlock(lead, lead.u64());
  const bytes = await readChain(source, { headerBytes, blockBytes, continuation });
  const reader = new AipsReader({ bytes, file: source.path });
  reader.position = 64;
  const frame = reader.open('MultiFile');
  const list = reader.open('Block');
  const count = reader.count(13, 'files');
  const names: { name: string; sizeBytes: number }[] = [];
  for (let i = 0; i < count; i++) {
    names.push({ name: reader.string(), sizeBytes: reader.u64() });
    reader.bool(); // Whether it is itself a container: never so for the files of a table.
  }
  reader.close(list);
  reader.close(frame);
  const members = names.map((named) => ({ ...named, blocks: readPackedBlocks(reader, source, blockBytes) }));
  return { members, blockBytes };
}

function checkedBlock(reader: AipsReader, blockBytes: number): number {
  if (blockBytes < 64) throw reader.damaged(`blocks of ${blockBytes} bytes`);
  return blockBytes;
}

async function readChain(
  source: ByteSource,
  head: { headerBytes: number; blockBytes: number; continuation: number },
): Promise<Uint8Array> {
  const { headerBytes, blockBytes } = head;
  const parts = [await readRange(source, 0, Math.min(headerBytes, blockBytes))];
  let left = headerBytes - parts[0].length;
  if (left > source.size) throw damaged(source.path, 32, `a header of ${headerBytes} bytes`);
  for (let block = head.continuation; left > 0; ) {
    const length = Math.min(left, blockBytes - 8);
    const bytes = await readRange(source, block * blockBytes, 8 + length);
    parts.push(bytes.subarray(8));
    left -= length;
    block = new AipsReader({ bytes, file: source.path, base: block * blockBytes }).u64();
  }
  return Buffer.concat(parts);
}

/** Block numbers, where -n stands for n more blocks after the last one. */
function readPackedBlocks(reader: AipsReader, source: ByteSource, blockBytes: number): number[] {
  const count = reader.count(8, 'blocks', reader.u64());
  const most = Math.ceil(source.size / blockBytes);
  const blocks: number[] = [];
  for (let i = 0; i < count; i++) {
    const number = Number(reader.bigint64());
    if (number >= 0) blocks.push(number);
    else if (blocks.length === 0 || -number > most) throw reader.damaged(`a list with ${-number} blocks`);
    else for (let more = -number; more > 0; more--) blocks.push(blocks[blocks.length - 1] + 1);
    if (blocks.length > most) throw reader.damaged(`more blocks than the ${most} in the file`);
  }
  return blocks;
}

class MemberSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  readonly #container: ByteSource;
  readonly #blockBytes: number;
  readonly #blocks: readonly number[];

  constructor(container: ByteSource, blockBytes: number, { name, sizeBytes, blocks }: Member) {
    this.path = `${container.path}::${name}`;
    this.#container = container;
    this.#blockBytes = blockBytes;
    this.#blocks = blocks;
    this.size = Math.min(sizeBytes, blocks.length * blockBytes);
  }

  async readInto(target: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const index = Math.floor((offset + done) / this.#blockBytes);
      const within = offset + done - index * this.#blockBytes;
      let run = 1;
      while (this.#blocks[index + run] === this.#blocks[index] + run) run++;
      const length = Math.min(target.length - done, run * this.#blockBytes - within);
      const from = this.#blocks[index] * this.#blockBytes + within;
      if (!(from + length <= this.#container.size))
        throw damaged(
          this.path,
          offset + done,
          `block ${this.#blocks[index]} of the container does not exist`,
        );
      await this.#container.readInto(target.subarray(done, done + length), from);
      done += length;
    }
  }

  close(): Promise<void> {
    return this.#container.close();
  }
}
