import type { Attempt } from '../../../core/types.ts';
import { html, type Html, raw } from '../html.ts';
import { statusBadge } from './badge.ts';
import { count, duration, time } from './time.ts';

/** The rows of the delivery log. The first cell's link covers its row. `seen`: those after this id are new on the page. */
export function attemptRows(attempts: readonly Attempt[], seen?: string): Html[] {
  return attempts.map(
    (one) => html`<tr id="${one.id}" class="${seen !== undefined && one.id > seen ? 'fresh' : ''}">
  <td class="c-status">${statusBadge(one.status)}${one.is_test ? html` <span class="tag">test</span>` : ''}</td>
  <td class="c-type"><a class="cover" href="/data/webhooks/${one.id}"><code>${one.event_type}</code></a></td>
  <td class="c-url" title="${one.url}">${one.url.replace(/^https?:\/\//, '')}</td>
  <td class="c-code num">${one.response_code ?? html`<span class="muted">${shortError(one)}</span>`}</td>
  <td class="c-attempt num" title="Attempt ${one.attempt}"><span class="muted">#</span>${one.attempt}</td>
  <td class="c-ms num">${duration(one.duration_ms)}</td>
  <td class="c-time num">${time(one.created_at)}</td>
</tr>`,
  );
}

export function attemptTable(attempts: readonly Attempt[], caption: string, id = 'rows'): Html {
  return html`<div class="scroll"><table class="log">
<caption class="unseen">${caption}</caption>
<thead><tr><th scope="col">Status</th><th scope="col">Event</th><th scope="col">Sent to</th><th scope="col" class="num">Answer</th><th scope="col" class="num">Attempt</th><th scope="col" class="num">Took</th><th scope="col" class="num">When</th></tr></thead>
<tbody id="${id}">${attemptRows(attempts)}</tbody></table></div>`;
}

const words: Record<string, string> = {
  timeout: 'timeout',
  connect_refused: 'refused',
  connection_reset: 'reset',
  dns_failed: 'DNS',
  tls_failed: 'TLS',
  target_not_allowed: 'not allowed',
  response_too_large: 'too large',
  invalid_response: 'not HTTP',
  interrupted: 'interrupted',
};

function shortError({ error }: Attempt): string {
  return error === null ? '–' : (words[error] ?? error);
}

/** What came of a test, in place. */
export function testResult(attempt: Attempt): Html {
  const good = attempt.status === 'succeeded';
  const answer = attempt.response_code === null ? '' : ` with HTTP ${attempt.response_code}`;
  return html`<div class="notice ${good ? 'good' : 'bad'}" role="status">
<strong>${good ? 'It arrived' : 'It did not arrive'}</strong>
<p>${good ? `The sample of ${attempt.event_type} was answered${answer} in ${duration(attempt.duration_ms)}.` : (attempt.error_message ?? '')}</p>
<p><a href="/data/webhooks/${attempt.id}">The attempt in the log</a></p></div>`;
}

/**
 * Pages of a list, with what it was narrowed to kept in the address. `part`: the section that the list is, on a page
 * with several of them.
 */
export function pager(
  path: string,
  query: URLSearchParams,
  next: string | null,
  part?: { id: string; title: string },
): Html {
  const [name, anchor] = part === undefined ? ['cursor', ''] : [`${part.id}_cursor`, `#${part.id}`];
  if (next === null && !query.has(name)) return html``;
  const older = new URLSearchParams(query);
  older.delete('done');
  const first = new URLSearchParams(older);
  first.delete(name);
  if (next !== null) older.set(name, next);
  const link = (to: URLSearchParams, label: string) =>
    html`<a class="button" href="${path}?${to.toString()}${anchor}">${label}</a>`;
  return html`<nav class="pager" aria-label="Pages of ${part?.title ?? 'the list'}">${query.has(name) ? link(first, 'Newest') : ''}${next === null ? '' : link(older, 'Older')}</nav>`;
}

/** What a figure says, and its number. */
export function figure(label: string, value: Html | string, note: Html | string = '', tone = ''): Html {
  return html`<div class="figure ${tone}"><dt>${label}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`;
}

export function many(value: number, one: string, more = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : more}`;
}

export const selected = (yes: boolean): Html => raw(yes ? 'selected' : '');
