/**
 * Proves the Measurement Set layer without any gridder: direct Fourier sums of the chunks it reads equal
 * those that other software computed from the same sets, in total, per interval and per channel.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type MeasurementSet,
  openMeasurementSet,
} from '../../../../actors/io/measurement-set/measurement-set.ts';
import type { VisibilityChunk } from '../../../../actors/visibility.ts';
import { type Probe, type ReferenceSet, referenceSets } from '../../../support/reference-images.ts';
import { sharedDataMissing } from '../../../support/shared-data.ts';

const speedOfLight = 299792458;

/** Sums of w Re[V exp(-2 pi i (ul + vm + w(n-1)) f/c)] at each probe, and of w. */
interface Sums {
  readonly values: Float64Array;
  weight: number;
}
const zeroSums = (probes: number): Sums => ({ values: new Float64Array(probes), weight: 0 });

function addSums(to: Sums, from: Sums): void {
  from.values.forEach((value, k) => {
    to.values[k]! += value;
  });
  to.weight += from.weight;
}

/** `[chan]` the sums of each channel of a chunk. */
function sumsOf(chunk: VisibilityChunk, probes: readonly Probe[]): Sums[] {
  const { uvw, freq, vis, weight, mask, time } = chunk;
  const sums = Array.from(freq, () => zeroSums(probes.length));
  probes.forEach(({ pixel_lm: [l, m] }, k) => {
    const n1 = Math.sqrt(1 - l * l - m * m) - 1;
    for (let row = 0; row < time.length; row++) {
      const metres = uvw[3 * row]! * l + uvw[3 * row + 1]! * m + uvw[3 * row + 2]! * n1;
      for (let chan = 0; chan < freq.length; chan++) {
        const at = row * freq.length + chan;
        if (mask[at] === 0) continue;
        const phase = (2 * Math.PI * metres * freq[chan]!) / speedOfLight;
        const real = vis[2 * at]! * Math.cos(phase) + vis[2 * at + 1]! * Math.sin(phase);
        sums[chan]!.values[k]! += weight[at]! * real;
      }
    }
  });
  for (let at = 0; at < mask.length; at++) sums[at % freq.length]!.weight += weight[at]!;
  return sums;
}

/** `[slot][data description][chan]` the sums of a set's field. */
type SetSums = readonly (readonly (readonly [dd: number, sums: readonly Sums[]])[])[];

async function sumsOfSet(set: MeasurementSet, field: number, probes: readonly Probe[]): Promise<SetSums> {
  const slots = await set.timeSlots(field);
  const bands = await set.bands(field);
  const all: (readonly [number, Sums[]])[][] = [];
  for (const { index } of slots) {
    const slot: (readonly [number, Sums[]])[] = [];
    for (const { id, spectralWindow } of bands) {
      const chunk = await set.readChunk({
        fieldId: field,
        dataDescriptionId: id,
        slots: [index, index + 1],
        channels: [0, spectralWindow.freq.length],
        stokes: 'I',
        dataColumn: 'auto',
      });
      slot.push([id, sumsOf(chunk, probes)]);
    }
    all.push(slot);
  }
  return all;
}

function total(
  sums: SetSums,
  probes: number,
  keep: (slot: number, dd: number, chan: number) => boolean,
): Sums {
  const out = zeroSums(probes);
  sums.forEach((slot, index) => {
    for (const [dd, channels] of slot) {
      channels.forEach((channel, chan) => {
        if (keep(index, dd, chan)) addSums(out, channel);
      });
    }
  });
  return out;
}

/** Values agree to a millionth of the largest probe, weights to a millionth. */
function agree(found: Sums, values: readonly (number | null)[], weight: number, what: string): void {
  assert.ok(
    Math.abs(found.weight - weight) <= 1e-6 * weight,
    `${what}: weights ${found.weight}, not ${weight}`,
  );
  if (weight === 0) return;
  const scale = Math.max(...values.map((value) => Math.abs(value!)));
  values.forEach((value, k) => {
    const difference = Math.abs(found.values[k]! / found.weight - value!);
    assert.ok(difference <= 1e-6 * scale, `${what}, probe ${k}: off by ${difference / scale} of the largest`);
  });
}

async function check({ name, path, references }: ReferenceSet): Promise<void> {
  const { field, probes, column, exact_dft_natural, intervals = [], channels = [] } = references();
  const set = await openMeasurementSet(path());
  try {
    assert.equal(await set.dataColumn('auto'), column);
    const sums = await sumsOfSet(set, field, probes);
    const whole = total(sums, probes.length, () => true);
    agree(whole, exact_dft_natural.at_probe_pixels, exact_dft_natural.sum_of_weights, name);
    const slots = await set.timeSlots(field);
    for (const { time_mjd_s, exact_dft_at_probe_pixels, sum_of_weights } of intervals) {
      if (time_mjd_s === undefined) continue;
      const slot = slots.findIndex(({ timeMjdSeconds }) => Math.abs(timeMjdSeconds - time_mjd_s) < 1e-3);
      const found = total(sums, probes.length, (index) => index === slot);
      agree(found, exact_dft_at_probe_pixels!, sum_of_weights!, `${name} at ${time_mjd_s}`);
    }
    for (const { dd, chan, freq_hz, exact_dft_at_probe_pixels, sum_of_weights } of channels) {
      if (dd === undefined || chan === undefined) continue;
      const { freq } = (await set.band(dd)).spectralWindow;
      assert.ok(Math.abs(freq[chan]! / freq_hz - 1) < 1e-6);
      const found = total(
        sums,
        probes.length,
        (_, description, index) => description === dd && index === chan,
      );
      agree(found, exact_dft_at_probe_pixels!, sum_of_weights!, `${name} channel ${dd}/${chan}`);
    }
  } finally {
    await set.close();
  }
}

for (const reference of referenceSets) {
  test(
    `${reference.name}: chunks give the exact Fourier sums of other software`,
    {
      skip: sharedDataMissing,
    },
    () => check(reference),
  );
}
