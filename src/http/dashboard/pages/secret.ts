import { html } from '../html.ts';
import { copyable } from '../parts/notice.ts';
import type { Content } from '../visit.ts';

/** What is shown this once. It stands in the answer to a form, never behind an address. */
export function secretPage(one: {
  title: string;
  secret?: string | undefined;
  warning?: string | undefined;
  words?: string;
  go: string;
  next: string;
}): Content {
  const body = html`<h1>${one.title}</h1>
${one.warning === undefined ? '' : html`<div class="notice warn" role="status">${one.warning}</div>`}
${one.secret === undefined ? '' : html`<div class="card narrow"><h2>${one.words ?? 'Its secret'}</h2><p>Copy it now: it is shown this once.</p>${copyable(one.secret, 'Secret')}</div>`}
<p><a class="button primary" href="${one.go}">${one.next}</a></p>`;
  return { title: one.title, section: 'webhooks', body };
}
