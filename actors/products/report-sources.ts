/**
 * Owns the cards of single sources on the report: figures, light curve, small pictures. Must not know: the
 * page around them.
 */
import { isoFromMjd } from '../io/calendar.ts';
import { formatDec, formatRa, radians } from '../io/wcs.ts';
import { durationText, fluxText } from './axis-ticks.ts';
import type { CatalogueSource } from './catalogue.ts';
import { lightCurvePlot } from './light-curve-plot.ts';
import { limits } from './limits.ts';
import { escapeMarkup } from './markup.ts';
import { commonScale, imageElement, type ValueScale } from './picture.ts';
import type { ReportInput, ReportThumbnail } from './report-input.ts';

/** The sources whose light curves are drawn: what changes, then the brightest of what does not. */
export function drawnSources({ sources, lightCurves }: ReportInput): CatalogueSource[] {
  const known = sources.filter(({ id }) => lightCurves.has(id));
  const byFlux = (a: CatalogueSource, b: CatalogueSource): number => b.peakFluxJy - a.peakFluxJy;
  const changing = (['transient', 'variable'] as const).flatMap((kind) =>
    known.filter((one) => one.kind === kind).sort((a, b) => b.peakSnr - a.peakSnr),
  );
  const steady = known.filter(({ kind }) => kind === 'steady').sort(byFlux);
  const room = limits.drawnSources - limits.drawnSteady;
  return [...changing.slice(0, room), ...steady.slice(0, limits.drawnSteady)];
}

function values(source: CatalogueSource): string {
  const { raDeg, decDeg, kind, startMjd, endMjd, peakMjd } = source;
  const place = `${formatRa(radians(raDeg), 2)} ${formatDec(radians(decDeg), 1).replace('-', '\u2212')}`;
  const snr = Number.isFinite(source.peakSnr) ? source.peakSnr.toFixed(1) : '\u2013';
  const items: (readonly [string, string])[] = [
    ['place', place],
    ['peak', fluxText(source.peakFluxJy)],
    ['S/N', snr],
    ['eta', Number.isFinite(source.eta) ? source.eta.toFixed(2) : '\u2013'],
    ['V', Number.isFinite(source.v) ? source.v.toFixed(3) : '\u2013'],
  ];
  if (kind === 'transient' && Number.isFinite(peakMjd)) {
    items.push(['peak at', `${isoFromMjd(peakMjd, 0).replace('T', ' ')} UTC`]);
    items.push(['seen for', durationText((endMjd - startMjd) * 86_400)]);
  }
  return `<dl class="values">${items
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`)
    .join('')}</dl>`;
}

/** A small picture with marks that point at its middle. */
function thumbnail(id: string, { image, caption }: ReportThumbnail, scale: ValueScale): string {
  const { npixX, npixY } = image.geometry;
  const label = escapeMarkup(`${id}, ${caption}`);
  const pixels = imageElement(image, scale, Math.max(npixX, npixY));
  const inner =
    `<svg width="100" height="100" viewBox="0 0 ${npixX} ${npixY}" preserveAspectRatio="none">` +
    `${pixels}</svg>`;
  // East is left and the middle pixel is the one at half the size.
  const x = (100 * (Math.floor(npixX / 2) + 0.5)) / npixX;
  const y = 100 - (100 * (Math.floor(npixY / 2) + 0.5)) / npixY;
  const ticks = `M${x - 24} ${y}h12M${x + 12} ${y}h12M${x} ${y - 24}v12M${x} ${y + 12}v12`;
  const marks = `<path class="halo" d="${ticks}"/><path class="mark steady" d="${ticks}"/>`;
  return (
    `<figure><svg viewBox="0 0 100 100" role="img" aria-label="${label}">${inner}${marks}</svg>` +
    `<figcaption>${escapeMarkup(caption)}</figcaption></figure>`
  );
}

function thumbnails(id: string, list: readonly ReportThumbnail[]): string {
  if (list.length === 0) return '';
  const scale = commonScale(list.map(({ image }) => image));
  return `<div class="thumbs">${list.map((one) => thumbnail(id, one, scale)).join('')}</div>`;
}

/** The card of a source. */
export function sourceCard(input: ReportInput, source: CatalogueSource): string {
  const { id, kind } = source;
  const name = escapeMarkup(id);
  return `<article class="card" id="${name}" aria-label="${name}">
<header><h3>${name}</h3> <span class="kind ${kind}">${kind}</span></header>
${values(source)}
${lightCurvePlot(source, input.lightCurves.get(id) ?? [])}
${thumbnails(id, input.thumbnails.get(id) ?? [])}
</article>`;
}
