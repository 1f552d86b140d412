import { PosthornError } from '../../../core/errors.ts';
import { limits } from '../../../core/inputs.ts';
import type { Automation, DryRun } from '../../../core/types.ts';
import { html, type Html } from '../html.ts';
import { endpointOf } from '../kinds.ts';
import { many } from '../parts/attempts.ts';
import { badge } from '../parts/badge.ts';
import { area, checks, input } from '../parts/form.ts';
import { count, time } from '../parts/time.ts';
import type { Given, Visit } from '../visit.ts';

export const base = '/auto/automations';
const shownMax = 12;

/** Of the form alone: from where on it lists configs, sent by the buttons that turn its pages. */
export const configsCursor = 'configs_cursor';
const configsMax = 50;

/** The form, and beside it what it would have done with the last events. */
export async function editor(visit: Visit, given: Given, found: Automation | null): Promise<Html> {
  const action = found === null ? base : `${base}/${found.id}`;
  const { calls, buttons } = await configChoice(visit, given, found, action);
  const trigger = given.values?.get('trigger_event') ?? found?.trigger_event ?? '';
  const condition = given.values?.get('conditions') ?? found?.conditions ?? '';
  const first =
    trigger === ''
      ? html`<p class="muted">Choose an event, and what would have fired shows up here.</p>`
      : await firstRun(visit, trigger, condition);
  return html`<div class="columns"><form class="card" method="post" action="${action}">
${input(given, { name: 'name', label: 'Name', value: found?.name ?? '', attributes: 'required maxlength="100"' })}
${input(given, { name: 'trigger_event', label: 'When', value: found?.trigger_event ?? '', attributes: 'required placeholder="contact.created"', hint: html`An event type, a family such as <code>contact.*</code>, or <code>*</code>.` })}
${area(given, { name: 'conditions', label: 'And', rows: 3, value: found?.conditions ?? '', hint: html`A condition such as <code>data.value > 10000</code>; optional.` })}
${calls}<div class="buttons"><button class="primary" type="submit">${found === null ? 'Create' : 'Save'}</button><button type="submit" formaction="${base}/dry-run" hx-post="${base}/dry-run" hx-target="#dry-run" hx-swap="innerHTML" hx-include="closest form">Try it on past events</button>${buttons}</div></form>
<section class="card" aria-labelledby="dry"><h2 id="dry">What it would have done</h2><div id="dry-run" aria-live="polite" hx-post="${base}/dry-run" hx-trigger="input from:#conditions delay:400ms, input from:#trigger_event delay:400ms" hx-include="#conditions, #trigger_event" hx-swap="innerHTML">${first}</div></section></div>`;
}

/**
 * A page of the configs, behind those that are chosen already: a box that is not in the form would not be sent again.
 * The buttons that turn the pages send the whole form, and stand last in it, so that Enter in a field saves.
 */
async function configChoice(
  visit: Visit,
  given: Given,
  found: Automation | null,
  action: string,
): Promise<Record<'calls' | 'buttons', Html>> {
  const cursor = given.values?.get(configsCursor) ?? '';
  const { data, next_cursor: next } = await visit.core.listConfigs(visit.principal, {
    limit: configsMax,
    ...(cursor === '' ? {} : { cursor }),
  });
  const chosen = given.values?.getAll('config_id') ?? found?.actions.map(({ config_id: id }) => id) ?? [];
  const elsewhere = [...new Set(chosen)].filter((id) => !data.some((one) => one.id === id));
  const kept = await Promise.all(elsewhere.slice(0, limits.actionsPerAutomationMax).map((id) => endpointOf(visit, id)));
  const options = [
    ...elsewhere.map((id, nth) => ({ value: id, label: kept[nth]?.title ?? id })),
    ...data.map(({ id, name }) => ({ value: id, label: name })),
  ];
  if (options.length === 0)
    return {
      calls: html`<div class="notice">There is no webhook config to call yet. <a href="/settings/api/configs/new">Make one first</a>.</div>`,
      buttons: html``,
    };
  const turn = (to: string, label: string) =>
    html`<button type="submit" formaction="${action}#config_id" formnovalidate name="${configsCursor}" value="${to}">${label}</button>`;
  const isWhole = next === null && cursor === '';
  return {
    calls: checks(given, {
      name: 'config_id',
      path: 'actions',
      legend: 'Then call',
      options,
      chosen,
      ...(isWhole
        ? {}
        : {
            hint: `${count(data.length)} of the configs, behind those that are chosen already; the buttons below lead to the others.`,
          }),
    }),
    buttons: html`${cursor === '' ? '' : turn('', 'Newest configs')}${next === null ? '' : turn(next, 'Older configs')}`,
  };
}

/** A field that is refused is told beside the form: thrown, it would take the place of all that was typed. */
async function firstRun(visit: Visit, trigger: string, condition: string): Promise<Html> {
  try {
    return await dryRun(visit, trigger, condition);
  } catch (error) {
    if (!(error instanceof PosthornError) || error.errors.length === 0) throw error;
    return html`<p class="muted">${error.message}</p>`;
  }
}

export async function dryRun({ core, principal }: Visit, trigger: string, condition: string): Promise<Html> {
  const found = await core.dryRun(principal, { events: [trigger], ...(condition.trim() === '' ? {} : { condition }) });
  return verdicts(found);
}

function verdicts(found: DryRun): Html {
  if (found.looked_at === 0)
    return html`<p class="muted">No event was published yet, so there is nothing to try it on.</p>`;
  const told = found.events.filter(({ verdict }) => verdict !== 'type_not_chosen').slice(0, shownMax);
  return html`<p>It would have fired for <strong>${many(found.matched, 'event')}</strong> of the last ${count(found.looked_at)}.</p><ul class="plain">${told.map(
    (each) =>
      html`<li>${each.verdict === 'matched' ? badge('good', 'Fires') : badge(each.verdict === 'condition_error' ? 'warn' : 'idle', 'Does not')} <code>${each.event_type}</code> <span class="muted">${time(each.created_at)} ${each.reason ?? ''}</span></li>`,
  )}</ul>`;
}

/** What the form sent, as core takes it. */
export function inputOf({ form }: Visit) {
  const conditions = (form.get('conditions') ?? '').trim();
  return {
    name: form.get('name')?.trim() ?? '',
    trigger_event: form.get('trigger_event')?.trim() ?? '',
    conditions: conditions === '' ? null : conditions,
    actions: form.getAll('config_id').map((config_id) => ({ type: 'webhook', config_id })),
  };
}
