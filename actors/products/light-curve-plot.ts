/**
 * Owns the drawing of a light curve: points with error bars in all bands over time, as inline SVG. Must not
 * know: the page around it, how fluxes are measured.
 */
import { fluxUnit, ticks, timeTicks } from './axis-ticks.ts';
import type { CatalogueSource } from './catalogue.ts';
import type { LightCurvePoint } from './light-curves.ts';
import { limits } from './limits.ts';
import { escapeMarkup } from './markup.ts';

/** One or several frames as one point. */
interface PlotPoint {
  readonly timeMjd: number;
  readonly flux: number;
  readonly error: number;
  readonly detected: boolean;
}

/** The points of one band. */
interface PlotBand {
  readonly name: string;
  readonly points: readonly PlotPoint[];
  /** Frames that a point is the mean of. */
  readonly averaged: number;
}

const size = { width: 760, height: 250, left: 64, right: 14, top: 14, bottom: 46 };
const inner = {
  width: size.width - size.left - size.right,
  height: size.height - size.top - size.bottom,
};

const round = (value: number): string => String(Math.round(value * 100) / 100);

/** Weighted means of `count` points each. */
function average(points: readonly LightCurvePoint[], count: number): PlotPoint[] {
  const out: PlotPoint[] = [];
  for (let from = 0; from < points.length; from += count) {
    const group = points.slice(from, from + count);
    let [weight, flux, time] = [0, 0, 0];
    for (const { fluxJy, errJy, timeMjd } of group) {
      const w = 1 / errJy ** 2;
      weight += w;
      flux += w * fluxJy;
      time += timeMjd - group[0]!.timeMjd;
    }
    const error = Math.sqrt(1 / weight);
    out.push({
      timeMjd: group[0]!.timeMjd + time / group.length,
      flux: flux / weight,
      error,
      detected: count === 1 ? group[0]!.flag === 'detected' : flux / weight >= 3 * error,
    });
  }
  return out;
}

function bandsOf(points: readonly LightCurvePoint[]): PlotBand[] {
  const byBand = new Map<string, LightCurvePoint[]>();
  for (const point of points) {
    const list = byBand.get(point.band) ?? [];
    byBand.set(point.band, list);
    if (point.flag !== 'bad' && point.errJy > 0) list.push(point);
  }
  const most = Math.max(20, Math.floor(limits.plotPoints / byBand.size));
  return [...byBand].map(([name, list]) => {
    const averaged = Math.max(1, Math.ceil(list.length / most));
    const sorted = list.sort((a, b) => a.timeMjd - b.timeMjd);
    return { name, averaged, points: average(sorted, averaged) };
  });
}

/** The range of fluxes, with room, and zero in it. */
function fluxRange(bands: readonly PlotBand[]): readonly [number, number] {
  let [low, high] = [0, 0];
  const errors = bands.flatMap(({ points }) => points.map(({ error }) => error)).sort((a, b) => a - b);
  const usual = errors[errors.length >> 1] ?? 0;
  for (const { points } of bands) {
    for (const { flux, error } of points) {
      // One frame with hardly any data must not flatten all others.
      const bar = Math.min(error, 3 * usual);
      low = Math.min(low, flux - bar);
      high = Math.max(high, flux + bar);
    }
  }
  const room = 0.05 * (high - low) || 1;
  return [low - room, high + room];
}

interface Axes {
  readonly x: (mjd: number) => number;
  readonly y: (jy: number) => number;
}

function frameOf(axes: Axes, times: readonly [number, number], range: readonly [number, number]): string {
  const { name, jy } = fluxUnit(Math.max(range[1], -range[0]));
  const { width, height } = inner;
  const across = ticks(range[0] / jy, range[1] / jy, 4).map(({ value, text }) => {
    const y = round(axes.y(value * jy));
    const line = `<path class="${value === 0 ? 'zero' : 'rule'}" d="M0 ${y}h${width}"/>`;
    return `${line}<text class="tick" x="-8" y="${round(Number(y) + 4)}" text-anchor="end">${text}</text>`;
  });
  const time = timeTicks(...times);
  const down = time.list.map(({ value, text }) => {
    const x = round(axes.x(value));
    const mark = `<path class="axis" d="M${x} ${height}v5"/>`;
    return `${mark}<text class="tick" x="${x}" y="${height + 19}" text-anchor="middle">${text}</text>`;
  });
  return `${across.join('')}${down.join('')}
<rect class="frame" width="${width}" height="${height}" fill="none"/>
<text class="axis-name" x="${width / 2}" y="${height + 38}" text-anchor="middle">${time.name}</text>
<text class="axis-name" transform="translate(-48 ${height / 2}) rotate(-90)"
text-anchor="middle">Flux density (${name})</text>`;
}

/** Points as dots that are strokes of no length: a path a band, however many points. Hollow ones are not
 * detected. */
function bandMarks({ points }: PlotBand, index: number, { x, y }: Axes): string {
  const at = (list: readonly PlotPoint[]): string =>
    list.map(({ timeMjd, flux }) => `M${round(x(timeMjd))} ${round(y(flux))}h0`).join('');
  const bars = points.map(({ timeMjd, flux, error }) => {
    const [top, bottom] = [y(flux + error), y(flux - error)];
    return `M${round(x(timeMjd))} ${round(top)}V${round(bottom)}`;
  });
  const hollow = points.filter(({ detected }) => !detected);
  const shape = `series s${index % 6}${index % 2 === 1 ? ' square' : ''}`;
  const small = points.length > 200 ? ' small' : '';
  return (
    `<g class="${shape}${small}"><path class="bars" d="${bars.join('')}"/>` +
    `<path class="dots" d="${at(points)}"/><path class="holes" d="${at(hollow)}"/></g>`
  );
}

function legendOf(bands: readonly PlotBand[]): string {
  const items = bands.map(({ name }, index) => {
    const shape = `series s${index % 6}${index % 2 === 1 ? ' square' : ''}`;
    const key = `<svg class="key" viewBox="0 0 14 14" aria-hidden="true"><g class="${shape}">`;
    return `<li>${key}<path class="dots" d="M7 7h0"/></g></svg>${escapeMarkup(name)}</li>`;
  });
  const averaged = Math.max(...bands.map((band) => band.averaged));
  const note = averaged > 1 ? `; each point is the mean of up to ${averaged} frames` : '';
  return `<ul class="legend">${items.join('')}<li class="note">hollow: below 3 sigma${note}</li></ul>`;
}

/** The light curve of a source, or a sentence where there is nothing to draw. */
export function lightCurvePlot(source: CatalogueSource, points: readonly LightCurvePoint[]): string {
  const bands = bandsOf(points);
  const usable = bands.flatMap((band) => band.points);
  if (usable.length === 0) return '<p class="note">No frame has usable data at this place.</p>';
  const days = points.map(({ dtS }) => dtS / 86_400);
  const start = Math.min(...points.map(({ timeMjd }, k) => timeMjd - days[k]! / 2));
  const end = Math.max(...points.map(({ timeMjd }, k) => timeMjd + days[k]! / 2));
  const range = fluxRange(bands);
  const axes: Axes = {
    x: (mjd) => (inner.width * (mjd - start)) / (end - start || 1),
    y: (jy) => inner.height * (1 - (jy - range[0]) / (range[1] - range[0])),
  };
  const [from, to] = [axes.x(source.startMjd), axes.x(source.endMjd)];
  const seen =
    source.kind === 'transient' && to > from
      ? `<rect class="seen" x="${round(from)}" width="${round(to - from)}" height="${inner.height}"/>`
      : '';
  const label =
    `Light curve of ${escapeMarkup(source.id)}: flux density over time, ` +
    `${usable.length} points in ${bands.length === 1 ? 'one band' : `${bands.length} bands`}`;
  const clip = `clip-${source.id.replace(/[^A-Za-z0-9]/g, (one) => `_${one.charCodeAt(0)}`)}`;
  const area = `x="-4" width="${inner.width + 8}" height="${inner.height}"`;
  return `<svg class="plot" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${label}">
<defs><clipPath id="${clip}"><rect ${area}/></clipPath></defs>
<g transform="translate(${size.left} ${size.top})">${seen}${frameOf(axes, [start, end], range)}
<g clip-path="url(#${clip})">${bands.map((band, index) => bandMarks(band, index, axes)).join('')}</g>
</g></svg>${legendOf(bands)}`;
}
