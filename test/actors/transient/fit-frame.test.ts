/** Forced photometry and the refinement of places, on frames whose truth is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directPoints } from '../../../actors/imaging/kernels/direct.ts';
import { randomStream } from '../../../actors/simulation/random.ts';
import { addNormal, fitFrame } from '../../../actors/transient/fit-frame.ts';
import { refine } from '../../../actors/transient/refine.ts';
import { type ModelSource, placeOf, pointSource, withMore } from '../../../actors/transient/sky-model.ts';
import { makeFrame } from '../../support/frames.ts';

const freq = Float64Array.from({ length: 6 }, (_, k) => 1e9 + 4e6 * k);
const plan = { antennas: 10, freq, extent: 2000, sources: [], noise: 0, random: randomStream(1) };
/** About the width of the beam of `plan`: 0.3 m / 2000 m. */
const beamRad = 1.5e-4;

test('the fluxes of sources in one another’s sidelobes are exact without noise', () => {
  const truth = [
    { l: 1e-3, m: -5e-4, fluxJy: 3 },
    { l: 1.3e-3, m: -4e-4, fluxJy: 0.2 },
    { l: -2e-2, m: 1e-2, fluxJy: 1.5 },
  ];
  const frame = makeFrame({ ...plan, sources: truth });
  const fit = fitFrame(
    frame,
    truth.map((source) => pointSource(source)),
  );
  truth.forEach(({ fluxJy }, i) => {
    assert.ok(Math.abs(fit.flux[i]! - fluxJy) < 1e-6, `${fit.flux[i]} is not ${fluxJy}`);
  });
  assert.ok(Math.max(...fit.residual.map(Math.abs)) < 1e-5);
});

test('a lone source’s flux is the exact Fourier sum in its direction', () => {
  const frame = makeFrame({ ...plan, sources: [{ l: 2e-3, m: 1e-3, fluxJy: 1 }], noise: 2 });
  const place = { l: 1.9e-3, m: 1e-3 };
  const { values, sumWeight } = directPoints(frame, Float64Array.of(place.l, place.m));
  const fit = fitFrame(frame, [pointSource(place)]);
  assert.ok(Math.abs(fit.flux[0]! - values[0]! / sumWeight) < 1e-6);
  assert.ok(Math.abs(fit.variance[0]! * 2 * sumWeight - 1) < 1e-6);
  assert.equal(fit.sumWeight, sumWeight);
});

test('channels at odd spacings give the same as evenly spaced ones', () => {
  const odd = freq.map((hz, k) => hz + (k === 3 ? 17 : 0));
  const sources = [{ l: 8e-3, m: 1e-3, fluxJy: 2 }];
  const even = makeFrame({ ...plan, sources, random: randomStream(5) });
  const uneven = makeFrame({ ...plan, freq: odd, sources, random: randomStream(5) });
  for (const frame of [even, uneven]) {
    assert.ok(Math.abs(fitFrame(frame, [pointSource(sources[0]!)]).flux[0]! - 2) < 1e-6);
  }
});

test('errors are what the scatter of many frames says, and the scatter of a right model is 1', () => {
  const random = randomStream(2);
  const truth = [
    { l: 1e-3, m: 0, fluxJy: 1 },
    { l: 1e-3 + 0.6 * beamRad, m: 0, fluxJy: 0.5 },
  ];
  const sources = truth.map((source) => pointSource(source));
  let [chi0, chi1, scatter] = [0, 0, 0];
  const frames = 400;
  for (let k = 0; k < frames; k++) {
    const fit = fitFrame(makeFrame({ ...plan, sources: truth, noise: 0.5, random }), sources);
    chi0 += (fit.flux[0]! - 1) ** 2 / fit.variance[0]! / frames;
    chi1 += (fit.flux[1]! - 0.5) ** 2 / fit.variance[1]! / frames;
    scatter += fit.scatter / frames;
  }
  // Five sigma of a mean chi-square over 400 frames.
  for (const chi of [chi0, chi1]) assert.ok(Math.abs(chi - 1) < 5 * Math.sqrt(2 / frames), `${chi}`);
  assert.ok(Math.abs(scatter - 1) < 0.02, `${scatter}`);
});

test('a pulse in part of the band is taken out channel by channel, where that is asked for', () => {
  const steady = [
    { l: 1e-3, m: -5e-4, fluxJy: 3 },
    { l: -2e-2, m: 1e-2, fluxJy: 1.5 },
  ];
  const pulse = { l: 6e-3, m: 9e-3 };
  const spectrum = [0, 4, 9, 2, 0, 0];
  const make = (noise: number) => {
    const frame = makeFrame({ ...plan, sources: steady, noise, random: randomStream(7) });
    spectrum.forEach((fluxJy, channel) => {
      const { vis } = makeOnly(frame.uvw, freq.subarray(channel, channel + 1), [{ ...pulse, fluxJy }]);
      for (let k = channel; k < frame.mask.length; k += freq.length) {
        if (frame.mask[k] === 0) continue;
        const row = (k - channel) / freq.length;
        frame.vis[2 * k]! += vis[2 * row]!;
        frame.vis[2 * k + 1]! += vis[2 * row + 1]!;
      }
    });
    return frame;
  };
  const sources = [...steady, pulse].map((source) => pointSource(source));
  const exact = fitFrame(make(0), sources, { freeSpectra: true });
  assert.ok(Math.max(...exact.residual.map(Math.abs)) < 1e-5, 'something is left without noise');
  for (const i of steady.keys()) assert.ok(Math.abs(exact.flux[i]! - steady[i]!.fluxJy) < 1e-6);
  // The mean over samples of the channels' fluxes.
  const frame = make(0);
  const weights = spectrum.map((_, channel) =>
    frame.weight.reduce((sum, w, k) => (k % freq.length === channel ? sum + w : sum), 0),
  );
  const all = weights.reduce((sum, w) => sum + w, 0);
  const mean = spectrum.reduce((sum, fluxJy, channel) => sum + (fluxJy * weights[channel]!) / all, 0);
  assert.ok(Math.abs(exact.flux[2]! - mean) < 1e-5, `${exact.flux[2]} is not ${mean}`);

  const noisy = make(0.5);
  const free = fitFrame(noisy, sources, { freeSpectra: true });
  const stiff = fitFrame(noisy, sources);
  assert.ok(Math.abs(free.scatter - 1) < 0.3, `scatter ${free.scatter}`);
  assert.ok(stiff.scatter > 3, `scatter ${stiff.scatter} of one flux over the band`);
});

test('sources of smooth spectra keep one flux over the band', () => {
  const sources = [{ l: 1e-3, m: -5e-4, fluxJy: 3 }];
  for (let seed = 0; seed < 40; seed++) {
    const frame = makeFrame({ ...plan, sources, noise: 0.5, random: randomStream(100 + seed) });
    const models = [pointSource(sources[0]!)];
    assert.deepEqual(fitFrame(frame, models, { freeSpectra: true }), fitFrame(frame, models));
  }
});

test('a frame without data has no fluxes and no influence', () => {
  const frame = makeFrame({ ...plan, sources: [] });
  const empty = {
    ...frame,
    mask: new Uint8Array(frame.mask.length),
    weight: new Float32Array(frame.weight.length),
  };
  const fit = fitFrame(empty, [pointSource({ l: 0, m: 0 })], { normal: true });
  assert.ok(Number.isNaN(fit.flux[0]!));
  assert.equal(fit.samples, 0);
  assert.equal(fit.normal, undefined);
});

test('misplaced sources of wrong spectrum are put right by a few refinements', () => {
  const random = randomStream(3);
  const places = [
    { l: 1e-3, m: 2e-3 },
    { l: 1.3e-3, m: 2e-3 },
    { l: -6e-3, m: 5e-3 },
  ];
  const wide = Float64Array.from({ length: 8 }, (_, k) => 1e9 + 5e7 * k);
  // Spectra of index -1, flat to the fit's eye in each channel alone: summed from one source a channel.
  const frames = [1, 0.2, 3].map((brightness) => {
    const frame = makeFrame({ ...plan, freq: wide, random, sources: [] });
    wide.forEach((hz, channel) => {
      const one = places.map((place, i) => ({ ...place, fluxJy: (brightness * (i + 1) * 1e9) / hz }));
      const only = Float64Array.of(hz);
      const { vis } = makeOnly(frame.uvw, only, one);
      for (let row = 0; row < frame.uvw.length / 3; row++) {
        const k = row * wide.length + channel;
        if (frame.mask[k] === 0) continue;
        frame.vis[2 * k] = vis[2 * row]!;
        frame.vis[2 * k + 1] = vis[2 * row + 1]!;
      }
    });
    return frame;
  });
  let sources: readonly ModelSource[] = places.map(({ l, m }, i) =>
    pointSource({ l: l + 0.2 * beamRad * (i - 1), m: m + 0.15 * beamRad }),
  );
  for (let round = 0; round < 8; round++) {
    const normals = frames.map((frame) => fitFrame(frame, sources, { normal: true }).normal!);
    sources = refine(sources, normals.reduce(addNormal), { noisePower: 1e-6, beamRad }).sources;
  }
  sources.forEach((source, i) => {
    const { l, m } = placeOf(source);
    assert.ok(
      Math.hypot(l - places[i]!.l, m - places[i]!.m) < 1e-4 * beamRad,
      `source ${i}: ${(l - places[i]!.l) / beamRad} ${(m - places[i]!.m) / beamRad} ${source.spectralIndex}`,
    );
    assert.ok(Math.abs(source.spectralIndex + 1) < 1e-3, `index ${source.spectralIndex}`);
  });
});

function makeOnly(
  uvw: Float64Array,
  only: Float64Array,
  sources: readonly { l: number; m: number; fluxJy: number }[],
) {
  const rows = uvw.length / 3;
  const vis = new Float64Array(2 * rows);
  for (const { l, m, fluxJy } of sources) {
    const n1 = Math.sqrt(1 - l * l - m * m) - 1;
    for (let row = 0; row < rows; row++) {
      const path = uvw[3 * row]! * l + uvw[3 * row + 1]! * m + uvw[3 * row + 2]! * n1;
      const phase = (2 * Math.PI * path * only[0]!) / 299_792_458;
      vis[2 * row]! += fluxJy * Math.cos(phase);
      vis[2 * row + 1]! += fluxJy * Math.sin(phase);
    }
  }
  return { vis };
}

test('components join a source with shares that sum to 1', () => {
  const grown = withMore(pointSource({ l: 1e-3, m: 0 }), 3, [2e-3, 0, 1]);
  assert.deepEqual([...grown.components], [1e-3, 0, 0.75, 2e-3, 0, 0.25]);
  assert.equal(placeOf(grown).l, 1.25e-3);
});
