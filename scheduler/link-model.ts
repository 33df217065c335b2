/**
 * Owns what is known of the lines between nodes: for each ordered pair of sites what one transfer reaches,
 * what all together reach, the delay, and how many bytes are planned to go that way; for a node what its
 * interface reaches in each direction, and for a measured pair of nodes what one transfer does. Measured,
 * else assumed. Pure. Must not know: tasks, which node is chosen.
 */
import type { NodeId, SiteName } from '../runtime/index.ts';
import { assumptions, limits } from './limits.ts';
import type { NodeRecord, SchedulerState } from './scheduler-state.ts';

/** Bytes over time in which something was on its way: what a line bears when it is busy. Old evidence
 * fades. */
export interface Meter {
  bytes: number;
  busySeconds: number;
  /** When the last transfer ended. */
  lastMs: number;
}

export interface Link {
  /** Of one transfer. */
  bytesPerSecond: number;
  latencySeconds: number;
  /** Of all transfers at once. */
  readonly meter: Meter;
  /** Planned and not yet arrived. */
  plannedBytes: number;
}

export function emptyMeter(): Meter {
  return { bytes: 0, busySeconds: 0, lastMs: 0 };
}

/** The line between two sites, or inside one. */
export function linkBetween(state: SchedulerState, from: SiteName, to: SiteName): Link {
  let row = state.links.get(from);
  if (row === undefined) {
    row = new Map();
    state.links.set(from, row);
  }
  let link = row.get(to);
  if (link === undefined) {
    const { bytesPerSecond, latencySeconds } = from === to ? assumptions.inSite : assumptions.crossSite;
    link = { bytesPerSecond, latencySeconds, meter: emptyMeter(), plannedBytes: 0 };
    row.set(to, link);
  }
  return link;
}

/** What the line bears in all: never less than one transfer reaches. */
export function capacityOf(link: Link): number {
  const { bytes, busySeconds } = link.meter;
  return busySeconds < assumptions.meterSeconds / 8
    ? link.bytesPerSecond
    : Math.max(link.bytesPerSecond, bytes / busySeconds);
}

/** What a node's interface bears: as measured, else what one transfer inside its site reaches. */
export function interfaceRate(meter: Meter, inSite: Link): number {
  const { bytes, busySeconds } = meter;
  if (busySeconds < assumptions.meterSeconds / 8) return inSite.bytesPerSecond;
  return Math.max(bytes / busySeconds, inSite.bytesPerSecond);
}

/** What one transfer between two nodes reaches, if that was measured; else what their sites say. */
export function pairRate(from: NodeRecord, to: NodeRecord, link: Link): number {
  return to.rates.get(from.info.node) ?? link.bytesPerSecond;
}

export interface Arrival {
  readonly from: NodeRecord;
  readonly to: NodeRecord;
  readonly bytes: number;
  readonly seconds: number;
}

/** A transfer has ended. Small ones tell the delay, large ones the rate; the longer one lasted, the more it
 * says. */
export function measure(state: SchedulerState, { from, to, bytes, seconds }: Arrival): void {
  if (!(seconds > 0)) return;
  const link = linkBetween(state, from.info.site, to.info.site);
  meterArrival(link.meter, state.now, bytes, seconds);
  meterArrival(from.sent, state.now, bytes, seconds);
  meterArrival(to.received, state.now, bytes, seconds);
  if (bytes < assumptions.latencyBytes) {
    const delay = Math.max(0, seconds - bytes / link.bytesPerSecond);
    link.latencySeconds += assumptions.learning * (delay - link.latencySeconds);
    return;
  }
  if (bytes < assumptions.measuredBytes) return;
  const rate = bytes / Math.max(seconds - link.latencySeconds, seconds / 2);
  link.bytesPerSecond = learnRate(link.bytesPerSecond, rate, seconds);
  const pair = to.rates.get(from.info.node);
  noteRate(to.rates, from.info.node, pair === undefined ? rate : learnRate(pair, rate, seconds));
}

/** Slower than known may only mean that others were under way: believed more slowly than faster is. */
function learnRate(known: number, rate: number, seconds: number): number {
  const weight = Math.max(assumptions.learning, 1 - Math.exp(-seconds / assumptions.meterSeconds));
  return known + (rate > known ? weight : weight / 2) * (rate - known);
}

function noteRate(rates: Map<NodeId, number>, from: NodeId, rate: number): void {
  rates.set(from, rate);
  if (rates.size <= limits.pairRates) return;
  for (const oldest of rates.keys()) {
    rates.delete(oldest);
    return;
  }
}

/** Arrivals come in the order of their ends, so that what one adds to the busy time is what lies after the
 * last end. */
function meterArrival(meter: Meter, nowMs: number, bytes: number, seconds: number): void {
  const busy = Math.min(seconds, Math.max(0, (nowMs - meter.lastMs) / 1000));
  const fade = Math.exp(-busy / assumptions.meterSeconds);
  meter.bytes = meter.bytes * fade + bytes;
  meter.busySeconds = meter.busySeconds * fade + busy;
  meter.lastMs = nowMs;
}
