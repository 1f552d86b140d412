import type { PosthornError } from '../../../core/errors.ts';
import { exact, html, type Html, raw } from '../html.ts';
import type { Given } from '../visit.ts';
import { sentence } from './notice.ts';

/** One field of a form: its label, what it says of itself, and what was wrong with it. */
export interface Field {
  name: string;
  label: string;
  /** What core calls it, where that is another name. */
  path?: string;
  hint?: Html | string;
  /** What is stored; what was typed wins over it. */
  value?: string;
  /** Attributes of ours, never of anybody else. */
  attributes?: string;
}

/** The message for one field: `/events/3` belongs to `events`. */
function faultOf(
  problem: PosthornError | null,
  { name, path: of = name }: { name: string; path?: string },
): string | null {
  const found = problem?.errors.find(({ path }) => path === `/${of}` || path.startsWith(`/${of}/`));
  return found === undefined ? null : sentence(found.message);
}

function field(given: Given, one: Field, control: (value: string, more: Html) => Html): Html {
  const fault = faultOf(given.problem, one);
  const value = given.values?.get(one.name) ?? one.value ?? '';
  const described = [one.hint === undefined ? '' : `${one.name}-hint`, fault === null ? '' : `${one.name}-fault`]
    .join(' ')
    .trim();
  const more = raw(
    `${one.attributes ?? ''}${described === '' ? '' : ` aria-describedby="${described}"`}${fault === null ? '' : ' aria-invalid="true"'}`,
  );
  return html`<div class="field">
  <label for="${one.name}">${one.label}</label>
  ${control(value, more)}
  ${fault === null ? '' : html`<p class="fault" id="${one.name}-fault">${fault}</p>`}
  ${one.hint === undefined ? '' : html`<p class="hint" id="${one.name}-hint">${one.hint}</p>`}
</div>`;
}

export function input(given: Given, one: Field): Html {
  return field(
    given,
    one,
    (value, more) =>
      html`<input id="${one.name}" name="${one.name}" value="${exact(value)}" autocomplete="off" ${more}>`,
  );
}

export function area(given: Given, one: Field & { rows: number }): Html {
  // The first line feed of a text area is dropped by the parser.
  return field(
    given,
    one,
    (value, more) =>
      html`<textarea id="${one.name}" name="${one.name}" rows="${one.rows}" spellcheck="false" ${more}>
${exact(value)}</textarea>`,
  );
}

export function select(given: Given, one: Field & { options: [string, string][] }): Html {
  return field(
    given,
    one,
    (value, more) =>
      html`<select id="${one.name}" name="${one.name}" ${more}>${one.options.map(([option, label]) => html`<option value="${option}" ${raw(option === value ? 'selected' : '')}>${label}</option>`)}</select>`,
  );
}

/** Several choices under one name. */
export function checks(
  given: Given,
  one: {
    name: string;
    legend: string;
    /** What core calls it, where that is another name. */
    path?: string;
    /** A `label` for people stands before a value that only programs know. */
    options: { value: string; label?: string; hint?: string; disabled?: boolean }[];
    chosen?: string[];
    hint?: string;
  },
): Html {
  const chosen = given.values === null ? (one.chosen ?? []) : given.values.getAll(one.name);
  const fault = faultOf(given.problem, one);
  const described = fault === null ? '' : `aria-describedby="${one.name}-fault"`;
  return html`<fieldset class="field" id="${one.name}" ${raw(described)}><legend>${one.legend}</legend>
  ${one.hint === undefined ? '' : html`<p class="hint">${one.hint}</p>`}
  ${fault === null ? '' : html`<p class="fault" id="${one.name}-fault">${fault}</p>`}
  <div class="checks">${one.options.map(
    ({ value, label, hint, disabled }) =>
      html`<label><input type="checkbox" name="${one.name}" value="${value}" ${raw(`${chosen.includes(value) ? 'checked' : ''} ${disabled === true ? 'disabled' : ''}`)}><span>${label === undefined ? html`<code>${value}</code>` : html`${label}<small><code>${value}</code></small>`}${hint === undefined ? '' : html`<small>${hint}</small>`}</span></label>`,
  )}</div></fieldset>`;
}

/** A form of one button, for what changes something at once. */
export function button(
  action: string,
  label: string,
  more: { tone?: string; hidden?: Record<string, string> } = {},
): Html {
  const fields = Object.entries(more.hidden ?? {});
  return html`<form method="post" action="${action}">${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${exact(value)}">`)}<button class="${more.tone ?? ''}" type="submit">${label}</button></form>`;
}

/** A link to the page that asks once; the script shows it in a dialog instead. */
export function asking(href: string, label: string, tone = ''): Html {
  return html`<a class="button ${tone}" href="${href}" hx-get="${href}" hx-target="#ask" hx-select="#asked" hx-swap="innerHTML">${label}</a>`;
}

/** The page that asks once: what happens, and the button that does it. */
export function askBody(one: {
  title: string;
  words: Html | string;
  action: string;
  label: string;
  back: string;
  /** What brings something back is no danger. */
  tone?: 'primary';
  hidden?: Record<string, string>;
}): Html {
  return html`<div id="asked" class="asked"><h1>${one.title}</h1><p>${one.words}</p>
<form method="post" action="${one.action}">${Object.entries(one.hidden ?? {}).map(([name, value]) => html`<input type="hidden" name="${name}" value="${exact(value)}">`)}
<div class="buttons"><button class="${one.tone ?? 'danger'}" type="submit">${one.label}</button><a class="button" href="${one.back}" data-close>Cancel</a></div></form></div>`;
}

/** In its place where there is nothing to do. */
export function tellBody(one: { title: string; words: Html | string; back: string }): Html {
  return html`<div id="asked" class="asked"><h1>${one.title}</h1><p>${one.words}</p>
<div class="buttons"><a class="button" href="${one.back}" data-close>Back</a></div></div>`;
}
