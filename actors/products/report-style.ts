/**
 * Owns the looks of the report: for screens light and dark, and for paper. Must not know: what is shown.
 */

const tokens = `
:root { color-scheme: light dark;
  --page: #f6f7f9; --paper: #ffffff; --ink: #161b26; --soft: #525c6f; --line: #d9dee7; --rule: #e8ebf1;
  --accent: #1f4fa3; --seen: #f3e3b3; --bar: #9db7e4;
  --transient: #b3261e; --variable: #8a5a00; --steady: #1f4fa3;
  --s0: #1f5fc4; --s1: #c2570c; --s2: #0f7a5f; --s3: #9a2f86; --s4: #57606f; --s5: #a3322a; }
@media (prefers-color-scheme: dark) { :root {
  --page: #0d1118; --paper: #151b25; --ink: #e8ecf3; --soft: #a3aec0; --line: #2c3646; --rule: #222b39;
  --accent: #8ab4ff; --seen: #3d3720; --bar: #3c5f9e;
  --transient: #ff8a80; --variable: #f2bd5b; --steady: #8ab4ff;
  --s0: #78a9ff; --s1: #ff9d5c; --s2: #4fcfa7; --s3: #ec8fd9; --s4: #b5bfce; --s5: #ff8f86; } }`;

const text = `
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 44px; padding-bottom: 8px; }
h1 { font-size: 32px; line-height: 1.2; letter-spacing: -0.01em; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 21px; line-height: 1.3; margin: 44px 0 14px; }
h3 { font-size: 17px; margin: 0; overflow-wrap: anywhere; }
p { margin: 0 0 10px; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; }
a:focus-visible, button:focus-visible, .scroll:focus-visible { outline: 3px solid var(--accent);
  outline-offset: 2px; border-radius: 3px; }
.lead { color: var(--soft); }
.note { color: var(--soft); font-size: 14px; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 14px 0 0; padding: 0;
  font-size: 15px; }
footer { color: var(--soft); font-size: 14px; padding-top: 40px; padding-bottom: 48px; }`;

const blocks = `
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(118px, 1fr)); gap: 12px;
  margin: 20px 0 0; padding: 0; }
.facts div { background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: 10px 14px; }
.facts dt { color: var(--soft); font-size: 13.5px; }
.facts dd { margin: 0; font-size: 21px; font-weight: 600; line-height: 1.35; overflow-wrap: anywhere; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 18px 20px;
  margin: 0 0 18px; scroll-margin-top: 12px; }
.card > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; padding: 0;
  margin: 0 0 10px; max-width: none; }
.kind { font-size: 13px; font-weight: 600; border: 1px solid currentColor; border-radius: 99px;
  padding: 0 9px; white-space: nowrap; }
.kind.transient { color: var(--transient); } .kind.variable { color: var(--variable); }
.kind.steady { color: var(--steady); }
.values { display: flex; flex-wrap: wrap; gap: 2px 26px; margin: 0 0 8px; font-size: 14px; }
.values div { display: flex; gap: 7px; } .values dt { color: var(--soft); } .values dd { margin: 0; }
.thumbs { display: flex; flex-wrap: wrap; gap: 14px; margin: 14px 0 2px; padding: 0; }
.thumbs figure { margin: 0; width: 168px; }
.thumbs svg { display: block; width: 168px; height: 168px; border-radius: 4px; image-rendering: pixelated; }
.thumbs figcaption { font-size: 13px; color: var(--soft); margin-top: 4px; line-height: 1.35; }
.bands { display: grid; gap: 18px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 470px), 1fr)); }
.bands .card { margin: 0; } .bands figure { margin: 0; } .bands figcaption { font-size: 14px;
  color: var(--soft); } .bands .single { max-width: 780px; }`;

const drawings = `
svg.sky, svg.plot { display: block; width: 100%; height: auto; overflow: visible; }
svg image { image-rendering: pixelated; }
svg text { fill: var(--ink); font-size: 12.5px; }
.axis-name { font-size: 13px; } text.axis-name, text.tick { fill: var(--soft); }
.sky text { font-size: 17.5px; } .plot text { font-size: 11.5px; }
.sky text.on-image { fill: #fff; paint-order: stroke; stroke: #0009;
  stroke-width: 3px; }
.frame { stroke: var(--soft); stroke-width: 1; } .axis { stroke: var(--soft); fill: none; }
.rule { stroke: var(--rule); } .zero { stroke: var(--soft); stroke-dasharray: 5 4; }
.grid { fill: none; stroke: #ffffff; stroke-opacity: 0.42; stroke-width: 0.9; }
.mark { fill: none; stroke-width: 2; pointer-events: all;
  filter: drop-shadow(0 0 1px #000) drop-shadow(0 0 1px #000); }
.mark.transient { stroke: #5dfc9c; } .mark.variable { stroke: #66e0ff; } .mark.steady { stroke: #ffffff; }
.halo { fill: none; stroke: #000a; stroke-width: 4.5; }
.beam rect { fill: #0008; stroke: #fff; stroke-width: 0.8; } .beam ellipse { fill: #fff; }
.seen { fill: var(--seen); }
.series path { fill: none; stroke-linecap: round; }
.series.square .dots, .series.square .holes { stroke-linecap: square; }
.series .bars { stroke-width: 1.1; opacity: 0.55; } .series .dots { stroke-width: 6.5; }
.series .holes { stroke: var(--paper) !important; stroke-width: 3.2; }
.series.square .dots { stroke-width: 5.5; }
.series.small .dots { stroke-width: 4; } .series.small .holes { stroke-width: 1.8; }
.s0 path { stroke: var(--s0); } .s1 path { stroke: var(--s1); } .s2 path { stroke: var(--s2); }
.s3 path { stroke: var(--s3); } .s4 path { stroke: var(--s4); } .s5 path { stroke: var(--s5); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin: 4px 0 0; padding: 0;
  font-size: 14px; } .legend li { display: flex; align-items: center; gap: 5px; }
.key { width: 14px; height: 14px; } .key .mark { stroke-width: 1.8; }
.keys .key { width: 18px; height: 18px; background: #1a1440; border-radius: 3px; }`;

const tables = `
.scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
caption { text-align: left; color: var(--soft); font-size: 14px; padding: 10px 7px 6px; }
th, td { text-align: left; padding: 7px 7px; border-top: 1px solid var(--rule); white-space: nowrap; }
td.wrap, th.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 12em; }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: 13px; vertical-align: bottom; }
tbody th { font-weight: 500; }
.number { text-align: right; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th button::after { content: " \\2195"; opacity: 0.45; }
th[aria-sort="ascending"] button::after { content: " \\2191"; opacity: 1; }
th[aria-sort="descending"] button::after { content: " \\2193"; opacity: 1; }
.meter { position: relative; min-width: 190px; }
.meter svg { position: absolute; inset: 4px 0; width: 100%; height: calc(100% - 8px); }
.meter rect { fill: var(--bar); opacity: 0.55; } .meter span { position: relative; }`;

const paper = `
@media (max-width: 640px) { main, header, footer { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 25px; } .card { padding: 14px; } .sky text { font-size: 19px; }
  .plot text { font-size: 17px; } }
@media print {
  :root { --page: #fff; --paper: #fff; --ink: #000; --soft: #3c4250; --line: #b9c0cc; --rule: #dde1e8;
    --accent: #000; --seen: #f3e9cb; --transient: #8f1d17; --variable: #6b4600; --steady: #123a7d;
    --s0: #1f5fc4; --s1: #c2570c; --s2: #0f7a5f; --s3: #9a2f86; --s4: #57606f; --s5: #a3322a; }
  @page { margin: 16mm 14mm; }
  body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  nav, th button::after { display: none; }
  h2 { break-after: avoid; } .card, figure, tr { break-inside: avoid; }
  .scroll { overflow: visible; } table { font-size: 8.5pt; } th, td { padding: 3px 6px; }
  .bands { display: block; } .bands .card { margin-bottom: 12px; max-width: 150mm; }
  a { text-decoration: none; } }`;

/** The style sheet of the report. */
export const reportStyle = [tokens, text, blocks, drawings, tables, paper].join('\n');
