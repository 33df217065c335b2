/**
 * Owns the turning of a search's result into the rows of its products: catalogue, light curves, alerts. Pure.
 * Must not know: files, formats, how sources were found.
 */
import { degrees, formatDec, formatRa, skyFromLm } from '../io/wcs.ts';
import type { CatalogueSource } from '../products/catalogue.ts';
import type { LightCurvePoint } from '../products/light-curves.ts';
import type { TransientAlert } from '../products/voevent.ts';
import { placeOf } from '../transient/sky-model.ts';
import type { Direction } from '../visibility.ts';
import { limits } from './limits.ts';
import type { TransientPlan } from './transients-plan.ts';
import type { FoundSource } from './transients-search.ts';

const secondsPerDay = 86_400;

/** A source with its rows. */
export interface SourceRows {
  readonly found: FoundSource;
  readonly source: CatalogueSource;
  readonly points: readonly LightCurvePoint[];
}

/** Names after the place, as astronomers have them: J081336.4+331012. */
function nameOf({ raRad, decRad }: Direction): string {
  const ra = formatRa(raRad, 1).replaceAll(':', '');
  const dec = formatDec(decRad, 0).replaceAll(':', '');
  return `J${ra}${dec}`;
}

/** Names that differ even where places agree to the digits shown. */
function uniqueNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

/** The rows of all sources that are to be listed, transients first, then by flux. */
export function rowsOf(plan: TransientPlan, sources: readonly FoundSource[]): SourceRows[] {
  const order = ['transient', 'variable', 'steady'];
  const sorted = sources
    .filter(({ listed }) => listed)
    .sort(
      (a, b) =>
        order.indexOf(a.summary.kind) - order.indexOf(b.summary.kind) ||
        b.summary.peak.fluxJy - a.summary.peak.fluxJy,
    );
  const places = sorted.map(({ model }) => skyFromLm(plan.phaseCentre, placeOf(model)) ?? plan.phaseCentre);
  const names = uniqueNames(places.map(nameOf));
  return sorted.map((found, k) => {
    const source = catalogueRow(plan, found, { id: names[k]!, place: places[k]! });
    return { found, source, points: curveRows(plan, found, names[k]!) };
  });
}

function catalogueRow(
  plan: TransientPlan,
  { summary, curves }: FoundSource,
  { id, place }: { readonly id: string; readonly place: Direction },
): CatalogueSource {
  const { event, kind, peak } = summary;
  const times = spanOf(plan, summary);
  const snr = kind === 'steady' ? summary.meanSnr : Math.max(event?.snr ?? 0, summary.meanSnr);
  return {
    id,
    raDeg: degrees(place.raRad),
    decDeg: degrees(place.decRad),
    kind,
    peakFluxJy: peak.fluxJy,
    peakSnr: kind === 'transient' ? event!.snr : snr,
    startMjd: times.startS / secondsPerDay,
    peakMjd: curves[peak.band]!.timeS[peak.index]! / secondsPerDay,
    endMjd: times.endS / secondsPerDay,
    eta: summary.eta,
    v: summary.v,
    nFrames: summary.count,
  };
}

/** When a source is seen: a transient during its event, others all the time. */
function spanOf({ bins }: TransientPlan, { kind, event }: FoundSource['summary']) {
  const last = bins.endS.length - 1;
  if (kind !== 'transient' || event === undefined) return { startS: bins.startS[0]!, endS: bins.endS[last]! };
  return { startS: bins.startS[event.from]!, endS: bins.endS[event.to - 1]! };
}

function curveRows(plan: TransientPlan, { curves }: FoundSource, id: string): LightCurvePoint[] {
  return curves.flatMap((curve, band) => {
    const { name, freqHz } = plan.bands[band]!;
    return Array.from(curve.flux, (fluxJy, k): LightCurvePoint => {
      const errJy = curve.error[k]!;
      const bad = !Number.isFinite(fluxJy) || !Number.isFinite(errJy);
      return {
        id,
        band: name,
        freqHz,
        timeMjd: curve.timeS[k]! / secondsPerDay,
        dtS: curve.dtS[k]!,
        fluxJy: bad ? Number.NaN : fluxJy,
        errJy: bad ? Number.NaN : errJy,
        flag: bad ? 'bad' : fluxJy >= limits.detectedSigma * errJy ? 'detected' : 'limit',
      };
    });
  });
}

/** The alert of a transient. */
export function alertOf(
  plan: TransientPlan,
  { found, source }: SourceRows,
  about: Pick<TransientAlert, 'role' | 'authority' | 'runId' | 'writtenMjd' | 'software'>,
): TransientAlert {
  const { event } = found.summary;
  const seen = event === undefined || event.band < 0 ? plan.bands : [plan.bands[event.band]!];
  const low = Math.min(...seen.map((band) => band.freqHz - band.bandwidthHz / 2));
  const high = Math.max(...seen.map((band) => band.freqHz + band.bandwidthHz / 2));
  const [first] = plan.sets;
  return {
    source,
    // One standard deviation on each axis is a circle of 39 %; 1.52 of them hold 68 %.
    errorRadiusDeg: degrees(1.52 * found.placeErrorRad),
    freqHz: (low + high) / 2,
    bandwidthHz: high - low,
    durationS: (source.endMjd - source.startMjd) * secondsPerDay,
    telescope: first!.telescope,
    field: first!.fieldName,
    ...about,
  };
}

/** The catalogue as people read it. */
export function catalogueText(sources: readonly CatalogueSource[]): string {
  const rows = sources.map((source) => [
    source.id,
    source.kind,
    source.raDeg.toFixed(5),
    source.decDeg.toFixed(5),
    source.peakFluxJy.toPrecision(4),
    source.peakSnr.toFixed(1),
    source.startMjd.toFixed(6),
    source.endMjd.toFixed(6),
    source.eta.toFixed(2),
    source.v.toFixed(3),
  ]);
  const head = ['id', 'kind', 'ra_deg', 'dec_deg', 'peak_jy', 'snr', 'start_mjd', 'end_mjd', 'eta', 'v'];
  const table = [head, ...rows];
  const width = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(width[column]!))
      .join('  ')
      .trimEnd(),
  );
  return sources.length === 0 ? 'no sources found\n' : `${lines.join('\n')}\n`;
}
