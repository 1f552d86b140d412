import type { PosthornError } from '../../core/errors.ts';
import { exact, html, type Html, raw } from './html.ts';
import { icon } from './parts/icon.ts';

/** A form that was sent when the sign-in had expired. */
export interface Kept {
  path: string;
  form: URLSearchParams;
}

const mark = 'kept.';

export function readKept(form: URLSearchParams): Kept | null {
  const path = form.get('kept_path');
  if (path === null) return null;
  const fields = [...form]
    .filter(([name]) => name.startsWith(mark))
    .map(([name, value]): [string, string] => [name.slice(mark.length), value]);
  return { path, form: new URLSearchParams(fields) };
}

export function signInBody(problem: PosthornError | null, kept: Kept | null, next: string): Html {
  const fields = kept === null ? [] : [...kept.form];
  return html`<main class="alone" id="main">
<h1 class="brand">${raw(icon.horn)}<span>Posthorn</span></h1>
${kept === null ? '' : html`<div class="notice" role="status">Your sign-in has expired. Sign in again, and your form comes back as you left it.</div>`}
<form class="card" method="post" action="/sign-in">
  <div class="field">
    <label for="key">API key</label>
    <input id="key" name="key" type="password" required autofocus autocomplete="current-password" spellcheck="false" ${raw(problem === null ? '' : 'aria-invalid="true" aria-describedby="key-fault"')}>
    ${problem === null ? '' : html`<p class="fault" id="key-fault" role="alert">${problem.code === 'unauthorized' ? 'This key opens nothing: it is unknown, revoked or expired.' : problem.message}</p>`}
    <p class="hint">The first start printed one. <code>posthorn keys create NAME --scopes all</code> makes another.</p>
  </div>
  <input type="hidden" name="next" value="${next}">
  ${kept === null ? '' : html`<input type="hidden" name="kept_path" value="${kept.path}">`}
  ${fields.map(([name, value]) => html`<input type="hidden" name="${mark}${name}" value="${exact(value)}">`)}
  <button class="primary" type="submit">Sign in</button>
</form></main>`;
}
