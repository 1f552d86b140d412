import { allOf } from '../../../core/all-of.ts';
import type { EventType, EventWithDeliveries } from '../../../core/types.ts';
import { html, type Html, visible } from '../html.ts';
import { type Endpoint, endpointsOf } from '../kinds.ts';
import { many, pager } from '../parts/attempts.ts';
import { badge, statusBadge } from '../parts/badge.ts';
import { area, askBody, asking } from '../parts/form.ts';
import { copyable, doneNotice, empty, locked, problemNotice } from '../parts/notice.ts';
import { time } from '../parts/time.ts';
import { type Action, type Given, mayI, type View, type Visit } from '../visit.ts';
import { publishCommand } from './logs.ts';

const tabs = (now: 'events' | 'types') =>
  html`<nav class="segments" aria-label="Events"><a href="/data/events" ${now === 'events' ? current : ''}>Published</a><a href="/data/event-types" ${now === 'types' ? current : ''}>Event types</a></nav>`;
const current = html`aria-current="page"`;

const list: View = {
  path: '/data/events',
  async show(visit) {
    const { core, principal, query } = visit;
    const cursor = query.get('cursor') ?? undefined;
    const type = query.get('event_type') ?? undefined;
    const { data, next_cursor: next } = await core.listEvents(principal, { limit: 50, cursor, event_type: type });
    const rows = data.map(
      (one) =>
        html`<tr><td class="c-type"><a class="cover" href="/data/events/${one.id}"><code>${one.type}</code></a></td><td class="c-url"><code>${one.id}</code></td><td class="num">${many(one.deliveries_count, 'endpoint')}</td><td class="num c-time">${time(one.created_at)}</td></tr>`,
    );
    const body = html`<div class="head"><h1>Events</h1><span class="push"></span>${tabs('events')}</div>${doneNotice(query)}
${data.length === 0 ? empty('Nothing was published yet', 'What your platform publishes is listed here, with the endpoints that it went to.', publishCommand(visit)) : html`<div class="card flush scroll"><table class="log events"><caption class="unseen">Events, newest first</caption><thead><tr><th scope="col">Event</th><th scope="col">Id</th><th scope="col" class="num">Owed to</th><th scope="col" class="num">Published</th></tr></thead><tbody>${rows}</tbody></table></div>`}${pager('/data/events', query, next)}`;
    return { title: 'Events', section: 'events', body };
  },
};

const one: View = {
  path: '/data/events/:id',
  async show(visit, given) {
    const { core, principal, params, query } = visit;
    const event = await core.getEvent(principal, { event_id: params['id'] });
    const erase =
      mayI(visit, 'webhooks:write') && event.data !== null
        ? asking(`/data/events/${event.id}/erase`, 'Erase the payload', 'danger')
        : '';
    const body = html`<p class="crumbs"><a href="/data/events">Events</a></p><div class="head"><h1><code>${event.type}</code></h1><span class="push"></span>${erase}</div>${doneNotice(query)}${problemNotice(given.problem)}
<p class="muted"><code>${event.id}</code> happened ${time(event.occurred_at)}, published ${time(event.created_at)}</p>
<div class="columns"><section class="card" aria-labelledby="data"><h2 id="data">Data</h2>${dataOf(visit, event)}</section><section class="card" aria-labelledby="to"><h2 id="to">To whom it went</h2>${await deliveriesOf(visit, event)}</section></div>`;
    return { title: event.type, section: 'events', body };
  },
};

function dataOf(visit: Visit, event: EventWithDeliveries): Html {
  if (!mayI(visit, 'payloads:read')) return locked('payloads:read');
  return event.data === null
    ? html`<p class="muted">It was erased.</p>`
    : copyable(JSON.stringify(event.data, null, 2), 'Data');
}

async function deliveriesOf(visit: Visit, { deliveries, deliveries_count: all }: EventWithDeliveries): Promise<Html> {
  if (deliveries.length === 0)
    return html`<p class="muted">No endpoint wanted it when it was published. <a href="/settings/api">Webhooks</a> shows which events each endpoint chose.</p>`;
  const ids = deliveries.map(({ endpoint_id: id }) => id);
  const known = mayI(visit, 'webhooks:read') ? await endpointsOf(visit, ids) : new Map<string, Endpoint>();
  const rows = deliveries.map((each) => {
    const id = each.endpoint_id;
    const endpoint = known.get(id);
    const url =
      endpoint === undefined || endpoint.url === endpoint.title ? '' : html`<div class="hint">${endpoint.url}</div>`;
    return html`<li>${statusBadge(each.status)} <a href="/data/webhooks?endpoint_id=${id}" title="${id}">${endpoint?.title ?? html`<code>${id}</code>`}</a> <span class="muted">${many(each.attempts, 'attempt')}</span>${url}</li>`;
  });
  const more = all - rows.length;
  return html`<ul class="plain">${rows}</ul>${more > 0 ? html`<p class="muted">and ${many(more, 'endpoint more', 'endpoints more')}</p>` : ''}`;
}

const askErase: View = {
  path: '/data/events/:id/erase',
  async show({ params }, given) {
    const path = `/data/events/${params['id']}`;
    const body = askBody({
      title: 'Erase the payload?',
      words: 'The data is gone for good, and what is still to be delivered of it is canceled. The log stays.',
      action: `${path}/erase`,
      label: 'Erase',
      back: path,
    });
    return { title: 'Erase the payload', section: 'events', body: html`${problemNotice(given.problem)}${body}` };
  },
};

const erase: Action = {
  path: '/data/events/:id/erase',
  view: one,
  async act({ core, principal, params }) {
    await core.eraseEventData(principal, { event_id: params['id'] });
    return { to: `/data/events/${params['id']}?done=erased` };
  },
};

const types: View = {
  path: '/data/event-types',
  async show({ core, principal }) {
    const all = await allOf((of) => core.listEventTypes(principal, of));
    const body = html`<div class="head"><h1>Event types</h1><span class="push"></span>${tabs('types')}</div><ul class="card flush endpoints">${all.map((type) => html`<li><div class="what"><a class="cover title" href="/data/event-types/${type.name}"><code>${type.name}</code></a><span class="muted">${type.description}</span></div><div class="how">${type.built_in ? '' : badge('info', 'Own')}</div></li>`)}</ul>`;
    return { title: 'Event types', section: 'events', body };
  },
};

async function typeOf({ core, principal, params }: Visit): Promise<EventType | undefined> {
  const all = await allOf((of) => core.listEventTypes(principal, of));
  return all.find(({ name }) => name === params['name']);
}

const typePage: View = {
  path: '/data/event-types/:name',
  async show(visit, given) {
    const type = await typeOf(visit);
    if (type === undefined)
      return {
        title: 'Event types',
        section: 'events',
        body: empty('No such event type', html`<a href="/data/event-types">All event types</a>`),
      };
    const body = html`<p class="crumbs"><a href="/data/event-types">Event types</a></p><h1><code>${type.name}</code></h1><p>${type.description}</p>${problemNotice(given.problem)}
<div class="columns"><section class="card" aria-labelledby="sample"><h2 id="sample">Sample</h2>${publishForm(visit, given, type)}</section><section class="card" aria-labelledby="schema"><h2 id="schema">Schema</h2>${type.schema === null ? html`<p class="muted">None: data of any shape is accepted.</p>` : copyable(JSON.stringify(type.schema, null, 2), 'Schema')}<p><a href="/data/events?event_type=${type.name}">Published events of this type</a></p></section></div>`;
    return { title: type.name, section: 'events', body };
  },
};

function publishForm(visit: Visit, given: Given, type: EventType): Html {
  // Written out, what is invisible is still the same JSON.
  const sample = visible(JSON.stringify(type.example, null, 2));
  if (!mayI(visit, 'events:write')) return copyable(sample, 'Sample');
  return html`<form method="post" action="/data/event-types/${type.name}/publish">${area(given, { name: 'data', label: 'Data', rows: Math.min(16, sample.split('\n').length + 1), value: sample, hint: 'Publishing sends it to every endpoint that wants this type, as a real event.' })}<div class="buttons"><button class="primary" type="submit">Publish</button></div></form>`;
}

const publish: Action = {
  path: '/data/event-types/:name/publish',
  view: typePage,
  async act({ core, principal, params, form }) {
    const { published } = await core.publish(principal, { type: params['name'], data: parsed(form.get('data') ?? '') });
    return {
      to: principal.scopes.has('events:read') ? `/data/events/${published.id}?done=published` : `/data/webhooks`,
    };
  },
};

/** What is no JSON is no object either, which core says of it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const eventViews = [list, askErase, one, types, typePage];
export const eventActions = [erase, publish];
