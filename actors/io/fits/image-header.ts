/**
 * Owns the header cards of our images and cubes: axes, world coordinates, beam, dates. The keywords are those
 * that DS9, CARTA, CASA and astropy read alike; see docs/formats.md. Must not know: files, pixel values.
 */
import { isoFromMjd } from '../calendar.ts';
import { degrees, wrapRa } from '../wcs.ts';
import { integerCard, logicalCard, realCard, remarkCards, textCard } from './header.ts';
import type { ImageDescription } from './image-description.ts';

/** What is along the third axis: the one frequency, or the times of a cube. */
export type ThirdAxis =
  | { readonly kind: 'frequency' }
  | { readonly kind: 'time'; readonly count: number; readonly firstMjd: number; readonly stepS: number };

const stokesCodes = { I: 1, Q: 2, U: 3, V: 4 } as const;
const softwareName = 'asperitas';

function axisCards(number: number, type: string, values: Readonly<Record<string, number>>): string[] {
  return [
    textCard(`CTYPE${number}`, type),
    ...Object.entries(values).map(([keyword, value]) => realCard(`${keyword}${number}`, value)),
  ];
}

function celestialCards({ geometry, phaseCentre }: ImageDescription): string[] {
  const raDeg = degrees(wrapRa(phaseCentre.raRad));
  const decDeg = degrees(phaseCentre.decRad);
  return [
    ...axisCards(1, 'RA---SIN', {
      CRPIX: geometry.npixX / 2 + 1,
      CRVAL: raDeg,
      CDELT: -degrees(geometry.pixsizeX),
    }),
    textCard('CUNIT1', 'deg'),
    ...axisCards(2, 'DEC--SIN', {
      CRPIX: geometry.npixY / 2 + 1,
      CRVAL: decDeg,
      CDELT: degrees(geometry.pixsizeY),
    }),
    textCard('CUNIT2', 'deg'),
    realCard('LONPOLE', 180),
    realCard('LATPOLE', decDeg),
    textCard('RADESYS', 'ICRS'),
  ];
}

function thirdAxisCards({ freqHz, bandwidthHz }: ImageDescription, axis: ThirdAxis): string[] {
  if (axis.kind === 'frequency') {
    return [
      ...axisCards(3, 'FREQ', { CRPIX: 1, CRVAL: freqHz, CDELT: bandwidthHz }),
      textCard('CUNIT3', 'Hz'),
    ];
  }
  // The reference is a whole day, so that seconds of it keep nanoseconds in a double.
  const day = Math.floor(axis.firstMjd);
  return [
    ...axisCards(3, 'UTC', { CRPIX: 1, CRVAL: (axis.firstMjd - day) * 86_400, CDELT: axis.stepS }),
    textCard('CUNIT3', 's'),
    realCard('MJDREF', day, 'zero of axis 3; table TIMES has exact times'),
    realCard('OBSFREQ', freqHz, '[Hz] centre of the band'),
  ];
}

function dateCards({ startMjd, durationS }: ImageDescription): string[] {
  if (startMjd === undefined) return [textCard('TIMESYS', 'UTC')];
  const cards = [
    textCard('TIMESYS', 'UTC'),
    textCard('DATE-OBS', isoFromMjd(startMjd), 'centre of the first integration'),
    realCard('MJD-OBS', startMjd),
  ];
  return durationS === undefined ? cards : [...cards, realCard('EXPTIME', durationS, '[s]')];
}

function beamCards({ beam }: ImageDescription): string[] {
  if (beam === undefined) return [];
  return [
    realCard('BMAJ', degrees(beam.majorRad), '[deg] full width at half maximum'),
    realCard('BMIN', degrees(beam.minorRad), '[deg]'),
    realCard('BPA', degrees(beam.positionAngleRad), '[deg] from north through east'),
  ];
}

/** What the image was made of, under WSClean's keywords: scripts that weight images by them go on working. */
function originCards({ origin }: ImageDescription): string[] {
  if (origin === undefined) return [];
  const { channels, slots } = origin;
  return [
    textCard('WSCDATAC', origin.dataColumn),
    integerCard('WSCFIELD', origin.fieldId),
    textCard('WSCWEIGH', origin.weighting),
    realCard('WSCIMGWG', origin.sumOfWeights, 'sum of the imaging weights'),
    realCard('WSCNORMF', origin.sumOfWeights, 'what the image was divided by'),
    integerCard('WSCNVIS', origin.samples, 'visibilities'),
    integerCard('WSCTIMES', slots[0], 'first time step, within the field'),
    integerCard('WSCTIMEE', slots[1], 'the one after the last'),
    ...(channels === undefined
      ? []
      : [integerCard('WSCCHANS', channels[0]), integerCard('WSCCHANE', channels[1])]),
  ];
}

/** All cards of the primary header of a 4-D image: RA, DEC, FREQ or UTC, STOKES. */
export function imageCards(description: ImageDescription, axis: ThirdAxis): string[] {
  const { geometry } = description;
  const named = (keyword: string, text: string | undefined): string[] =>
    text === undefined || text === '' ? [] : [textCard(keyword, text)];
  return [
    logicalCard('SIMPLE', true, 'file conforms to the FITS standard'),
    integerCard('BITPIX', -32),
    integerCard('NAXIS', 4),
    integerCard('NAXIS1', geometry.npixX),
    integerCard('NAXIS2', geometry.npixY),
    integerCard('NAXIS3', axis.kind === 'time' ? axis.count : 1),
    integerCard('NAXIS4', 1),
    logicalCard('EXTEND', true),
    realCard('BSCALE', 1),
    realCard('BZERO', 0),
    textCard('BUNIT', description.unit),
    textCard('BTYPE', 'Intensity'),
    ...celestialCards(description),
    ...thirdAxisCards(description, axis),
    ...axisCards(4, 'STOKES', { CRPIX: 1, CRVAL: stokesCodes[description.stokes], CDELT: 1 }),
    textCard('CUNIT4', ''),
    textCard('SPECSYS', 'TOPOCENT'),
    realCard('RESTFRQ', description.freqHz, '[Hz]'),
    realCard('BANDWID', description.bandwidthHz, '[Hz] width of the band'),
    ...beamCards(description),
    ...dateCards(description),
    ...named('TELESCOP', description.telescope),
    ...named('INSTRUME', description.telescope),
    ...named('OBSERVER', description.observer),
    ...named('OBJECT', description.object),
    textCard('ORIGIN', softwareName),
    ...originCards(description),
    ...(description.history ?? []).flatMap((line) => remarkCards('HISTORY', line)),
  ];
}
