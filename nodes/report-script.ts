/**
 * Owns the script and the looks inside a performance report: it draws the runs of every thread on a canvas,
 * which can be zoomed and moved, and tells of the run under the pointer. Plain JavaScript for browsers,
 * without any network. Must not know: where the figures come from.
 */

export const reportStyle = `
:root { color-scheme: light dark; --paper: #fff; --ink: #161b26; --soft: #525c6f; --line: #d9dee7; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #151b25; --ink: #e8ecf3; --soft: #a3aec0; --line: #2c3646; } }
body { margin: 0 auto; max-width: 1280px; padding: 24px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; }
.note { color: var(--soft); font-size: 14px; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; } th, td { padding: 3px 12px 3px 0; text-align: left; }
th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
.n { text-align: right; } canvas, svg { display: block; width: 100%; border: 1px solid var(--line); }
#tip { min-height: 1.5em; } .key { overflow-wrap: anywhere; max-width: 380px; }`;

export const reportScript = `
const data = JSON.parse(document.getElementById('runs').textContent);
const canvas = document.getElementById('stream'), tip = document.getElementById('tip');
const rowPx = 18, labelPx = 190, n = data.start.length;
let span = 1;
for (let i = 0; i < n; i++) span = Math.max(span, data.start[i] + data.took[i]);
let from = 0, to = span, hues = data.fns.map((_, k) => (k * 137.5) % 360);
function draw() {
  const width = canvas.clientWidth, height = data.lanes.length * rowPx, dpr = devicePixelRatio || 1;
  canvas.width = width * dpr; canvas.height = height * dpr; canvas.style.height = height + 'px';
  const pen = canvas.getContext('2d'), scale = (width - labelPx) / (to - from);
  pen.scale(dpr, dpr);
  pen.font = '12px system-ui, sans-serif';
  for (let i = 0; i < n; i++) {
    const x = labelPx + (data.start[i] - from) * scale, w = Math.max(0.5, data.took[i] * scale);
    if (x + w < labelPx || x > width) continue;
    pen.fillStyle = data.bad[i] ? '#c0271c' : 'hsl(' + hues[data.fn[i]] + ' 55% 55%)';
    pen.fillRect(Math.max(labelPx, x), data.lane[i] * rowPx + 2, w, rowPx - 4);
  }
  pen.fillStyle = getComputedStyle(document.body).color;
  data.lanes.forEach((name, k) => pen.fillText(name, 4, k * rowPx + 13, labelPx - 10));
}
function at(event) {
  const box = canvas.getBoundingClientRect(), scale = (box.width - labelPx) / (to - from);
  return { us: from + (event.clientX - box.left - labelPx) / scale,
    lane: Math.floor((event.clientY - box.top) / rowPx) };
}
canvas.addEventListener('mousemove', (event) => {
  if (event.buttons & 1) {
    const us = event.movementX * (to - from) / (canvas.clientWidth - labelPx);
    from -= us; to -= us; draw(); return;
  }
  const { us, lane } = at(event);
  let found = -1;
  for (let i = 0; i < n; i++)
    if (data.lane[i] === lane && data.start[i] <= us && us <= data.start[i] + data.took[i]) found = i;
  tip.textContent = found < 0 ? '' : data.fns[data.fn[found]] + ': ' + (data.took[found] / 1000)
    + ' ms, from ' + (data.start[found] / 1000) + ' ms' + (data.bad[found] ? ', failed' : '');
});
canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  const { us } = at(event), by = Math.exp(event.deltaY / 500);
  from = us - (us - from) * by; to = us + (to - us) * by; draw();
}, { passive: false });
canvas.addEventListener('dblclick', () => { from = 0; to = span; draw(); });
addEventListener('resize', draw);
draw();
document.body.dataset.drawn = String(n);`;
