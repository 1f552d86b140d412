import type { AttemptDetail } from '../../../core/attempt-detail.ts';
import type { Attempt, Delivery } from '../../../core/types.ts';
import { html, type Html, raw } from '../html.ts';
import { figure } from '../parts/attempts.ts';
import { statusBadge } from '../parts/badge.ts';
import { button } from '../parts/form.ts';
import { copyable, doneNotice, locked, problemNotice } from '../parts/notice.ts';
import { duration, time } from '../parts/time.ts';
import { type Action, mayI, type View, type Visit } from '../visit.ts';

export const attempt: View = {
  path: '/data/webhooks/:id',
  async show(visit, given) {
    const { core, principal, params, query } = visit;
    const include_untrusted_response = mayI(visit, 'payloads:read');
    const one = await core.getAttempt(principal, { attempt_id: params['id'], include_untrusted_response });
    const delivery_id = one.delivery_id;
    const [timeline, delivery] = await Promise.all([
      core.listDeliveryAttempts(principal, { delivery_id }),
      core.getDelivery(principal, { delivery_id }),
    ]);
    const kind = one.endpoint_id.startsWith('cfg') ? 'configs' : 'subscriptions';
    const body = html`<p class="crumbs"><a href="/data/webhooks">Delivery logs</a></p>
<div class="head"><h1><code>${one.event_type}</code></h1>${statusBadge(one.status)}${one.is_test ? html`<span class="tag">test</span>` : ''}<span class="push"></span>${retryButton(visit, one, delivery)}</div>
${doneNotice(query)}${problemNotice(given.problem)}
${one.error_message === null ? '' : html`<div class="notice bad"><strong>${one.error_message}</strong></div>`}
<dl class="figures">${figure('Answer', one.response_code === null ? '–' : `HTTP ${one.response_code}`)}${figure('Took', duration(one.duration_ms))}${figure('Attempt', `${one.attempt}`, `of ${delivery.attempts} so far`)}${figure('When', time(one.created_at), one.next_attempt_at === null ? '' : html`next ${time(one.next_attempt_at)}`)}</dl>
<div class="columns"><section class="card" aria-labelledby="request"><h2 id="request">Request</h2>${request(visit, one)}</section>
<section class="card" aria-labelledby="timeline"><h2 id="timeline">Delivery ${statusBadge(delivery.status)}</h2>${timelineOf(timeline.data, one.id, delivery)}
<p><a href="/settings/api/${kind}/${one.endpoint_id}">The endpoint</a> · ${mayI(visit, 'events:read') && !one.is_test ? html`<a href="/data/events/${one.event_id}">The event</a>` : html`<code>${one.event_id}</code>`}</p></section></div>
${response(visit, one)}`;
    return { title: `${one.event_type} ${one.status}`, section: 'logs', body };
  },
};

export const retry: Action = {
  path: '/data/webhooks/:id/retry',
  view: attempt,
  async act({ core, principal, params }) {
    const { delivery_id } = await core.getAttempt(principal, { attempt_id: params['id'] });
    await core.retryDelivery(principal, { delivery_id });
    return { to: `/data/webhooks/${params['id']}?done=retried` };
  },
};

function retryButton(visit: Visit, one: Attempt, delivery: Delivery): Html {
  if (one.is_test || delivery.status === 'canceled' || !mayI(visit, 'webhooks:write')) return html``;
  return button(`/data/webhooks/${one.id}/retry`, 'Retry now', { tone: 'primary' });
}

function request(visit: Visit, { request: sent }: AttemptDetail): Html {
  return html`<p class="url"><b>${sent.method}</b> <span>${sent.url}</span></p>
<table class="pairs"><caption class="unseen">Headers</caption><tbody>${Object.entries(sent.headers).map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>
<p class="hint">Signatures and own headers are shown as present; their values are not.</p>
<h3>Body</h3>${sent.body !== null ? copyable(pretty(sent.body), 'Body') : mayI(visit, 'payloads:read') ? html`<p class="muted">It is no longer kept.</p>` : locked('payloads:read')}`;
}

function pretty(body: string): string {
  return JSON.stringify(JSON.parse(body), null, 2);
}

function response(visit: Visit, one: AttemptDetail): Html {
  if (!mayI(visit, 'payloads:read') || typeof one.untrusted_response !== 'string') return html``;
  return html`<section class="card" aria-labelledby="response"><h2 id="response">Response</h2><p class="hint">The start of what the receiver answered: words of a stranger.</p><pre tabindex="0" aria-label="Response">${one.untrusted_response}</pre></section>`;
}

function timelineOf(attempts: readonly Attempt[], current: string, delivery: Delivery): Html {
  const next = delivery.next_attempt_at;
  return html`<ol class="timeline"><li class="info"><span>Queued</span>${time(delivery.created_at)}</li>${attempts.map(
    (one) =>
      html`<li class="${one.status === 'succeeded' ? 'good' : 'bad'}" ${raw(one.id === current ? 'aria-current="step"' : '')}><a href="/data/webhooks/${one.id}">Attempt ${one.attempt}</a> ${time(one.created_at)}<span class="muted">${one.error_message ?? `HTTP ${one.response_code ?? ''}, ${duration(one.duration_ms)}`}</span></li>`,
  )}${next === null ? '' : html`<li class="info"><span>Next attempt</span>${time(next)}</li>`}</ol>`;
}
