import type { FailingEndpoint, Statistics } from '../../../core/figures.ts';
import type { Status } from '../../../core/types.ts';
import { html, type Html, raw } from '../html.ts';
import { figure, many } from '../parts/attempts.ts';
import { endpointBadge } from '../parts/badge.ts';
import { asking, button } from '../parts/form.ts';
import { doneNotice, empty } from '../parts/notice.ts';
import { count, duration, time, withTimes } from '../parts/time.ts';
import { mayI, type View, type Visit } from '../visit.ts';

const periods = ['1h', '24h', '7d', '30d'] as const;

export const overview: View = {
  path: '/',
  async show(visit) {
    const { core, principal, query } = visit;
    const period = periods.find((one) => one === query.get('period')) ?? '24h';
    const [figures, failing, status, subscriptions, configs] = await Promise.all([
      core.readStatistics(principal, { period }),
      core.listFailingEndpoints(principal, {}),
      core.readStatus(principal, {}),
      core.listSubscriptions(principal, { limit: 1 }),
      core.listConfigs(principal, { limit: 1 }),
    ]);
    const none = subscriptions.data.length + configs.data.length === 0;
    const body = html`<div class="head"><h1>Overview</h1>${periodLinks(period)}</div>
${doneNotice(query)}
${failing.data.length === 0 ? '' : html`<section aria-labelledby="failing"><h2 id="failing">Needs attention</h2>${failing.data.map((one) => card(visit, one))}</section>`}
${none ? firstSteps(visit) : ''}
<section aria-label="Figures">${tiles(figures, status)}${chart(figures)}</section>`;
    return { title: 'Overview', section: 'overview', body, chart: true };
  },
};

function periodLinks(period: string): Html {
  return html`<nav class="segments" aria-label="Period">${periods.map((one) => html`<a href="/?period=${one}" ${raw(one === period ? 'aria-current="true"' : '')}>${one}</a>`)}</nav>`;
}

function tiles(figures: Statistics, status: Status): Html {
  const { success_rate: rate, failed, succeeded } = figures;
  const percent = rate === null ? '–' : `${(Math.floor(rate * 1_000) / 10).toFixed(1)} %`;
  const workers = status.delivering ? many(status.workers, 'process', 'processes') : 'Nobody';
  const beat =
    status.last_heartbeat_at === null ? 'start posthorn serve' : html`heartbeat ${time(status.last_heartbeat_at)}`;
  const queue = status.oldest_due_at === null ? 'nothing waits' : html`oldest due ${time(status.oldest_due_at)}`;
  return html`<dl class="figures">
${figure('Success rate', percent, rate === null ? 'no attempts yet' : `${many(failed, 'failure')} of ${count(succeeded + failed)}`, rate !== null && rate < 0.9 ? 'bad' : '')}
${figure('Median duration', duration(figures.p50_ms), html`95 % within ${duration(figures.p95_ms)}`)}
${figure('Due now', status.due_count >= 10_000 ? '10,000+' : count(status.due_count), queue)}
${figure('Delivering', workers, beat, status.delivering ? '' : 'bad')}
</dl>`;
}

/** The script draws what the table says; without it the table stands. */
function chart(figures: Statistics): Html {
  const shown = figures.buckets.filter(({ succeeded, failed }) => succeeded + failed > 0);
  const points = JSON.stringify(
    figures.buckets.map(({ at, succeeded, failed }) => [Date.parse(at) / 1_000, succeeded, failed]),
  );
  return html`<figure class="card chart"><figcaption><h2>Attempts</h2><span class="legend"><i class="good"></i>Succeeded <i class="bad"></i>Failed</span></figcaption>
<div id="chart" data-points="${points}" role="img" aria-label="${count(figures.succeeded)} attempts succeeded and ${count(figures.failed)} failed"></div>
<details class="numbers"><summary>As a table</summary><div class="scroll"><table><thead><tr><th scope="col">From</th><th scope="col" class="num">Succeeded</th><th scope="col" class="num">Failed</th></tr></thead><tbody>${shown.map((one) => html`<tr><td>${time(one.at)}</td><td class="num">${count(one.succeeded)}</td><td class="num">${count(one.failed)}</td></tr>`)}</tbody></table></div></details></figure>`;
}

function card(visit: Visit, one: FailingEndpoint): Html {
  const path = `/settings/api/${one.kind}s/${one.id}`;
  return html`<article class="card trouble ${one.status}">
  <header>${endpointBadge(one)}<a class="title" href="${path}" title="${one.url}">${one.name ?? one.url}</a></header>
  <p class="diagnosis">${withTimes(one.diagnosis)}</p>
  <footer>${remedy(visit, one, path)}<a class="button" href="/data/webhooks?endpoint_id=${one.id}&status=failed">Failures</a><span class="muted">${one.pending_count > 0 ? `${many(one.pending_count, 'delivery', 'deliveries')} waiting` : ''}</span></footer>
</article>`;
}

/** The one button that helps. */
function remedy(visit: Visit, one: FailingEndpoint, path: string): Html {
  if (one.status === 'pending_approval') {
    return mayI(visit, 'webhooks:approve') ? asking(`${path}/approve`, 'Approve', 'primary') : html``;
  }
  if (!mayI(visit, 'webhooks:write')) return html``;
  if (one.status === 'disabled') return asking(`${path}/recover`, 'Enable and replay', 'primary');
  if (one.status === 'paused')
    return button(`${path}/status`, 'Go on', { tone: 'primary', hidden: { status: 'active' } });
  return html`<form method="post" action="${path}/test" hx-post="${path}/test" hx-target="next .result" hx-swap="innerHTML"><button class="primary" type="submit">Send a test now</button></form><div class="result" aria-live="polite"></div>`;
}

function firstSteps(visit: Visit): Html {
  const command = `curl -s ${visit.publicUrl}/v1/webhooks/subscribe -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"url": "https://example.com/webhooks", "events": ["*"]}'`;
  return empty(
    'Nothing receives yet',
    html`Make a <a href="/settings/api/subscriptions/new">subscription</a> to have events sent to a URL, or do it from a terminal:`,
    command,
  );
}
