/**
 * Owns the forecast of a search: tasks, memory, disk, and the refusal if it cannot fit. Pure. Must not know:
 * clusters, files.
 */
import { AsperitasError } from '../../runtime/index.ts';
import { griddingBytes } from '../imaging/kernels/grid-plan.ts';
import { limits } from './limits.ts';
import { baselinesOf, type TransientPlan, visibilityBytes } from './transients-plan.ts';

/** What a search will take. */
export interface SearchCost {
  readonly frames: number;
  readonly visibilities: number;
  /** Tasks until the first catalogue, were nothing found on the way. */
  readonly tasks: number;
  /** Bytes that one task holds at most. */
  readonly taskBytes: number;
  /** Bytes of all residual frames, held by the nodes together and spilled to disk beyond their memory. */
  readonly heldBytes: number;
  /** Bytes of the files written. */
  readonly diskBytes: number;
}

/** One node, as far as it matters here. */
export interface NodeRoom {
  readonly node: string;
  readonly site: string;
  readonly threads: number;
  readonly memoryBytes: number;
}

const gibibyte = 2 ** 30;

/** The node's program itself, its caches and what is on its way. */
const nodeBaseBytes = 256 * 2 ** 20;

export function costOf(plan: TransientPlan): SearchCost {
  const pixels = plan.imaging.geometry.npixX * plan.imaging.geometry.npixY;
  const frames = plan.blocks.reduce((sum, block) => sum + block.frames.length, 0);
  const blockBytes = plan.blocks.map(
    (block) => block.visibilities * visibilityBytes + 2 * block.frames.length * pixels * 4,
  );
  const { geometry, epsilon } = plan.imaging;
  const largest = Math.max(...plan.blocks.map((block) => block.visibilities));
  // A block is imaged frame by frame, but for the point spread function; what leaves is in 32-bit floats.
  const gridding = griddingBytes(geometry, epsilon, largest) + 4 * pixels;
  const density = plan.imaging.weighting.kind === 'natural' ? 0 : 1.2 ** 2 * pixels * 4;
  const tiles = Math.ceil(pixels / 192 ** 2);
  const { length } = plan.blocks;
  return {
    frames,
    visibilities: plan.blocks.reduce((sum, block) => sum + block.visibilities, 0),
    // Dirty frames, point spread functions, a few CLEAN passes and two passes with detection.
    tasks: 2 * length + 3 * 3 * length + 2 * (4 * length + tiles * (length + 2 * plan.bands.length + 1)),
    taskBytes: Math.max(...blockBytes, limits.tileBytes) + gridding + density,
    heldBytes: frames * pixels * 4,
    diskBytes: 3 * frames * pixels * 4 + 5 * plan.bands.length * pixels * 4,
  };
}

/** Bytes that a node needs for as many such tasks as it has threads. */
export function nodeBytes(cost: SearchCost, threads: number): number {
  return nodeBaseBytes + threads * cost.taskBytes;
}

/** Throws `not-enough-memory` with advice if a node cannot hold what its threads will work on. */
export function checkRoom(plan: TransientPlan, cost: SearchCost, nodes: readonly NodeRoom[]): void {
  for (const { node, site, threads, memoryBytes } of nodes) {
    const needed = nodeBytes(cost, threads);
    if (needed <= memoryBytes) continue;
    const fitting = Math.floor((memoryBytes - nodeBaseBytes) / cost.taskBytes);
    const frame = Math.max(...plan.blocks.map((block) => block.visibilities / block.frames.length));
    const mostlyData = frame * visibilityBytes > cost.taskBytes / 2;
    const less = mostlyData ? 'more --bands (each frame then holds fewer channels)' : 'a smaller --size';
    const advice = fitting >= 1 ? `--threads ${fitting}, ${less}` : less;
    throw new AsperitasError(
      'not-enough-memory',
      `node ${node} at ${site} has ${gib(memoryBytes)} but its ${threads} threads need ${gib(needed)}: ` +
        `use ${advice}, or a node with more memory`,
      { node, site, neededBytes: Math.ceil(needed), memoryBytes },
    );
  }
}

/** Bytes as people read them. */
export function gib(bytes: number): string {
  if (bytes >= gibibyte) return `${(bytes / gibibyte).toFixed(1)} GiB`;
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** The plan in a few lines. */
export function planText(plan: TransientPlan, cost: SearchCost, nodes: readonly NodeRoom[]): string {
  const { request, sets, bands, blocks, bins } = plan;
  const arcsec = (request.pixsize * 180 * 3600) / Math.PI;
  const sites = [...new Set(sets.map(({ set }) => set.site))];
  const threads = nodes.reduce((sum, node) => sum + node.threads, 0);
  const baselines = Math.round(baselinesOf(plan));
  const hungriest = nodes.reduce((most, node) => Math.max(most, nodeBytes(cost, node.threads)), 0);
  const least = nodes.reduce((sum, node) => Math.min(sum, node.memoryBytes), Number.POSITIVE_INFINITY);
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  const tooFew = `frames of ${count(baselines, 'baseline')} can't tell a transient from a sidelobe`;
  return [
    `plan: ${count(sets.length, 'set')} at ${sites.join(', ')}; field "${sets[0]!.fieldName}" of ` +
      `${sets[0]!.telescope}; ${count(bands.length, 'band')}: ${bands.map(({ name }) => name).join(', ')}`,
    `      ${count(cost.frames, 'frame')} at ${count(bins.startS.length, 'time')}, ${request.npixX} x ` +
      `${request.npixY} pixels of ${Number(arcsec.toPrecision(4))} arcsec; ` +
      `${(cost.visibilities / 1e6).toFixed(2)} million visibilities in ${count(blocks.length, 'chunk')}`,
    `      about ${cost.tasks} tasks on ${count(threads, 'thread')} of ${count(nodes.length, 'node')}; ` +
      `a node needs ${gib(hungriest)} of memory and has ${gib(least)}; ${gib(cost.diskBytes)} of files`,
    ...(baselines < limits.leastBaselines ? [`      ${tooFew}: only lasting sources`] : []),
    '',
  ].join('\n');
}
