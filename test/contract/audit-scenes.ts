import type { useCases } from '../../src/core/core.ts';
import { configs, type Rest, subscriptions } from './rest.ts';

export const canary = 'canary-7f3a';
export const secret = `whsec_${Buffer.from(`${canary}-of-24-bytes-or-more`).toString('base64')}`;

type UseCases = typeof useCases;
/** The use cases that change something: whoever adds one is stopped by the compiler until it has a scene. */
export type Changing = { [K in keyof UseCases]: UseCases[K]['action'] extends null ? never : K }[keyof UseCases];

/** Of one use case: what it is done to, and with which input. */
export interface Scene {
  target?: () => Promise<string>;
  input?: () => Record<string, unknown>;
}

/** Endpoints are made with the key `maker`, so that others may approve them; all else that is set up the admin key does. */
export function makeScenes(rest: Rest, maker: string): Record<Changing, Scene> {
  let port = 2_000;
  const newHost = () => `http://127.0.0.1:${++port}/`;
  const id = async (method: string, path: string, body: object, asking = {}) =>
    (await rest.ask(method, path, body, asking)).body.id as string;
  const headers = { 'X-Key': canary };

  const active = async () => {
    const made = await rest.subscribe({ secret }, { key: maker });
    if (made.body.status === 'pending_approval') await rest.ask('POST', `${subscriptions}/${made.body.id}/approve`);
    return made.body.id as string;
  };
  /** The receiver refuses everything with 413, which is not retried. */
  const failed = async () => {
    const subscription = await active();
    const { body: published } = await rest.publish({ data: { canary } });
    await rest.logOf(subscription, 1);
    const { deliveries } = (await rest.ask('GET', `/v1/events/${published.id}`)).body as {
      deliveries: { id: string; endpoint_id: string }[];
    };
    const delivery = deliveries.find((one) => one.endpoint_id === subscription)?.id ?? '';
    return { subscription, delivery, event: published.id as string };
  };
  const config = async () => {
    const made = await id('POST', configs, { name: 'Mine', url: rest.h.receiver.url, headers, secret }, { key: maker });
    await rest.ask('POST', `${configs}/${made}/approve`);
    return made;
  };
  const missed = async () => {
    await rest.publish();
    const made = await config();
    await rest.ask('PATCH', `${configs}/${made}`, { trigger_events: ['contact.created'] });
    return made;
  };
  let calls = '';
  const automation = () => ({
    name: 'Mine',
    trigger_event: 'contact.created',
    actions: [{ type: 'webhook', config_id: calls }],
  });
  /** What is made has no id yet. */
  const called = async () => {
    calls = await config();
    return '';
  };
  const automated = async () => {
    await called();
    return id('POST', '/v1/automations', automation());
  };
  const type = (name: string) => async () => {
    await rest.ask('PUT', `/v1/event-types/${name}`, { description: 'Mine.', example: { canary } });
    return name;
  };
  const reading = { name: 'reader', scopes: ['events:read'] };

  return {
    createSubscription: {
      input: () => ({ url: newHost(), events: ['*'], secret, idempotency_key: `${canary}-${port}` }),
    },
    updateSubscription: { target: active, input: () => ({ status: 'paused' }) },
    deleteSubscription: { target: active },
    rotateSecret: { target: active, input: () => ({ secret }) },
    replaySubscription: {
      target: async () => (await failed()).subscription,
      input: () => ({ since: '2026-01-01T00:00:00Z' }),
    },
    approveSubscription: {
      target: async () => (await rest.subscribe({ url: newHost() }, { key: maker })).body.id as string,
    },
    createConfig: {
      input: () => ({ name: 'Mine', url: newHost(), headers, secret, idempotency_key: `${canary}-${port}` }),
    },
    updateConfig: { target: config, input: () => ({ headers, status: 'paused' }) },
    deleteConfig: { target: config },
    rotateConfigSecret: { target: config, input: () => ({ secret }) },
    replayConfig: { target: missed, input: () => ({ since: '2026-01-01T00:00:00Z' }) },
    approveConfig: { target: () => id('POST', configs, { name: 'Mine', url: newHost() }, { key: maker }) },
    createAutomation: { target: called, input: automation },
    updateAutomation: { target: automated, input: () => ({ enabled: false }) },
    deleteAutomation: { target: automated },
    putEventType: {
      target: async () => 'their.own',
      input: () => ({ description: 'Own.', example: { canary }, schema: { title: canary } }),
    },
    deleteEventType: { target: type('their.gone') },
    eraseEventData: { target: async () => (await failed()).event },
    retryDelivery: { target: async () => (await failed()).delivery },
    createKey: { input: () => reading },
    revokeKey: { target: () => id('POST', '/v1/keys', reading) },
  };
}
