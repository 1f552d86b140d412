import { errorTable, type PosthornError } from '../../../core/errors.ts';
import { html, type Html } from '../html.ts';

/** Why something was not done, in words: what was wrong, and what to do. */
export function problemNotice(problem: PosthornError | null): Html {
  if (problem === null) return html``;
  const { title, advice } = errorTable[problem.code];
  const fields = problem.errors.filter(({ path }) => path !== '');
  return html`<div class="notice bad" role="alert" tabindex="-1" data-focus>
  <strong>${title}</strong>
  <p>${problem.message.replace(/^\/\w+: /, '')}</p>
  ${fields.length > 1 ? html`<ul>${fields.map(({ path, message }) => html`<li>${path.slice(1)}: ${message}</li>`)}</ul>` : ''}
  <p class="muted">${advice}</p>
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
