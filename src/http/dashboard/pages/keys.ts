import type { ApiKey, Page } from '../../../core/types.ts';
import { scopes } from '../../../core/vocabulary.ts';
import { html } from '../html.ts';
import { askBody, checks, input } from '../parts/form.ts';
import { problemNotice } from '../parts/notice.ts';
import { type Action, mayI, type View, type Visit } from '../visit.ts';
import { webhooks } from './webhooks.ts';
import { secretPage } from './secret.ts';

const words: Record<(typeof scopes)[number], string> = {
  'webhooks:read': 'see endpoints, logs and figures',
  'webhooks:write': 'make and change them, test, retry, replay',
  'webhooks:delete': 'delete them',
  'events:read': 'see what was published',
  'events:write': 'publish',
  'payloads:read': 'see the data of events and the answers',
  'webhooks:approve': 'let new hosts receive',
  'keys:admin': 'make and revoke keys, read the audit log',
};

const newKey: View = {
  path: '/settings/api/keys/new',
  async show(visit, given) {
    const options = scopes.map((value) => ({ value, hint: words[value], disabled: !mayI(visit, value) }));
    const body = html`<p class="crumbs"><a href="/settings/api#keys">API keys</a></p><h1>New API key</h1>${problemNotice(given.problem)}
<form class="card narrow" method="post" action="/settings/api/keys">${input(given, { name: 'name', label: 'Name', attributes: 'required maxlength="100"', hint: 'What will use it.' })}${checks(given, { name: 'scopes', legend: 'Scopes', options, chosen: ['webhooks:read'] })}${input(given, { name: 'expires_in', label: 'Expires in', hint: 'Such as 90d; empty: never.' })}<div class="buttons"><button class="primary" type="submit">Create</button><a class="button" href="/settings/api#keys">Cancel</a></div></form>`;
    return { title: 'New API key', section: 'webhooks', body };
  },
};

const createKey: Action = {
  path: '/settings/api/keys',
  view: newKey,
  async act({ core, principal, form }) {
    const expires = form.get('expires_in')?.trim() ?? '';
    const { key } = await core.createKey(principal, {
      name: form.get('name')?.trim(),
      scopes: form.getAll('scopes'),
      ...(expires === '' ? {} : { expires_in: expires }),
    });
    return {
      content: secretPage({
        title: 'Your key is made',
        secret: key,
        go: '/settings/api#keys',
        next: 'Done',
        words: 'The key',
      }),
    };
  },
};

/** Keys are listed and not looked up, as nothing else asks for one: page by page, until it comes. */
async function keyOf({ core, principal, params }: Visit): Promise<ApiKey | undefined> {
  let cursor: string | null = null;
  do {
    const page: Page<ApiKey> = await core.listKeys(principal, { limit: 200, ...(cursor === null ? {} : { cursor }) });
    const found = page.data.find(({ id }) => id === params['id']);
    if (found !== undefined) return found;
    cursor = page.next_cursor;
  } while (cursor !== null);
  return undefined;
}

const askRevoke: View = {
  path: '/settings/api/keys/:id/revoke',
  async show(visit, given) {
    const { params } = visit;
    const key = await keyOf(visit);
    const body = askBody({
      title: 'Revoke this key?',
      words: html`Whatever uses <b>${key?.name ?? params['id']}</b> is refused from the next request on. It cannot be undone.`,
      action: `/settings/api/keys/${params['id']}/revoke`,
      label: 'Revoke',
      back: '/settings/api#keys',
    });
    return { title: 'Revoke a key', section: 'webhooks', body: html`${problemNotice(given.problem)}${body}` };
  },
};

const revokeKey: Action = {
  path: '/settings/api/keys/:id/revoke',
  view: webhooks,
  async act({ core, principal, params }) {
    await core.revokeKey(principal, { key_id: params['id'] });
    return { to: '/settings/api?done=revoked#keys' };
  },
};

export const keyViews = [newKey, askRevoke];
export const keyActions = [createKey, revokeKey];
