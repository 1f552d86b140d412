import { allOf } from '../../../core/all-of.ts';
import { rowId, rowOf } from '../../../core/rules/ids.ts';
import type { Attempt } from '../../../core/types.ts';
import { html, type Html } from '../html.ts';
import { endpointOf } from '../kinds.ts';
import { attemptRows, attemptTable, pager, selected } from '../parts/attempts.ts';
import { empty } from '../parts/notice.ts';
import type { Piece, View, Visit } from '../visit.ts';

const path = '/data/webhooks';
const pageSize = 50;
/** Rows that the first page holds once new ones have come. */
const liveMax = 100;
/** Of each kind of endpoint, in the filter. */
const offeredMax = 200;

/** A time that says no zone is one of UTC. */
function asTime(text: string | undefined): string | undefined {
  return text === undefined ? undefined : /Z|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`;
}

/** What the address narrows the log to, as core takes it. Empty fields of the form narrow nothing. */
function filters(query: URLSearchParams): Record<string, unknown> {
  const given = (name: string) => query.get(name)?.trim() || undefined;
  const kind = given('kind');
  return {
    endpoint_id: given('endpoint_id'),
    event_type: given('event_type'),
    status: given('status'),
    since: asTime(given('since')),
    until: asTime(given('until')),
    ...(kind === undefined ? {} : { is_test: kind === 'test' }),
  };
}

export const logs: View = {
  path,
  async show(visit) {
    const { core, principal, query } = visit;
    const cursor = query.get('cursor') ?? undefined;
    const [found, form] = await Promise.all([
      core.listLogs(principal, { ...filters(query), limit: pageSize, ...(cursor === undefined ? {} : { cursor }) }),
      filterForm(visit),
    ]);
    const narrowed = [...query].some(([name, value]) => name !== 'cursor' && value !== '');
    const live = cursor === undefined ? poller(query, found.data) : '';
    const nothing = narrowed
      ? empty('Nothing fits', html`No attempt fits these filters. <a href="${path}">Show all</a>.`)
      : empty(
          'No deliveries yet',
          'Every request that is made shows up here by itself. Publish an event:',
          publishCommand(visit),
        );
    const body = html`<div class="head"><h1>Delivery logs</h1><span id="pulse" class="muted">${cursor === undefined ? html`<span class="dot"></span> live` : ''}</span></div>
${form}${live}
${found.data.length === 0 ? html`<div id="none">${nothing}</div>` : ''}
<div class="card flush ${found.data.length === 0 ? 'vacant' : ''}">${attemptTable(found.data, 'Attempts, newest first')}</div><div id="older">${pager(path, query, found.next_cursor)}</div>`;
    return { title: 'Delivery logs', section: 'logs', body };
  },
};

/**
 * The rows from the oldest one that the page has up to the newest there is, once they are others than it has. Those in
 * between are asked for too: what two processes record at a time can become visible in the other order.
 */
export const newLogs: Piece = {
  path: `${path}/rows`,
  async show({ core, principal, query }) {
    const after = query.get('after') ?? '';
    const seen = query.get('seen') ?? '';
    const { data, next_cursor: next } = await core.listLogs(principal, {
      ...filters(query),
      ...(after === '' ? {} : { after }),
      limit: liveMax,
    });
    if (data.length === 0 || seen === seenOf(data)) return null;
    const plain = new URLSearchParams(query);
    for (const own of ['after', 'seen']) plain.delete(own);
    // The oldest rows gave way to new ones: the next page begins with them.
    const rest =
      next === null
        ? ''
        : html`<hx-partial hx-target="#older" hx-swap="innerHTML">${pager(path, plain, next)}</hx-partial>`;
    return html`${poller(plain, data)}<hx-partial hx-target="#rows" hx-swap="innerMorph">${attemptRows(data, seen)}</hx-partial>${rest}`;
  },
};

function poller(query: URLSearchParams, shown: readonly Attempt[]): Html {
  const next = new URLSearchParams(query);
  const oldest = rowOf('att', shown.at(-1)?.id ?? '');
  if (oldest !== null) {
    next.set('after', rowId('att', oldest - 1));
    next.set('seen', seenOf(shown));
  }
  return html`<div id="live" data-poll hx-get="${path}/rows?${next.toString()}" hx-trigger="every 2s" hx-swap="outerHTML"></div>`;
}

/** Changes with what is shown. It begins with the newest id, and so sorts before the ids that come later. */
function seenOf(shown: readonly Attempt[]): string {
  return `${shown[0]?.id}.${shown.length}`;
}

async function filterForm(visit: Visit): Promise<Html> {
  const { core, principal, query } = visit;
  const [subscriptions, configs, types] = await Promise.all([
    core.listSubscriptions(principal, { limit: offeredMax }),
    core.listConfigs(principal, { limit: offeredMax }),
    allOf((of) => core.listEventTypes(principal, of)),
  ]);
  const endpoints = [
    ...configs.data.map(({ id, name }) => ({ id, label: name })),
    ...subscriptions.data.map(({ id, url }) => ({ id, label: url })),
  ];
  const at = (name: string) => query.get(name) ?? '';
  /** In UTC, as the field takes it; the script has the reader's own zone in both directions. */
  const field = (label: string, name: string) => {
    const ms = Date.parse(asTime(at(name)) ?? '');
    const value = Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 19);
    return html`<label>${label} <small>UTC</small><input type="datetime-local" name="${name}" value="${value}"></label>`;
  };
  const option = (name: string, value: string, label: string) =>
    html`<option value="${value}" ${selected(at(name) === value)}>${label}</option>`;
  const chosen = at('endpoint_id');
  if (chosen !== '' && !endpoints.some(({ id }) => id === chosen)) {
    endpoints.unshift({ id: chosen, label: (await endpointOf(visit, chosen))?.title ?? chosen });
  }
  const isWhole = subscriptions.next_cursor === null && configs.next_cursor === null;
  return html`<form class="filters" method="get" action="${path}" data-filters>
<label>Endpoint<select name="endpoint_id">${option('endpoint_id', '', 'All')}${endpoints.map(({ id, label }) => option('endpoint_id', id, label))}${isWhole ? '' : html`<option disabled>Older ones: from their own page</option>`}</select></label>
<label>Event<select name="event_type">${option('event_type', '', 'All')}${types.map(({ name }) => option('event_type', name, name))}</select></label>
<label>Status<select name="status">${option('status', '', 'All')}${option('status', 'succeeded', 'Succeeded')}${option('status', 'failed', 'Failed')}</select></label>
<label>Kind<select name="kind">${option('kind', '', 'All')}${option('kind', 'live', 'Live')}${option('kind', 'test', 'Tests')}</select></label>
${field('From', 'since')}${field('To', 'until')}
<button type="submit">Filter</button></form>`;
}

export function publishCommand({ publicUrl }: Visit): string {
  return `curl -s ${publicUrl}/v1/events -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"type": "contact.created", "data": {"name": "Ada"}}'`;
}
