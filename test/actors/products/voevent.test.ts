/** Alerts are VOEvent 2.0: well-formed, in the order of the schema, escaped, and tests unless told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TransientAlert, voevent } from '../../../actors/products/voevent.ts';
import { programMissing, runProgram } from '../../support/peers.ts';
import { hostileName, madeSources } from '../../support/report-input.ts';
import { find, parseXml, type XmlElement } from '../../support/xml.ts';

const alert: TransientAlert = {
  source: { ...madeSources[0]!, v: Number.NaN },
  errorRadiusDeg: 0.000125,
  freqHz: 1.302e9,
  bandwidthHz: 8e6,
  durationS: 180,
  role: 'test',
  telescope: 'SIMULATED',
  field: hostileName,
  authority: 'asperitas.local',
  runId: '0123456789ab',
  writtenMjd: 59_216.5,
  software: 'asperitas 0.1.0',
};

const names = ({ children }: XmlElement): string[] => children.map(({ name }) => name);
const one = (root: XmlElement, path: string): XmlElement => {
  const [found, ...more] = find(root, path);
  assert.ok(found !== undefined && more.length === 0, `one ${path} is wanted`);
  return found;
};

test('an alert says who, what, where and when, how and why', () => {
  const root = parseXml(voevent(alert));
  assert.equal(root.name, 'voe:VOEvent');
  assert.equal(root.attributes['xmlns:voe'], 'http://www.ivoa.net/xml/VOEvent/v2.0');
  assert.equal(root.attributes.version, '2.0');
  assert.equal(root.attributes.role, 'test');
  assert.equal(root.attributes.ivorn, 'ivo://asperitas.local/transients#0123456789ab-J081336.4+331012');
  assert.deepEqual(names(root), ['Who', 'What', 'WhereWhen', 'How', 'Why']);
  assert.match(one(root, 'Who/AuthorIVORN').text, /^ivo:\/\//);
  assert.equal(one(root, 'Who/Date').text, '2021-01-02T12:00:00.000');
  assert.ok(one(root, 'How/Description').text.includes('asperitas 0.1.0'));
  assert.equal(one(root, 'Why/Concept').text, 'process.variation.burst;em.radio');
});

test('place and time are those of the peak, in ICRS and UTC at the telescope', () => {
  const data = one(parseXml(voevent(alert)), 'WhereWhen/ObsDataLocation');
  assert.deepEqual(names(data), ['ObservatoryLocation', 'ObservationLocation']);
  assert.equal(one(data, 'ObservatoryLocation').attributes.id, 'SIMULATED');
  const coordinates = one(data, 'ObservationLocation/AstroCoords');
  assert.equal(one(data, 'ObservationLocation/AstroCoordSystem').attributes.id, 'UTC-ICRS-TOPO');
  assert.equal(coordinates.attributes.coord_system_id, 'UTC-ICRS-TOPO');
  assert.equal(one(coordinates, 'Time/TimeInstant/ISOTime').text, '2021-01-01T07:17:55.000');
  const position = one(coordinates, 'Position2D');
  assert.deepEqual(names(position), ['Name1', 'Name2', 'Value2', 'Error2Radius']);
  assert.equal(position.attributes.unit, 'deg');
  assert.equal(one(position, 'Value2/C1').text, '123.4016667');
  assert.equal(one(position, 'Value2/C2').text, '33.17');
  assert.equal(one(position, 'Error2Radius').text, '0.000125');
});

test('parameters have UCDs, numbers their types and units; what is not known is left out', () => {
  const params = find(parseXml(voevent(alert)), 'What/Group/Param');
  const byName = new Map(params.map(({ attributes }) => [attributes.name, attributes]));
  assert.equal(byName.size, params.length);
  for (const [name, { ucd, dataType }] of byName) {
    assert.ok(ucd, name);
    assert.ok(['float', 'int', 'string'].includes(dataType!), name);
  }
  const { peak_flux, duration, n_frames, field } = Object.fromEntries(byName);
  assert.deepEqual([peak_flux!.value, peak_flux!.unit], ['0.25', 'Jy']);
  assert.deepEqual([duration!.value, duration!.unit], ['180', 's']);
  assert.equal(n_frames!.dataType, 'int');
  assert.equal(field!.value, hostileName);
  assert.equal(byName.has('v'), false);
});

test('only a real observation is called one', () => {
  assert.equal(parseXml(voevent({ ...alert, role: 'observation' })).attributes.role, 'observation');
});

test('xmllint finds the alert well-formed', { skip: programMissing('xmllint') }, () => {
  const { status, stderr } = runProgram('xmllint', ['--nonet', '--noout', '-'], voevent(alert));
  assert.equal(status, 0, stderr);
});
