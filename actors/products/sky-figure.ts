/**
 * Owns the drawing of a band's image: pixels, grid, axes, marks of sources, beam, colour bar, as inline SVG.
 * Must not know: the page around it.
 */
import { type Pixel, pixelFromSky, radians } from '../io/wcs.ts';
import type { Beam, SkyImage } from '../visibility.ts';
import { fluxUnit, type Tick, ticks } from './axis-ticks.ts';
import type { CatalogueSource, SourceKind } from './catalogue.ts';
import { cssColour } from './colour-map.ts';
import { escapeMarkup } from './markup.ts';
import { imageElement, shareOf, skyScale, type ValueScale } from './picture.ts';
import { type GridLine, skyGrid } from './sky-grid.ts';

/** What to draw. */
export interface SkyFigure {
  readonly image: SkyImage;
  readonly beam: Beam | undefined;
  readonly sources: readonly CatalogueSource[];
  /** What a reader who can't see the picture is told. */
  readonly label: string;
  /** Unique on the page, for references within the drawing. */
  readonly id: string;
  /** Most pixels a side. */
  readonly side: number;
}

/** User units of the longer side of the image, and of what stands around it. */
const longest = 560;
const margin = { left: 112, top: 14, right: 118, bottom: 66 };

const round = (value: number): string => String(Math.round(value * 100) / 100);

/** From pixels of the image to the drawing. */
class Place {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly #npixY: number;

  constructor({ geometry: { npixX, npixY } }: SkyImage) {
    this.scale = longest / Math.max(npixX, npixY);
    this.width = npixX * this.scale;
    this.height = npixY * this.scale;
    this.#npixY = npixY;
  }

  of({ x, y }: Pixel): { x: number; y: number } {
    return { x: (x + 0.5) * this.scale, y: (this.#npixY - 0.5 - y) * this.scale };
  }
}

function gridLines(lines: readonly GridLine[], place: Place): string {
  const path = lines.flatMap(({ parts }) =>
    parts.map(
      (part) =>
        `M${part
          .map((pixel) => {
            const { x, y } = place.of(pixel);
            return `${round(x)} ${round(y)}`;
          })
          .join('L')}`,
    ),
  );
  return `<path class="grid" d="${path.join('')}"/>`;
}

/** Points of a line that make it long enough to be labelled on the image. */
const shortestLabelled = 12;

/** Labels below and to the left; where the sky does not reach the edge, on the lines themselves. */
function gridLabels(lines: readonly GridLine[], place: Place): string {
  const out: string[] = [];
  for (const axis of ['ra', 'dec'] as const) {
    const own = lines.filter((line) => line.axis === axis);
    const onEdge = own.filter(({ edge }) => edge !== undefined);
    if (onEdge.length >= 2) {
      for (const { edge, text } of onEdge) {
        const { x, y } = place.of(edge!);
        const below = `x="${round(x)}" y="${round(place.height + 22)}" text-anchor="middle"`;
        const beside = `x="-8" y="${round(y + 6)}" text-anchor="end"`;
        out.push(`<text class="tick" ${axis === 'ra' ? below : beside}>${text}</text>`);
      }
      continue;
    }
    for (const { parts, text } of own) {
      const longestPart = [...parts].sort((a, b) => b.length - a.length)[0];
      if (longestPart === undefined || longestPart.length < shortestLabelled) continue;
      const { x, y } = place.of(longestPart[longestPart.length >> 1]!);
      out.push(`<text class="on-image" x="${round(x + 3)}" y="${round(y - 3)}">${text}</text>`);
    }
  }
  return out.join('');
}

/** The mark of a source: its shape tells its kind, so that colour is not needed. */
export function markOf(kind: SourceKind, x: number, y: number): string {
  const [cx, cy] = [round(x), round(y)];
  if (kind === 'transient') return `<circle class="mark transient" cx="${cx}" cy="${cy}" r="11"/>`;
  if (kind === 'variable') {
    return `<path class="mark variable" d="M${cx} ${round(y - 12)}l12 12l-12 12l-12 -12z"/>`;
  }
  return `<rect class="mark steady" x="${round(x - 9)}" y="${round(y - 9)}" width="18" height="18"/>`;
}

function marks({ image, sources }: SkyFigure, place: Place): string {
  return sources
    .map(({ id, kind, raDeg, decDeg }) => {
      const direction = { raRad: radians(raDeg), decRad: radians(decDeg) };
      const pixel = pixelFromSky(image.geometry, image.phaseCentre, direction);
      if (pixel === undefined) return '';
      const { x, y } = place.of(pixel);
      if (x < 0 || y < 0 || x > place.width || y > place.height) return '';
      const name = escapeMarkup(id);
      const title = `<title>${name}, ${kind}</title>`;
      return `<a href="#${name}">${title}${markOf(kind, x, y)}</a>`;
    })
    .join('');
}

/** The beam in the lower left corner, on a ground of its own; north is up, east is left. */
function beamMark(beam: Beam | undefined, { geometry }: SkyImage, place: Place): string {
  if (beam === undefined) return '';
  const perRad = place.scale / geometry.pixsizeX;
  const [major, minor] = [beam.majorRad * perRad, beam.minorRad * perRad];
  if (!(major < longest / 3)) return '';
  const box = Math.max(major + 10, 20);
  const middle = 8 + box / 2;
  const turn = round((-beam.positionAngleRad * 180) / Math.PI);
  const ellipse = `<ellipse rx="${round(Math.max(minor / 2, 0.5))}" ry="${round(Math.max(major / 2, 0.5))}"`;
  const at = `translate(${round(middle)} ${round(place.height - middle)})`;
  return (
    `<g class="beam" transform="${at}"><title>the beam, full width at half maximum</title>` +
    `<rect x="${round(-box / 2)}" y="${round(-box / 2)}" width="${round(box)}" height="${round(box)}"/>` +
    `${ellipse} transform="rotate(${turn})"/></g>`
  );
}

/** Round values for a scale that is linear at the bottom and logarithmic at the top. */
function scaleTicks(scale: ValueScale, unit: number): Tick[] {
  const { low, high, softening } = scale;
  if (!Number.isFinite(softening)) return ticks(low / unit, high / unit, 5);
  const candidates = [...ticks(low / unit, Math.min(high, 2 * softening) / unit, 3)];
  const linearTop = candidates.at(-1)?.value ?? 0;
  for (let power = -9; power < 6; power++) {
    for (const digit of [1, 2, 5]) {
      const value = Number(`${digit}e${power}`);
      if (value > linearTop * 1.4 && value * unit <= high) candidates.push({ value, text: String(value) });
    }
  }
  // Labels need room: what stands too close to the one below is left out.
  const kept: Tick[] = [];
  for (const tick of candidates) {
    const last = kept.at(-1);
    const share = shareOf(scale, tick.value * unit);
    if (last === undefined || share - shareOf(scale, last.value * unit) > 0.045)
      kept.push(tick.value === 0 ? { value: 0, text: '0' } : tick);
  }
  return kept;
}

function colourBar(scale: ValueScale, place: Place, id: string): string {
  const stops = Array.from({ length: 25 }, (_, k) => {
    return `<stop offset="${round((100 * k) / 24)}%" stop-color="${cssColour(k / 24)}"/>`;
  });
  const { name, jy } = fluxUnit(scale.high);
  const [x, height] = [place.width + 14, place.height];
  const labels = scaleTicks(scale, jy).map(({ value, text }) => {
    const y = height * (1 - shareOf(scale, value * jy));
    return (
      `<path class="axis" d="M${round(x + 14)} ${round(y)}h4"/>` +
      `<text class="tick" x="${round(x + 22)}" y="${round(y + 6)}">${text}</text>`
    );
  });
  const gradient = `<linearGradient id="${id}-bar" x1="0" y1="1" x2="0" y2="0">${stops.join('')}`;
  const size = `x="${round(x)}" y="0" width="14" height="${round(height)}"`;
  return (
    `<defs>${gradient}</linearGradient></defs>` +
    `<rect class="frame" ${size} fill="url(#${id}-bar)"/>` +
    labels.join('') +
    `<text class="axis-name" transform="translate(${round(x + 90)} ${round(height / 2)}) rotate(90)" ` +
    `text-anchor="middle">${name}/beam</text>`
  );
}

/** The image of a band with all that belongs to it. */
export function skyFigure(figure: SkyFigure): string {
  const { image, id } = figure;
  const place = new Place(image);
  const lines = skyGrid(image);
  const scale = skyScale(image);
  const { npixX, npixY } = image.geometry;
  const [width, height] = [round(place.width), round(place.height)];
  const around = [margin.left + place.width + margin.right, margin.top + place.height + margin.bottom];
  const pixels = imageElement(image, scale, figure.side);
  const middle = `text-anchor="middle"`;
  return `<svg class="sky" viewBox="0 0 ${around.map(round).join(' ')}">
<g transform="translate(${margin.left} ${margin.top})">
<svg width="${width}" height="${height}" viewBox="0 0 ${npixX} ${npixY}" preserveAspectRatio="none"
role="img" aria-label="${escapeMarkup(figure.label)}">${pixels}</svg>
${gridLines(lines, place)}
<rect class="frame" width="${width}" height="${height}" fill="none"/>
${gridLabels(lines, place)}
<text class="axis-name" x="${round(place.width / 2)}" y="${round(place.height + 54)}" ${middle}>Right
ascension (ICRS)</text>
<text class="axis-name" transform="translate(-96 ${round(place.height / 2)}) rotate(-90)"
${middle}>Declination (ICRS)</text>
${beamMark(figure.beam, image, place)}
${marks(figure, place)}
${colourBar(scale, place, id)}
</g></svg>`;
}
