import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scope, scopes, toolGroups } from '../../src/core/vocabulary.ts';
import { routes } from '../../src/http/api/routes.ts';
import { tools } from '../../tools/index.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { adminKey, type Rest, startRest } from './rest.ts';

let rest: Rest;
/** For each scope a key that holds it and no other. */
const keys = new Map<Scope, string>();
const agents = new Map<Scope, AnyClient>();

beforeAll(async () => {
  rest = await startRest({ environment: { POSTHORN_TOOLS: toolGroups.join() } });
  await Promise.all(
    scopes.map(async (scope) => {
      const key = await rest.makeKey(scope);
      keys.set(scope, key);
      const place = { url: new URL(`${rest.base}/mcp`), headers: { authorization: `Bearer ${key}` } };
      agents.set(scope, await connect('2.x auto', place));
    }),
  );
});
afterAll(async () => {
  await Promise.all([...agents.values()].map((agent) => agent.close()));
  await rest.close();
});

/** Nothing that exists: whoever is let in is told so, and changes nothing. */
const nothingPath = (path: string) => path.replaceAll(/\{\w+\}/g, 'nothing');

/** The scopes whose holder is let in by `enters`. */
async function entering(enters: (scope: Scope) => Promise<boolean>): Promise<Scope[]> {
  const answers = await Promise.all(scopes.map(async (scope) => ({ scope, isIn: await enters(scope) })));
  return answers.filter(({ isIn }) => isIn).map(({ scope }) => scope);
}

/** Whether the call is refused for its scope: over HTTP with 403, which the client throws, or by core with its code. */
async function isRefused(call: () => Promise<{ isError?: boolean | undefined; content: { text?: string }[] }>) {
  try {
    return (await call()).content[0]?.text?.startsWith('insufficient_scope') ?? false;
  } catch (error) {
    if (String(error).startsWith('InsufficientScopeError')) return true;
    throw error;
  }
}

describe('every route', () => {
  it.each(routes.map(({ method, path, scope }) => ({ method, path, scope })))(
    '$method $path opens to $scope and to no other scope',
    async ({ method, path, scope }) => {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      const isIn = async (held: Scope) => {
        const answered = await rest.ask(method, nothingPath(path), body, { key: keys.get(held) ?? '' });
        const isNamed = answered.body?.detail === `This needs the scope ${scope}.`;
        return answered.status !== 401 && !(answered.status === 403 && isNamed);
      };
      expect(await entering(isIn)).toEqual([scope]);
      expect((await rest.ask(method, nothingPath(path), body, { key: null })).status).toBe(401);
    },
  );

  it('of the document is tried here, and asks for a key or is known to need none', () => {
    const open = rest.judged.operations.filter(({ path }) => !path.startsWith('/v1/'));
    expect(open.map(({ path }) => path).toSorted()).toEqual([
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/mcp',
      '/healthz',
      '/metrics',
      '/readyz',
    ]);
    const keyed = rest.judged.operations.filter(({ path }) => path.startsWith('/v1/') && path !== '/v1/openapi.json');
    expect(keyed).toHaveLength(routes.length);
  });
});

describe('every tool', () => {
  it.each(tools.map(({ name, scope }) => ({ name, scope })))(
    '$name is listed and opens to $scope and to no other scope',
    async ({ name, scope }) => {
      const isListed = async (held: Scope) =>
        ((await agents.get(held)?.listTools()) ?? []).some((tool) => tool.name === name);
      expect(await entering(isListed)).toEqual([scope]);
      const isIn = async (held: Scope) => {
        const agent = agents.get(held) as AnyClient;
        return !(await isRefused(() => agent.callTool(name, { nonsense: 1 })));
      };
      expect(await entering(isIn)).toEqual([scope]);
    },
  );

  it('needs one of the scopes that an agent may hold: none approves, makes keys or reveals payloads', () => {
    expect([...new Set(tools.map(({ scope }) => scope))].toSorted()).toEqual([
      'events:read',
      'events:write',
      'webhooks:delete',
      'webhooks:read',
      'webhooks:write',
    ]);
    expect(tools.filter(({ name }) => /approve|key|reveal|audit/.test(name))).toEqual([]);
  });
});

describe('every resource and prompt', () => {
  const read = (uri: string) => async (held: Scope) => {
    const agent = agents.get(held) as AnyClient;
    return !(await isRefused(async () => ({ content: [{ text: await agent.readResource(uri) }] })));
  };

  it.each(['posthorn://event-types', 'posthorn://status'])('%s opens to webhooks:read only', async (uri) => {
    const listed = await agents.get('webhooks:read')?.listResources();
    expect(listed).toEqual(['posthorn://event-types', 'posthorn://status']);
    expect(await entering(read(uri))).toEqual(['webhooks:read']);
  });

  it('of a subscription opens to webhooks:read only, its completion too', async () => {
    const { id } = (await rest.subscribe()).body;
    expect(await entering(read(`posthorn://subscriptions/${id}`))).toEqual(['webhooks:read']);
    const ref = { type: 'ref/resource' as const, uri: 'posthorn://subscriptions/{id}' };
    const completes = async (held: Scope) => ((await agents.get(held)?.complete(ref, 'id', 'sub_')) ?? []).includes(id);
    expect(await entering(completes)).toEqual(['webhooks:read']);
  });

  it('debug_failing_webhook opens to webhooks:read only', async () => {
    const { id } = (await rest.subscribe()).body;
    const prompts = async (held: Scope) => {
      const agent = agents.get(held) as AnyClient;
      const got = () => agent.getPrompt('debug_failing_webhook', { subscription_id: id });
      return !(await isRefused(async () => ({ content: [{ text: await got() }] })));
    };
    expect(await entering(prompts)).toEqual(['webhooks:read']);
  });
});

describe('payloads:read', () => {
  it('alone opens nothing, and without it no payload is shown', async () => {
    await rest.publish({ id: 'shown', data: { name: 'Ada' } });
    const shownTo = async (...held: Scope[]) => {
      const { status, body } = await rest.ask('GET', '/v1/events/shown', undefined, {
        key: await rest.makeKey(...held),
      });
      return [status, body.data];
    };
    expect(await shownTo('events:read')).toEqual([200, undefined]);
    expect(await shownTo('payloads:read')).toEqual([403, undefined]);
    expect(await shownTo('events:read', 'payloads:read')).toEqual([200, { name: 'Ada' }]);
    const logs = async (...held: Scope[]) => {
      const key = await rest.makeKey(...held);
      return (await rest.ask('GET', '/v1/webhooks/logs?include=untrusted_response', undefined, { key })).status;
    };
    expect([await logs('webhooks:read'), await logs('webhooks:read', 'payloads:read')]).toEqual([403, 200]);
    expect((await rest.ask('GET', '/v1/events/shown', undefined, { key: adminKey })).body.data).toEqual({
      name: 'Ada',
    });
  });
});
