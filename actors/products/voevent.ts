/**
 * Owns the alert: one VOEvent 2.0 document for one transient. Must not know: how transients are found, or how
 * alerts are sent.
 */
import { isoFromMjd } from '../io/calendar.ts';
import { type WriteOptions, writeTextFile } from '../io/write-atomically.ts';
import type { CatalogueSource } from './catalogue.ts';
import { escapeMarkup } from './markup.ts';
import { exact, measured } from './numbers.ts';

/** What a VOEvent says beyond the catalogue's row. */
export interface TransientAlert {
  readonly source: CatalogueSource;
  /** Degrees, radius of the circle that holds the true position with 68 % probability. */
  readonly errorRadiusDeg: number;
  /** Hz, centre of the frequencies in which it was seen. */
  readonly freqHz: number;
  /** Hz, their width. */
  readonly bandwidthHz: number;
  /** Seconds, the time for which it was seen. */
  readonly durationS: number;
  /** `test` for anything that is not a real observation. */
  readonly role: 'test' | 'observation';
  /** Of the instrument, such as `NenuFAR`. */
  readonly telescope: string;
  /** Name of the field or target observed. */
  readonly field: string;
  /**
   * First part of the identifier, such as `asperitas.local`: a registered IVOA authority, if there is one.
   */
  readonly authority: string;
  /** Makes identifiers of one run different from any other's and the same when the run is repeated, such as
   * the first 12 digits of the hash of the inputs. */
  readonly runId: string;
  /** MJD UTC at which the alert was written. */
  readonly writtenMjd: number;
  /** What found it, such as `asperitas 0.1.0`. */
  readonly software: string;
}

/** What a parameter is. */
interface Meaning {
  readonly type?: 'float' | 'int' | 'string';
  readonly ucd: string;
  readonly unit?: string;
  readonly description: string;
}
/** A value is empty where it can't be known: the parameter is left out. */
type Param = readonly [name: string, value: string, meaning: Meaning];

const meanings = {
  flux: { ucd: 'phot.flux.density;em.radio;stat.max', unit: 'Jy', description: 'Flux density at the peak' },
  id: { type: 'string', ucd: 'meta.id', description: 'Name in the catalogue' },
  snr: { ucd: 'stat.snr', description: 'Signal-to-noise ratio of the brightening' },
  eta: { ucd: 'stat.fit.chi2', description: 'Reduced chi-square about the weighted mean' },
  v: { ucd: 'src.var.index', description: 'Standard deviation over mean of the fluxes' },
  frames: { type: 'int', ucd: 'meta.number', description: 'Frames with a usable flux measurement' },
  start: { ucd: 'time.start', unit: 'd', description: 'MJD, start of the first frame in which it is seen' },
  end: { ucd: 'time.end', unit: 'd', description: 'MJD, end of the last frame in which it is seen' },
  duration: { ucd: 'time.duration', unit: 's', description: 'Time for which it is seen' },
  frequency: { ucd: 'em.freq', unit: 'Hz', description: 'Centre of the frequencies in which it is seen' },
  bandwidth: { ucd: 'instr.bandwidth', unit: 'Hz', description: 'Width of these frequencies' },
  telescope: { type: 'string', ucd: 'instr.tel', description: 'Telescope of the observation' },
  field: { type: 'string', ucd: 'obs.field', description: 'Field that was observed' },
} as const satisfies Record<string, Meaning>;

/** The groups of parameters in What, by name. */
function groupsOf(alert: TransientAlert): Readonly<Record<string, readonly Param[]>> {
  const { source, freqHz, bandwidthHz, durationS, telescope, field } = alert;
  return {
    source: [
      ['id', source.id, meanings.id],
      ['peak_flux', measured(source.peakFluxJy), meanings.flux],
      ['peak_snr', measured(source.peakSnr), meanings.snr],
      ['eta', measured(source.eta), meanings.eta],
      ['v', measured(source.v), meanings.v],
      ['n_frames', exact(source.nFrames), meanings.frames],
    ],
    time: [
      ['start', exact(source.startMjd), meanings.start],
      ['end', exact(source.endMjd), meanings.end],
      ['duration', measured(durationS), meanings.duration],
    ],
    frequency: [
      ['frequency', exact(freqHz), meanings.frequency],
      ['bandwidth', exact(bandwidthHz), meanings.bandwidth],
    ],
    observation: [
      ['telescope', telescope, meanings.telescope],
      ['field', field, meanings.field],
    ],
  };
}

function paramXml([name, value, { type = 'float', ucd, unit, description }]: Param): string {
  if (value === '') return '';
  const inUnit = unit === undefined ? '' : ` unit="${unit}"`;
  return `      <Param name="${name}" value="${escapeMarkup(value)}"${inUnit} ucd="${ucd}" dataType="${type}">
        <Description>${escapeMarkup(description)}</Description>
      </Param>
`;
}

/** Where and when: the peak as seen at the telescope, times UTC, place ICRS. */
function whereWhen({ source, telescope, errorRadiusDeg, durationS }: TransientAlert): string {
  const observatory = telescope === '' ? 'unknown' : telescope;
  return `  <WhereWhen>
    <ObsDataLocation>
      <ObservatoryLocation id="${escapeMarkup(observatory)}"/>
      <ObservationLocation>
        <AstroCoordSystem id="UTC-ICRS-TOPO"/>
        <AstroCoords coord_system_id="UTC-ICRS-TOPO">
          <Time unit="s">
            <TimeInstant>
              <ISOTime>${isoFromMjd(source.peakMjd)}</ISOTime>
            </TimeInstant>
            <Error>${measured(durationS / 2) || '0'}</Error>
          </Time>
          <Position2D unit="deg">
            <Name1>RA</Name1>
            <Name2>Dec</Name2>
            <Value2>
              <C1>${exact(source.raDeg)}</C1>
              <C2>${exact(source.decDeg)}</C2>
            </Value2>
            <Error2Radius>${measured(errorRadiusDeg) || '0'}</Error2Radius>
          </Position2D>
        </AstroCoords>
      </ObservationLocation>
    </ObsDataLocation>
  </WhereWhen>`;
}

/** The identifier of an alert: `ivo://authority/transients#run-source`. */
function ivornOf({ authority, runId, source }: TransientAlert): string {
  return `ivo://${authority}/transients#${runId}-${source.id}`;
}

/** The alert as a VOEvent 2.0 document (IVOA Recommendation 2011-07-11). */
export function voevent(alert: TransientAlert): string {
  const { role, authority, writtenMjd, software } = alert;
  const groups = Object.entries(groupsOf(alert)).map(
    ([name, params]) => `    <Group name="${name}">\n${params.map(paramXml).join('')}    </Group>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.ivoa.net/xml/VOEvent/v2.0 http://www.ivoa.net/xml/VOEvent/VOEvent-v2.0.xsd"
  version="2.0" role="${role}" ivorn="${escapeMarkup(ivornOf(alert))}">
  <Who>
    <AuthorIVORN>ivo://${escapeMarkup(authority)}/asperitas</AuthorIVORN>
    <Date>${isoFromMjd(writtenMjd)}</Date>
    <Author>
      <title>asperitas</title>
    </Author>
  </Who>
  <What>
${groups.join('\n')}
  </What>
${whereWhen(alert)}
  <How>
    <Description>${escapeMarkup(
      `Found by ${software} with matched filters on the residual images of an interferometric observation.`,
    )}</Description>
  </How>
  <Why>
    <Concept>process.variation.burst;em.radio</Concept>
    <Description>Seen only for a while, absent or far weaker in the rest of the observation</Description>
  </Why>
</voe:VOEvent>
`;
}

/** Throws `disk-full`, `cannot-write`, `aborted`. */
export async function writeVoevent(
  path: string,
  alert: TransientAlert,
  options: WriteOptions = {},
): Promise<void> {
  await writeTextFile(path, voevent(alert), options);
}
