/**
 * Owns the form in which records are kept: a block of them with its number and a checksum over all, so that
 * a block that was cut, changed or put in another's place is recognised. Must not know: where blocks are
 * kept. The layout, little endian: u32 checksum (CRC-32 of what follows), u32 number of records, f64 number
 * of the block; then each record as u32 length and bytes.
 */
import { crc32 } from 'node:zlib';

const headerBytes = 16;

/** Bytes that a record takes in a block. */
export function bytesInBlock(record: Uint8Array): number {
  return 4 + record.byteLength;
}

export function encodeBlock(number: number, records: readonly Uint8Array[]): Buffer {
  let size = headerBytes;
  for (const record of records) size += bytesInBlock(record);
  const block = Buffer.allocUnsafe(size);
  block.writeUInt32LE(records.length, 4);
  block.writeDoubleLE(number, 8);
  let at = headerBytes;
  for (const record of records) {
    at = block.writeUInt32LE(record.byteLength, at);
    block.set(record, at);
    at += record.byteLength;
  }
  block.writeUInt32LE(crc32(block.subarray(4)), 0);
  return block;
}

/** The records of the block with this number, or undefined where these bytes are not it. */
export function decodeBlock(number: number, block: Uint8Array): Uint8Array[] | undefined {
  if (block.byteLength < headerBytes) return undefined;
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (bytes.readUInt32LE(0) !== crc32(bytes.subarray(4)) || bytes.readDoubleLE(8) !== number)
    return undefined;
  const count = bytes.readUInt32LE(4);
  const records: Uint8Array[] = [];
  let at = headerBytes;
  while (records.length < count) {
    if (at + 4 > bytes.byteLength) return undefined;
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (at + length > bytes.byteLength) return undefined;
    records.push(bytes.subarray(at, at + length));
    at += length;
  }
  return at === bytes.byteLength ? records : undefined;
}
