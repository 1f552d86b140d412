import type { PosthornError } from '../../../core/errors.ts';
import { html, type Html } from '../html.ts';
import { problemNotice } from '../parts/notice.ts';
import type { Content } from '../visit.ts';

const headings: Partial<Record<PosthornError['code'], string>> = {
  insufficient_scope: 'No access',
  not_found: 'Not found',
};

/** Why a page cannot be shown. `path`: that of the page. */
export function errorPage(path: string, error: PosthornError): Omit<Content, 'section'> {
  const title = headings[error.code] ?? 'This page cannot be shown';
  const notice = error.code === 'validation_failed' ? wrongAddress(path, error) : problemNotice(error);
  return { title, body: html`<h1>${title}</h1>${notice}` };
}

/** Addresses are written by links: what is wrong with a part of one helps nobody, but which it is. */
function wrongAddress(path: string, { errors }: PosthornError): Html {
  const names = errors.map((one) => one.path.split('/')[1] ?? '').filter((name) => name !== '');
  return html`<div class="notice bad" role="alert"><strong>The address is not right</strong><p>What it says of ${[...new Set(names)].join(', ')} cannot be used.</p></div>
<p><a class="button" href="${path}">Show the page without it</a></p>`;
}

/** Where no page is. */
export function lostPage(): Omit<Content, 'section'> {
  const title = 'Nothing is here';
  return {
    title,
    body: html`<h1>${title}</h1><p>There is no page at this address.</p><p><a class="button" href="/">To the overview</a></p>`,
  };
}
