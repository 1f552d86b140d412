import { z } from 'zod';
import { scopes } from '../../src/core/vocabulary.ts';
import { routes } from '../../src/http/api/routes.ts';
import { pieces, views } from '../../src/http/dashboard/pages/index.ts';
import { tools } from '../../tools/index.ts';
import type { AnyClient } from '../mcp/clients.ts';
import { adminKey, type Server } from '../support/server.ts';

/** Everything that a Posthorn says without being asked for more, over each of its faces. */
export interface Said {
  rest: string[];
  mcp: string[];
  page: string[];
}

/** Of one kind, spread over all there are. */
const lookedAtMax = 12;
/** The ids that there are, by the part of a path that names their kind. */
type Ids = Record<string, string[]>;
const listed: Record<string, string> = {
  events: '/v1/events',
  subscriptions: '/v1/webhooks/subscriptions',
  configs: '/v1/webhooks/configs',
  logs: '/v1/webhooks/logs',
  webhooks: '/v1/webhooks/logs',
  automations: '/v1/automations',
  deliveries: '/v1/deliveries',
  keys: '/v1/keys',
};
/** Who may read payloads and opens one attempt is shown what was answered, there and nowhere else; it is all escaped. */
const onRequest = /<section class="card" aria-labelledby="response">.*?<\/section>/s;
/** A tool's name for an id, by its kind. */
const fields: Record<string, string> = {
  subscription_id: 'subscriptions',
  config_id: 'configs',
  automation_id: 'automations',
  delivery_id: 'deliveries',
  event_id: 'events',
};

export async function everything(server: Server, agent: AnyClient): Promise<Said> {
  const ids: Ids = {};
  for (const [kind, path] of Object.entries(listed)) {
    const rows = (await server.request('GET', `${path}?limit=200`)).body['data'] as { id: string }[];
    const step = Math.max(1, Math.floor(rows.length / lookedAtMax));
    ids[kind] = rows.filter((_, index) => index % step === 0).map(({ id }) => id);
  }
  const withoutPayloads = scopes.filter((scope) => scope !== 'payloads:read');
  const { key } = (await server.request('POST', '/v1/keys', { name: 'page', scopes: withoutPayloads })).body;
  const page = [
    ...(await onPage(server, ids, String(key))),
    ...(await onPage(server, ids, adminKey)).map((text) => text.replace(onRequest, '')),
  ];
  return { rest: await overRest(server, ids), mcp: await overMcp(agent, ids), page };
}

async function overRest(server: Server, ids: Ids): Promise<string[]> {
  const said: string[] = [];
  const missed = `?since=2020-01-01T00:00:00Z&endpoint_id=${ids['subscriptions']?.[0]}`;
  for (const { path } of routes.filter(({ method }) => method === 'GET')) {
    const more = path.endsWith('missed') ? missed : /logs$|audit$/.test(path) ? '?limit=200' : '';
    for (const filled of fill(path, ids)) {
      const { status, body } = await server.request('GET', filled + more);
      if (status !== 200) throw new Error(`${filled} answers ${status}: ${JSON.stringify(body)}`);
      said.push(JSON.stringify(body));
    }
  }
  return said;
}

async function overMcp(agent: AnyClient, ids: Ids): Promise<string[]> {
  const said: string[] = [JSON.stringify(await agent.listTools())];
  const call = async (name: string, args: Record<string, string>) => {
    const told = await agent.callTool(name, args);
    if (told.isError === true) throw new Error(`${name} answers ${JSON.stringify(told)}`);
    said.push(JSON.stringify(told));
  };
  for (const { name, input } of tools.filter(({ annotations }) => annotations.readOnlyHint)) {
    const known = Object.keys(z.toJSONSchema(input, { io: 'input' }).properties ?? {});
    const field = known.find((one) => one in fields);
    if (field === undefined) await call(name, {});
    else for (const id of ids[fields[field] ?? ''] ?? []) await call(name, { [field]: id });
  }
  for (const uri of await agent.listResources()) said.push(await agent.readResource(uri));
  for (const id of ids['subscriptions'] ?? []) {
    said.push(await agent.readResource(`posthorn://subscriptions/${id}`));
    said.push(await agent.getPrompt('debug_failing_webhook', { subscription_id: id }));
  }
  return said;
}

async function onPage({ url }: Server, ids: Ids, key: string): Promise<string[]> {
  const signedIn = await fetch(`${url}/sign-in`, {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ key }),
    redirect: 'manual',
  });
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const said: string[] = [];
  for (const path of [...views, ...pieces].flatMap((each) => fill(each.path, ids))) {
    const answer = await fetch(url + path, { headers: { cookie, accept: 'text/html' } });
    if (answer.status !== 200) throw new Error(`${path} answers ${answer.status}`);
    said.push(await answer.text());
  }
  return said;
}

/** The path once for each id that fits it. */
function fill(path: string, ids: Ids): string[] {
  const [, kind = '', place = ''] = /\/([\w-]+)\/(\{\w+\}|:\w+)/.exec(path) ?? [];
  if (place === '') return [path];
  return (kind === 'event-types' ? ['contact.created'] : (ids[kind] ?? [])).map((id) => path.replace(place, id));
}
