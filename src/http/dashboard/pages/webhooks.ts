import type { ApiKey } from '../../../core/types.ts';
import { html, type Html } from '../html.ts';
import { configs, type Endpoint, type Kind, subscriptions } from '../kinds.ts';
import { many, pager } from '../parts/attempts.ts';
import { badge, endpointBadge } from '../parts/badge.ts';
import { asking } from '../parts/form.ts';
import { doneNotice, empty, locked, problemNotice } from '../parts/notice.ts';
import { time } from '../parts/time.ts';
import { mayI, type View, type Visit } from '../visit.ts';

const keysMax = 100;

export const webhooks: View = {
  path: '/settings/api',
  async show(visit, given) {
    const body = html`<div class="head"><h1>Webhooks</h1></div>
${doneNotice(visit.query)}${problemNotice(given.problem)}
${await endpointSection(visit, subscriptions, 'Subscriptions', 'API subscriptions choose event types and receive each of them as it happens.')}
${await endpointSection(visit, configs, 'Webhook configs', 'Named endpoints with headers of their own, which automations call.')}
${await keySection(visit)}`;
    return { title: 'Webhooks', section: 'webhooks', body };
  },
};

async function endpointSection(visit: Visit, kind: Kind, title: string, words: string): Promise<Html> {
  const id = kind.base.split('/').at(-1) ?? '';
  const { data, next_cursor: next } = mayI(visit, 'webhooks:read')
    ? await kind.list(visit, visit.query.get(`${id}_cursor`) ?? undefined)
    : { data: [], next_cursor: null };
  const add = mayI(visit, 'webhooks:write')
    ? html`<a class="button primary" href="${kind.base}/new">New ${kind.word}</a>`
    : '';
  const list = !mayI(visit, 'webhooks:read')
    ? locked('webhooks:read')
    : data.length === 0
      ? empty(`No ${kind.word} yet`, words, commandFor(visit, kind))
      : html`<ul class="card flush endpoints">${data.map((one) => row(kind, one))}</ul>`;
  return html`<section id="${id}" aria-labelledby="${id}-title"><div class="head"><h2 id="${id}-title">${title}</h2><span class="push"></span>${add}</div>${list}${pager(webhooks.path, visit.query, next, { id, title })}</section>`;
}

function row(kind: Kind, one: Endpoint): Html {
  const chosen =
    one.events.length > 3
      ? `${one.events.slice(0, 3).join(', ')} and ${one.events.length - 3} more`
      : one.events.join(', ');
  return html`<li><div class="what"><a class="cover title" href="${kind.base}/${one.id}" title="${one.url}">${one.title}</a><span class="url" title="${one.url}">${one.title === one.url ? '' : one.url}</span><code class="events">${chosen === '' ? 'automations only' : chosen}</code></div>
<div class="how">${endpointBadge(one)}<span class="muted">${one.pending_count > 0 ? `${many(one.pending_count, 'delivery', 'deliveries')} waiting` : one.last_delivered_at === null ? 'nothing delivered yet' : html`delivered ${time(one.last_delivered_at)}`}</span></div></li>`;
}

function commandFor({ publicUrl }: Visit, kind: Kind): string {
  const [path, body] =
    kind === subscriptions
      ? ['subscribe', '{"url": "https://example.com/webhooks", "events": ["contact.*"]}']
      : [
          'configs',
          '{"name": "Push to the CRM", "url": "https://example.com/webhooks", "trigger_events": ["contact.created"]}',
        ];
  return `curl -s ${publicUrl}/v1/webhooks/${path} -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '${body}'`;
}

async function keySection(visit: Visit): Promise<Html> {
  const may = mayI(visit, 'keys:admin');
  const cursor = visit.query.get('keys_cursor');
  const { data: keys, next_cursor: next } = may
    ? await visit.core.listKeys(visit.principal, { limit: keysMax, ...(cursor === null ? {} : { cursor }) })
    : { data: [], next_cursor: null };
  const list = !may
    ? locked('keys:admin')
    : keys.length === 0
      ? empty(
          'No keys yet',
          'Programs and agents sign in with keys of their own, each with the scopes that it needs.',
          'posthorn keys create NAME --scopes events:write',
        )
      : html`<div class="card flush scroll"><table class="keys"><caption class="unseen">API keys, newest first</caption><thead><tr><th scope="col">Name</th><th scope="col">Key</th><th scope="col">Scopes</th><th scope="col" class="num">Last used</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead><tbody>${keys.map(keyRow)}</tbody></table></div>`;
  return html`<section id="keys" aria-labelledby="keys-title"><div class="head"><h2 id="keys-title">API keys</h2><span class="push"></span>${may ? html`<a class="button primary" href="/settings/api/keys/new">New key</a>` : ''}</div>${list}${pager(webhooks.path, visit.query, next, { id: 'keys', title: 'API keys' })}</section>`;
}

function keyRow(one: ApiKey): Html {
  const state =
    one.revoked_at !== null
      ? badge('idle', 'Revoked')
      : one.expires_at !== null
        ? html`<span class="muted">until ${time(one.expires_at)}</span>`
        : '';
  return html`<tr class="${one.revoked_at === null ? '' : 'over'}"><td><b>${one.name}</b> ${state}</td><td data-label="Key"><code>…${one.last4}</code></td><td class="scopes" data-label="Scopes"><code>${one.scopes.join(' ')}</code></td><td class="num" data-label="Last used">${time(one.last_used_at, 'never')}</td><td class="num">${one.revoked_at === null ? asking(`/settings/api/keys/${one.id}/revoke`, 'Revoke', 'small') : ''}</td></tr>`;
}
