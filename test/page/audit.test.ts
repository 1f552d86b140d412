import { afterAll, beforeAll, expect, it } from 'vitest';
import { actions } from '../../src/http/dashboard/pages/index.ts';
import { type Changing, makeScenes, type Scene } from '../contract/audit-scenes.ts';
import { configs, type Rest, startRest, subscriptions } from '../contract/rest.ts';
import { pageRequests } from './requests.ts';

let rest: Rest;
let scenes: Record<Changing, Scene>;
let cookie = '';
const { cookieOf, post } = pageRequests(() => rest);

beforeAll(async () => {
  rest = await startRest({ environment: { POSTHORN_NEW_HOSTS: 'approve' } });
  rest.h.receiver.respond((_request, response) => response.writeHead(413).end());
  scenes = makeScenes(rest, await rest.makeKey('webhooks:write'));
  cookie = await cookieOf();
  await rest.h.posthorn.startDispatcher();
});
afterAll(() => rest.close());

/** What a form is sent to and with which fields, and the rows that it leaves. */
interface Sent {
  target?: () => Promise<string>;
  fields?: (id: string) => Promise<Record<string, string>>;
  rows: string[];
}

const of = async (name: Changing) => (await scenes[name].target?.()) ?? '';
const since = '2026-01-01T00:00:00Z';
const url = 'http://127.0.0.1:1999/';
const api = '/settings/api';

async function attemptOf(): Promise<string> {
  const { body } = await rest.ask('GET', `/v1/deliveries/${await of('retryDelivery')}/attempts`);
  return body.data[0].id;
}
const automation = async () => ({ name: 'Mine', trigger_event: 'call.missed', config_id: await of('updateConfig') });

const forms: Record<string, Sent> = {
  '/data/webhooks/:id/retry': { target: attemptOf, rows: ['delivery.retry'] },
  '/data/events/:id/erase': { target: () => of('eraseEventData'), rows: ['event.erase_data'] },
  '/data/event-types/:name/publish': {
    target: async () => 'call.missed',
    fields: async () => ({ data: '{}' }),
    rows: [],
  },
  '/auto/automations': { fields: automation, rows: ['automation.create'] },
  '/auto/automations/dry-run': { fields: automation, rows: [] },
  '/auto/automations/:id': {
    target: () => of('updateAutomation'),
    fields: automation,
    rows: ['automation.update'],
  },
  '/auto/automations/:id/switch': {
    target: () => of('updateAutomation'),
    fields: async () => ({ enabled: 'false' }),
    rows: ['automation.update'],
  },
  '/auto/automations/:id/delete': { target: () => of('deleteAutomation'), rows: ['automation.delete'] },
  [`${api}/keys`]: { fields: async () => ({ name: 'Mine', scopes: 'events:read' }), rows: ['key.create'] },
  [`${api}/keys/:id/revoke`]: { target: () => of('revokeKey'), rows: ['key.revoke'] },
  ...formsOf('subscription', subscriptions, { events: 'call.missed' }),
  ...formsOf('config', configs, { name: 'Mine' }),
};

function formsOf(kind: 'subscription' | 'config', route: string, own: Record<string, string>): Record<string, Sent> {
  const base = `${api}/${kind}s`;
  const name = kind === 'config' ? 'Config' : 'Subscription';
  const any = () => of(`update${name}`);
  const paused = async () => {
    const id = await of(`replay${name}`);
    await rest.ask('PATCH', `${route}/${id}`, { status: 'paused' });
    return id;
  };
  const settings = async () => ({ url, ...own });
  const looked = async (id: string) => ({ url: (await rest.ask('GET', `${route}/${id}`)).body.url });
  return {
    [base]: { fields: settings, rows: [`${kind}.create`] },
    [`${base}/:id`]: { target: any, fields: settings, rows: [`${kind}.update`] },
    [`${base}/:id/status`]: { target: any, fields: async () => ({ status: 'paused' }), rows: [`${kind}.update`] },
    [`${base}/:id/test`]: { target: any, rows: [] },
    [`${base}/:id/rotate`]: { target: any, rows: [`${kind}.rotate_secret`] },
    [`${base}/:id/recover`]: {
      target: paused,
      fields: async () => ({ since }),
      rows: [`${kind}.update`, `${kind}.replay`],
    },
    [`${base}/:id/approve`]: { target: () => of(`approve${name}`), fields: looked, rows: [`${kind}.approve`] },
    [`${base}/:id/delete`]: { target: any, rows: [`${kind}.delete`] },
  };
}

it('every form of the page stands here', () => {
  expect(Object.keys(forms).toSorted()).toEqual(actions.map(({ path }) => path).toSorted());
});

it.each(Object.entries(forms))('%s leaves the rows of what it changes, as changes of the page', async (path, sent) => {
  const id = (await sent.target?.()) ?? '';
  const fields = await sent.fields?.(id);
  const { body: before } = await rest.ask('GET', '/v1/audit?limit=1');
  const { status } = await post(cookie, path.replace(/:\w+/, id), fields);
  expect(status).toBeLessThan(400);
  const { body: after } = await rest.ask('GET', '/v1/audit');
  const rows = (after.data as { seq: number; action: string; face: string; principal: { kind: string } }[])
    .filter(({ seq }) => seq > before.data[0].seq)
    .toReversed();
  expect(rows.map(({ action, face, principal }) => [action, face, principal.kind])).toEqual(
    sent.rows.map((action) => [action, 'page', 'admin']),
  );
});
