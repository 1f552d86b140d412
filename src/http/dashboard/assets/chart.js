/* global uPlot */
/** Draws the attempts by outcome, the failures on top of the successes, in the colours of the page. */

const place = document.getElementById('chart');
const points = JSON.parse(place.dataset.points);
const column = (index) => points.map((point) => point[index]);
const times = column(0);
const succeeded = column(1);
const failed = column(2);
const total = succeeded.map((count, index) => count + failed[index]);
const dark = matchMedia('(prefers-color-scheme: dark)');
const heightPx = 220;

let plot = null;

function draw() {
  plot?.destroy();
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const bars = uPlot.paths.bars({ size: [0.7, 24], radius: 0.15 });
  const series = (label, name) => ({
    label,
    fill: colour(name),
    stroke: colour(name),
    width: 0,
    paths: bars,
    points: { show: false },
  });
  const days = times[times.length - 1] - times[0] > 2 * 86_400;
  const label = new Intl.DateTimeFormat(
    undefined,
    days ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  );
  const timeAxis = {
    ...axis,
    space: 70,
    size: 28,
    values: (_plot, splits) => splits.map((at) => label.format(at * 1_000)),
  };
  const step = times.length > 1 ? times[1] - times[0] : 300;
  plot = new uPlot(
    {
      width: place.clientWidth,
      height: heightPx,
      cursor: { points: { show: false }, y: false, drag: { x: false, y: false } },
      legend: { show: false },
      scales: {
        x: { range: () => [times[0] - step / 2, times[times.length - 1] + step / 2] },
        y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] },
      },
      axes: [
        timeAxis,
        { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6] },
      ],
      series: [{}, series('Attempts', '--bad'), series('Succeeded', '--good')],
      hooks: { setCursor: [tell] },
    },
    [times, total, succeeded],
    place,
  );
}

const tip = document.createElement('p');
tip.className = 'tip';
place.after(tip);

function tell({ cursor }) {
  const index = cursor.idx;
  const at = index === null || index === undefined ? null : new Date(times[index] * 1_000);
  tip.textContent =
    at === null
      ? ''
      : `${at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}: ${succeeded[index]} succeeded, ${failed[index]} failed`;
}

draw();
dark.addEventListener('change', draw);
new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: heightPx })).observe(place);
