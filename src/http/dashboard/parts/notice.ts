import { type ErrorCode, errorTable, type PosthornError } from '../../../core/errors.ts';
import { html, type Html } from '../html.ts';

/** What people do next, where programs are told something else. */
const adviceHere: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'Sign in again.',
  insufficient_scope: 'Sign in with a key that holds it, or ask whoever made your key for one.',
  host_not_allowed: 'Open the page by the address that you know, and send the form from there.',
  not_found: 'It may have been deleted, or it belongs to another workspace.',
  not_active: 'Enable it first: while it is not active, nothing is sent.',
  not_retryable: 'Publish the event again if it must be sent.',
  config_in_use: 'Change or delete these automations first.',
  payload_too_large: 'Keep one event within 256 KiB.',
  unsupported_media_type: 'Open the page in a browser, and send the form from there.',
  validation_failed: 'Correct it, then try again.',
  rate_limited: 'Wait a little, then try again.',
  store_unavailable: 'Nothing was stored. Try again in a moment.',
};

/** What core's fields are called where a person reads of them. */
const names: Record<string, string> = {
  actions: 'Webhook configs to call',
  conditions: 'Condition',
  trigger_event: 'Trigger event',
  url: 'URL',
};

function nameOf(path: string): string {
  const [, field = ''] = path.split('/');
  return names[field] ?? sentence(field.replaceAll('_', ' '));
}

/** With a capital letter. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Why something was not done, in words: what was wrong, and what to do. */
export function problemNotice(problem: PosthornError | null): Html {
  if (problem === null) return html``;
  const { title, advice } = errorTable[problem.code];
  const fields = problem.errors.filter(({ path }) => path !== '');
  // Of wrong input the message says the first field as programs know it.
  const isList = fields.length > 1 || (fields.length === 1 && problem.code === 'validation_failed');
  const message =
    problem.code === 'validation_failed' && isList
      ? ''
      : html`<p>${sentence(problem.message.replace(/^\/?\w+: /, ''))}</p>`;
  return html`<div class="notice bad" role="alert" tabindex="-1" data-focus>
  <strong>${title}</strong>
  ${message}${isList ? html`<ul>${fields.map(({ path, message: fault }) => html`<li>${nameOf(path)}: ${fault}</li>`)}</ul>` : ''}
  <p class="muted">${adviceHere[problem.code] ?? advice}</p>
</div>`;
}

const doneSentences: Record<string, string> = {
  created: 'It is made.',
  saved: 'Saved.',
  paused: 'It is paused: nothing is sent until you go on.',
  active: 'It is active.',
  approved: 'It is approved and receives from now on.',
  deleted: 'It is deleted.',
  revoked: 'The key is revoked: it opens nothing any more.',
  retried: 'One more attempt is on its way.',
  erased: 'The payload is erased.',
  published: 'The sample is published.',
};

/** What the form before this page did: a word in the address, and no other one than these. */
export function doneNotice(query: URLSearchParams): Html {
  const done = query.get('done') ?? '';
  if (!Object.hasOwn(doneSentences, done)) return html``;
  const queued = /^\d{1,6}$/.exec(query.get('queued') ?? '')?.[0];
  const more = queued === undefined ? '' : ` ${queued} ${queued === '1' ? 'event is' : 'events are'} queued again.`;
  return html`<div class="notice good" role="status">${doneSentences[done]}${more}</div>`;
}

/** What an empty page says: what it is for, and a command that fills it. */
export function empty(title: string, words: Html | string, command?: string): Html {
  return html`<div class="empty"><h2>${title}</h2><p>${words}</p>${command === undefined ? '' : copyable(command, 'Command')}</div>`;
}

/** Something to copy, with a button where there is a script. */
export function copyable(text: string, label: string): Html {
  return html`<div class="copy"><pre tabindex="0" aria-label="${label}">${text}</pre><button type="button" class="small" data-copy hidden>Copy</button></div>`;
}

/** A part of a page that the key's scopes do not open. */
export function locked(scope: string): Html {
  return html`<p class="muted locked">Your key lacks the scope <code>${scope}</code>, which this part needs.</p>`;
}
