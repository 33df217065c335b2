/**
 * Owns the putting together of channels: parts of bands become one block of visibilities where the bands have
 * the same rows, so that they are imaged with one set of Fourier transforms. Must not know: files, gridding.
 */
import { sharedFloat32, sharedFloat64, sharedUint8 } from '../shared-arrays.ts';
import type { StokesVisibilities } from '../visibility.ts';

/** Channels `[start, end)` of a block. */
export interface ChannelPart {
  readonly visibilities: StokesVisibilities;
  readonly channels: readonly [start: number, end: number];
}

function sameRows(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((value, k) => value === b[k]);
}

/** Parts with the same uvw, in order. */
function groupByRows(parts: readonly ChannelPart[]): ChannelPart[][] {
  const groups: ChannelPart[][] = [];
  for (const part of parts) {
    const { uvw } = part.visibilities;
    const group = groups.find(([first]) => sameRows(first!.visibilities.uvw, uvw));
    if (group === undefined) groups.push([part]);
    else group.push(part);
  }
  return groups;
}

function joined(parts: readonly ChannelPart[]): StokesVisibilities {
  const [first] = parts;
  const { uvw, freq } = first!.visibilities;
  const [start, end] = first!.channels;
  if (parts.length === 1 && start === 0 && end === freq.length) return first!.visibilities;
  const total = parts.reduce((sum, { channels }) => sum + channels[1] - channels[0], 0);
  const rows = uvw.length / 3;
  const out = {
    uvw,
    freq: sharedFloat64(total),
    vis: sharedFloat32(2 * rows * total),
    weight: sharedFloat32(rows * total),
    mask: sharedUint8(rows * total),
  };
  let offset = 0;
  for (const { visibilities, channels } of parts) {
    const [from, until] = channels;
    out.freq.set(visibilities.freq.subarray(from, until), offset);
    const stored = visibilities.freq.length;
    for (let row = 0; row < rows; row++) {
      const [a, b, to] = [row * stored + from, row * stored + until, row * total + offset];
      out.vis.set(visibilities.vis.subarray(2 * a, 2 * b), 2 * to);
      out.weight.set(visibilities.weight.subarray(a, b), to);
      out.mask.set(visibilities.mask.subarray(a, b), to);
    }
    offset += until - from;
  }
  return out;
}

/** Joins channels, a block for each set of rows; arrays are shared with the parts where nothing is joined. */
export function joinChannels(parts: readonly ChannelPart[]): StokesVisibilities[] {
  return groupByRows(parts).map(joined);
}
