import { allOf } from '../../../core/all-of.ts';
import { html, type Html, raw } from '../html.ts';
import { configs, type Endpoint, type Kind, subscriptions } from '../kinds.ts';
import { area, input } from '../parts/form.ts';
import { problemNotice } from '../parts/notice.ts';
import type { Action, Given, View, Visit } from '../visit.ts';
import { secretPage } from './secret.ts';

/** The fields of an endpoint. `one` null: of a new one. */
export async function endpointFields(visit: Visit, given: Given, kind: Kind, one: Endpoint | null): Promise<Html> {
  const types = await allOf((of) => visit.core.listEventTypes(visit.principal, of));
  const families = [...new Set(types.map(({ name }) => `${name.split('.')[0]}.*`))];
  const own = kind === subscriptions ? subscriptionFields(given, one) : configFields(given, one);
  const events = area(given, {
    name: 'events',
    ...(kind === configs ? { path: 'trigger_events' } : {}),
    label: kind === subscriptions ? 'Events' : 'Trigger events',
    rows: 3,
    value: one?.events.join('\n') ?? '',
    hint: html`One a line: a type such as <code>contact.created</code>, a family such as <code>contact.*</code>, or <code>*</code> for all.${kind === configs ? ' None: only automations call it.' : ''} <details><summary>Types of the catalogue</summary><p class="names">${[...families, ...types.map(({ name }) => name)].map((name) => html`<code>${name}</code> `)}</p></details>`,
  });
  const url = input(given, {
    name: 'url',
    label: 'URL',
    value: one?.url ?? '',
    attributes: 'type="url" required inputmode="url" placeholder="https://example.com/webhooks"',
    hint: 'A public https:// address.',
  });
  const secret =
    one === null
      ? input(given, {
          name: 'secret',
          label: 'Secret',
          hint: 'Signs every request. Leave it empty to have one made, which is shown once.',
          attributes: 'spellcheck="false"',
        })
      : '';
  return html`${kind === configs ? own : ''}${url}${events}${kind === subscriptions ? own : ''}${secret}`;
}

function subscriptionFields(given: Given, one: Endpoint | null): Html {
  const known = one !== null && 'subscription' in one.own ? one.own.subscription : null;
  return html`${input(given, { name: 'description', label: 'Description', value: known?.description ?? '', hint: 'What it is for; optional.' })}
${area(given, { name: 'filter', label: 'Filter', rows: 2, value: known?.filter ?? '', hint: html`Only events for which this is true, such as <code>data.value > 1000</code>; optional.` })}`;
}

function configFields(given: Given, one: Endpoint | null): Html {
  const known = one !== null && 'config' in one.own ? one.own.config : null;
  const headers = Object.entries(known?.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  const included = given.values === null ? known?.include_trigger_data !== false : given.values.has('include');
  return html`${input(given, { name: 'name', label: 'Name', value: known?.name ?? '', attributes: 'required maxlength="100"', hint: 'Such as “Notify Slack”.' })}
${area(given, { name: 'headers', label: 'Headers', rows: 2, value: headers.join('\n'), hint: html`One a line, as <code>Name: value</code>. They are stored sealed; a value that stays masked stays as it is.` })}
<div class="field"><label class="check"><input type="checkbox" name="include" value="yes" ${raw(included ? 'checked' : '')}><span>Include the event's data in the request</span></label></div>`;
}

/** What the form sent, as core takes it. Fields that are left empty are left out of a new one, and cleared in an old one. */
export function endpointInput(kind: Kind, form: URLSearchParams, isNew: boolean): object {
  const text = (name: string) => (form.get(name) ?? '').replaceAll('\r\n', '\n').trim();
  const lines = (name: string) =>
    text(name)
      .split(/[\n,]/)
      .map((line) => line.trim())
      .filter((line) => line !== '');
  const optional = (name: string) => (text(name) !== '' ? { [name]: text(name) } : isNew ? {} : { [name]: null });
  const secret = isNew && text('secret') !== '' ? { secret: text('secret') } : {};
  if (kind === subscriptions) {
    return { url: text('url'), events: lines('events'), ...optional('description'), ...optional('filter'), ...secret };
  }
  const headers = text('headers')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
  return {
    name: text('name'),
    url: text('url'),
    trigger_events: lines('events'),
    include_trigger_data: form.has('include'),
    headers: Object.fromEntries(headers) as Record<string, string>,
    ...secret,
  };
}

export function newEndpointView(kind: Kind): View {
  return {
    path: `${kind.base}/new`,
    async show(visit, given) {
      const body = html`<p class="crumbs"><a href="/settings/api">Webhooks</a></p><h1>New ${kind.word}</h1>
${problemNotice(given.problem)}<form class="card narrow" method="post" action="${kind.base}">${await endpointFields(visit, given, kind, null)}<div class="buttons"><button class="primary" type="submit">Create</button><a class="button" href="/settings/api">Cancel</a></div></form>`;
      return { title: `New ${kind.word}`, section: 'webhooks', body };
    },
  };
}

export function createAction(kind: Kind, view: View): Action {
  return {
    path: kind.base,
    view,
    async act(visit) {
      const made = await kind.create(visit, endpointInput(kind, visit.form, true));
      const go = `${kind.base}/${made.id}`;
      if (made.secret === undefined && made.warning === undefined) return { to: `${go}?done=created` };
      return {
        content: secretPage({
          title: `Your ${kind.word} is made`,
          secret: made.secret,
          warning: made.warning,
          go,
          next: 'Send it a test',
        }),
      };
    },
  };
}
