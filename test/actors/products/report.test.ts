/** The report is one page that needs nothing beside itself, shows every source, and runs nobody's script. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { timeTicks } from '../../../actors/products/axis-ticks.ts';
import { limits } from '../../../actors/products/limits.ts';
import { reportHtml } from '../../../actors/products/report.ts';
import { drawnSources } from '../../../actors/products/report-sources.ts';
import { skyGrid } from '../../../actors/products/sky-grid.ts';
import { hostileName, madeReport, madeSources } from '../../support/report-input.ts';

const page = reportHtml(madeReport());

/** The page without what is bytes, style or script. */
const readable = (html: string): string =>
  html.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '').replace(/base64,[A-Za-z0-9+/=]+/g, 'base64,');

/** Elements that the page closes, in order, checked to nest. */
function checkNesting(html: string): void {
  const empty = new Set(['meta', 'br', 'path', 'rect', 'image', 'circle', 'ellipse', 'stop']);
  const open: string[] = [];
  const body = readable(html).replace(/<!doctype html>/, '');
  for (const [, closing, name, self] of body.matchAll(/<(\/?)([A-Za-z][\w-]*)[^>]*?(\/?)>/g)) {
    if (closing === '/') assert.equal(open.pop(), name);
    else if (self !== '/' && !empty.has(name!)) open.push(name!);
  }
  assert.deepEqual(open, []);
}

test('nothing is loaded from elsewhere', () => {
  assert.doesNotMatch(readable(page), /\/\/[a-z]/i);
  assert.doesNotMatch(page, /https?:/);
  for (const [, address] of page.matchAll(/(?:href|src)="([^"]*)"/g)) {
    assert.match(address!, /^(#|data:image\/png;base64,)/);
  }
  assert.doesNotMatch(page, /url\((?!#)|@import|<link|<iframe|<object/);
  const script = /<script>([\s\S]*)<\/script>/.exec(page)![1]!;
  const hash = createHash('sha256').update(script).digest('base64');
  assert.ok(page.includes(`script-src 'sha256-${hash}'`));
});

test('every source is in the table, and what changes has a light curve', () => {
  for (const { id } of madeSources) {
    assert.ok(page.includes(`<a href="#${id}">${id}</a>`), id);
    assert.equal(page.split(`id="${id}"`).length, 2, id);
    assert.ok(page.includes(`aria-label="Light curve of ${id}`), id);
  }
  assert.equal(page.split('class="mark transient"').length - 1, 2 + 1, 'one a band, and the key');
});

test('what is linked to is there, and ids are unique', () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, target] of page.matchAll(/(?:href="|url\()#([^")]+)/g))
    assert.ok(ids.includes(target!), target);
});

test('elements nest, pictures have texts, tables have heads', () => {
  checkNesting(page);
  const drawings = page.match(/<svg[^>]*role="img"[^>]*>/g)!;
  assert.ok(drawings.length >= 2 + 3 + 3);
  for (const drawing of drawings) assert.match(drawing, /aria-label="[^"]+"/);
  assert.equal(page.match(/<table/g)!.length, page.match(/<caption>/g)!.length);
  assert.ok(page.match(/<th scope="col"/g)!.length > 20);
});

test('hostile names are shown, not run', () => {
  const hostile = madeReport(hostileName);
  const [first] = madeSources;
  const id = `${hostileName}-1`;
  const curves = new Map([[id, hostile.lightCurves.get(first!.id)!]]);
  const html = reportHtml({
    ...hostile,
    bands: hostile.bands.map((band) => ({ ...band, name: hostileName })),
    sources: [{ ...first!, id }],
    lightCurves: curves,
    parameters: [{ name: hostileName, value: hostileName }],
    observations: hostile.observations.map((one) => ({ ...one, path: hostileName, telescope: hostileName })),
    software: hostileName,
  });
  assert.equal(html.match(/<script/g)!.length, 1, 'only our own');
  assert.ok(html.includes('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;Co&#39;'));
  checkNesting(html);
});

test('a search that found nothing has a report too', () => {
  const { trace: _trace, ...report } = madeReport();
  const html = reportHtml({ ...report, sources: [], lightCurves: new Map(), thumbnails: new Map() });
  assert.match(html, /No transient was found/);
  assert.match(html, /No source was found/);
  assert.doesNotMatch(readable(html), /Where the time went|NaN|undefined/);
  checkNesting(html);
});

test('no number is left unreadable', () => {
  assert.doesNotMatch(readable(page), /NaN|undefined|Infinity|\[object/);
});

test('of many sources the most significant are drawn', () => {
  const many = Array.from({ length: 100 }, (_, k) => ({ ...madeSources[0]!, id: `t${k}`, peakSnr: k }));
  const steady = Array.from({ length: 20 }, (_, k) => ({ ...madeSources[2]!, id: `s${k}`, peakFluxJy: k }));
  const sources = [...many, ...steady];
  const lightCurves = new Map(sources.map(({ id }) => [id, []]));
  const drawn = drawnSources({ ...madeReport(), sources, lightCurves }).map(({ id }) => id);
  assert.equal(drawn.length, limits.drawnSources);
  assert.deepEqual([drawn[0], drawn[limits.drawnSources - limits.drawnSteady]], ['t99', 's19']);
});

test('long light curves are averaged, so that the page stays small', () => {
  const report = madeReport();
  const [first] = report.sources;
  const points = Array.from({ length: 20_000 }, (_, k) => ({
    ...report.lightCurves.get(first!.id)![0]!,
    timeMjd: first!.startMjd + k / 86_400,
  }));
  const html = reportHtml({ ...report, lightCurves: new Map([[first!.id, points]]) });
  assert.match(html, /each point is the mean of up to 23 frames/);
  assert.ok(html.length < 1.2 * page.length, `${html.length}`);
});

test('grid lines lie at round angles and are labelled at the edges', () => {
  const radian = Math.PI / 180;
  const geometry = { npixX: 256, npixY: 256, pixsizeX: radian / 1536, pixsizeY: radian / 1536 };
  const grid = skyGrid({ geometry, phaseCentre: { raRad: 123.4 * radian, decRad: 33.18 * radian } });
  const texts = (axis: string): string[] =>
    grid.filter((line) => line.axis === axis && line.edge !== undefined).map(({ text }) => text);
  assert.deepEqual(texts('dec'), ['+33°06′', '+33°08′', '+33°10′', '+33°12′', '+33°14′']);
  assert.deepEqual(texts('ra'), ['08ʰ13ᵐ20ˢ', '08ʰ13ᵐ30ˢ', '08ʰ13ᵐ40ˢ', '08ʰ13ᵐ50ˢ']);
});

test('a grid can hold a pole and the whole sky', () => {
  const geometry = { npixX: 128, npixY: 128, pixsizeX: 0.017, pixsizeY: 0.017 };
  for (const decRad of [Math.PI / 2, -1, 0.7, 0]) {
    const grid = skyGrid({ geometry, phaseCentre: { raRad: 6, decRad } });
    assert.ok(grid.filter(({ axis, parts }) => axis === 'ra' && parts.length > 0).length >= 3, `${decRad}`);
    assert.ok(grid.filter(({ axis, parts }) => axis === 'dec' && parts.length > 0).length >= 2, `${decRad}`);
  }
});

test('times of day stand where they belong', () => {
  const { name, list } = timeTicks(59_215.3, 59_215.3 + 1200 / 86_400);
  assert.equal(name, 'UTC, 2021-01-01');
  assert.deepEqual(
    list.map(({ text }) => text),
    ['07:15', '07:20', '07:25', '07:30'],
  );
  assert.ok(Math.abs(list[0]!.value - (59_215 + (7 * 3600 + 900) / 86_400)) < 1e-9);
});
