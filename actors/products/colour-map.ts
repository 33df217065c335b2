/**
 * Owns the colours of images: from dark to bright in even steps of perceived lightness, so that they also
 * read in grey and with impaired colour vision. Must not know: what the colours stand for.
 */

/** Colours in Oklab (Ottosson 2020): lightness, green to red, blue to yellow. */
type Oklab = readonly [lightness: number, a: number, b: number];

/** Night blue over violet and orange to pale yellow. */
const anchors: readonly Oklab[] = [
  [0.16, 0.0, -0.03],
  [0.31, 0.02, -0.11],
  [0.46, 0.11, -0.1],
  [0.6, 0.15, 0.01],
  [0.74, 0.09, 0.11],
  [0.86, 0.0, 0.12],
  [0.97, -0.01, 0.04],
];

function toByte(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear));
  const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
  return Math.round(255 * encoded);
}

function toRgb([lightness, a, b]: Oklab): [number, number, number] {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toByte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    toByte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    toByte(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

/** The colour of a share from 0, dark, to 1, bright. */
export function colourAt(share: number): readonly [red: number, green: number, blue: number] {
  const place = Math.min(1, Math.max(0, share)) * (anchors.length - 1);
  const below = Math.min(Math.floor(place), anchors.length - 2);
  const part = place - below;
  const mixed = anchors[below]!.map((value, k) => value + part * (anchors[below + 1]![k]! - value));
  return toRgb(mixed as unknown as Oklab);
}

/** The colour as CSS writes it. */
export function cssColour(share: number): string {
  return `#${[...colourAt(share)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** A palette for pictures: index 0 is transparent, for pixels without a value, 1 to 255 are dark to
 * bright. */
export function imagePalette(): { readonly palette: Uint8Array; readonly alpha: Uint8Array } {
  const palette = new Uint8Array(256 * 3);
  for (let index = 1; index < 256; index++) palette.set(colourAt((index - 1) / 254), 3 * index);
  return { palette, alpha: Uint8Array.of(0) };
}
