import type { Automation } from '../../../core/types.ts';
import { html, type Html } from '../html.ts';
import { figure, many, pager } from '../parts/attempts.ts';
import { badge } from '../parts/badge.ts';
import { askBody, asking, button } from '../parts/form.ts';
import { doneNotice, empty, locked, problemNotice } from '../parts/notice.ts';
import { count, time } from '../parts/time.ts';
import { type Action, type Done, mayI, type View, type Visit } from '../visit.ts';
import { base, configsCursor, dryRun, editor, inputOf } from './automation-form.ts';

const section = 'automations' as const;

const list: View = {
  path: base,
  async show(visit, given) {
    const { core, principal, publicUrl, query } = visit;
    const cursor = query.get('cursor');
    const { data, next_cursor: next } = await core.listAutomations(principal, {
      limit: 100,
      ...(cursor === null ? {} : { cursor }),
    });
    const add = mayI(visit, 'webhooks:write')
      ? html`<a class="button primary" href="${base}/new">New automation</a>`
      : '';
    const command = `curl -s ${publicUrl}/v1/automations -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"name": "Big deals", "trigger_event": "opportunity.won", "conditions": "data.value > 10000", "actions": [{"type": "webhook", "config_id": "cfg_…"}]}'`;
    const body = html`<div class="head"><h1>Automations</h1><span class="push"></span>${add}</div>${doneNotice(query)}${problemNotice(given.problem)}
${data.length === 0 ? empty('No automations yet', html`When this event, and this condition, call these <a href="/settings/api#configs">webhook configs</a>.`, command) : html`<ul class="card flush endpoints">${data.map(row)}</ul>`}${pager(base, query, next)}`;
    return { title: 'Automations', section, body };
  },
};

function row(one: Automation): Html {
  return html`<li><div class="what"><a class="cover title" href="${base}/${one.id}">${one.name}</a><span class="url">when <code>${one.trigger_event}</code>${one.conditions === null ? '' : html` and <code>${one.conditions}</code>`}</span></div>
<div class="how">${state(one)}<span class="muted">${one.last_fired_at === null ? 'never fired' : html`fired ${many(one.fired_count, 'time')}, last ${time(one.last_fired_at)}`}</span></div></li>`;
}

function state(one: Automation): Html {
  if (!one.enabled) return badge('idle', 'Off');
  return one.last_error_at === null ? badge('good', 'On') : badge('warn', 'Condition fails');
}

const fresh: View = {
  path: `${base}/new`,
  async show(visit, given) {
    const body = html`<p class="crumbs"><a href="${base}">Automations</a></p><h1>New automation</h1>${problemNotice(given.problem)}${await editor(visit, given, null)}`;
    return { title: 'New automation', section, body };
  },
};

const one: View = {
  path: `${base}/:id`,
  async show(visit, given) {
    const { core, principal, params, query } = visit;
    const found = await core.getAutomation(principal, { automation_id: params['id'] });
    const path = `${base}/${found.id}`;
    const toggle = mayI(visit, 'webhooks:write')
      ? button(`${path}/switch`, found.enabled ? 'Turn off' : 'Turn on', {
          hidden: { enabled: String(!found.enabled) },
        })
      : '';
    const fault =
      found.last_error === null
        ? ''
        : html`<div class="notice warn"><strong>The condition had no value for ${many(found.error_count, 'event')}</strong><p>${found.last_error} ${time(found.last_error_at)}</p></div>`;
    const body = html`<p class="crumbs"><a href="${base}">Automations</a></p><div class="head"><h1>${found.name}</h1>${state(found)}<span class="push"></span>${toggle}</div>${doneNotice(query)}${problemNotice(given.problem)}${fault}
<dl class="figures">${figure('Fired', count(found.fired_count), 'events')}${figure('Last fired', time(found.last_fired_at, 'never'))}${figure('Condition failed', count(found.error_count), 'events')}${figure('Calls', many(found.actions.length, 'config'))}</dl>
${mayI(visit, 'webhooks:write') ? await editor(visit, given, found) : locked('webhooks:write')}
${mayI(visit, 'webhooks:delete') ? html`<section class="end">${asking(`${path}/delete`, 'Delete this automation', 'danger')}</section>` : ''}`;
    return { title: found.name, section, body };
  },
};

/** The form as it was typed, with other configs to choose from; nothing is stored. */
async function turned(visit: Visit, view: View): Promise<Done> {
  return { content: await view.show(visit, { values: visit.form, problem: null }) };
}

const create: Action = {
  path: base,
  view: fresh,
  async act(visit) {
    if (visit.form.has(configsCursor)) return turned(visit, fresh);
    const { id } = await visit.core.createAutomation(visit.principal, inputOf(visit));
    return { to: `${base}/${id}?done=created` };
  },
};

const change: Action = {
  path: `${base}/:id`,
  view: one,
  async act(visit) {
    if (visit.form.has(configsCursor)) return turned(visit, one);
    const automation_id = visit.params['id'];
    await visit.core.updateAutomation(visit.principal, { automation_id, ...inputOf(visit) });
    return { to: `${base}/${automation_id}?done=saved` };
  },
};

const turn: Action = {
  path: `${base}/:id/switch`,
  view: one,
  async act({ core, principal, params, form }) {
    await core.updateAutomation(principal, { automation_id: params['id'], enabled: form.get('enabled') === 'true' });
    return { to: `${base}/${params['id']}?done=saved` };
  },
};

const tryOut: Action = {
  path: `${base}/dry-run`,
  view: fresh,
  async act(visit) {
    // Without the script the form comes back, with the verdicts beside it.
    if (!visit.forScript) return { content: await fresh.show(visit, { values: visit.form, problem: null }) };
    return {
      piece: await dryRun(visit, visit.form.get('trigger_event')?.trim() ?? '', visit.form.get('conditions') ?? ''),
    };
  },
};

const askDelete: View = {
  path: `${base}/:id/delete`,
  async show({ core, principal, params }, given) {
    const { name, id } = await core.getAutomation(principal, { automation_id: params['id'] });
    const body = askBody({
      title: 'Delete this automation?',
      words: html`<b>${name}</b> calls nothing any more. Its configs stay.`,
      action: `${base}/${id}/delete`,
      label: 'Delete',
      back: `${base}/${id}`,
    });
    return { title: name, section, body: html`${problemNotice(given.problem)}${body}` };
  },
};

const remove: Action = {
  path: `${base}/:id/delete`,
  view: askDelete,
  async act({ core, principal, params }) {
    await core.deleteAutomation(principal, { automation_id: params['id'] });
    return { to: `${base}?done=deleted` };
  },
};

export const automationViews = [list, fresh, askDelete, one];
export const automationActions = [tryOut, create, change, turn, remove];
