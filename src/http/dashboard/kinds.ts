import { PosthornError } from '../../core/errors.ts';
import type { Attempt, Replayed, Subscription, WebhookConfig } from '../../core/types.ts';
import type { Visit } from './visit.ts';

/** What both kinds of endpoints show alike. */
export type Endpoint = Omit<Subscription, 'events' | 'description' | 'filter'> & {
  title: string;
  events: string[];
  own: { subscription: Subscription } | { config: WebhookConfig };
};

export interface Told {
  id: string;
  secret?: string | undefined;
  warning?: string | undefined;
}

/** One kind of endpoint as the pages reach it: the same acts under other names. */
export interface Kind {
  word: 'subscription' | 'webhook config';
  base: string;
  get(visit: Visit): Promise<Endpoint>;
  list(visit: Visit, cursor?: string): Promise<{ data: Endpoint[]; next_cursor: string | null }>;
  create(visit: Visit, input: object): Promise<Told>;
  update(visit: Visit, input: object): Promise<Told>;
  remove(visit: Visit): Promise<unknown>;
  test(visit: Visit, input: object): Promise<Attempt>;
  rotate(visit: Visit, input: object): Promise<Told>;
  replay(visit: Visit, input: object): Promise<Replayed>;
  approve(visit: Visit, input: object): Promise<unknown>;
}

const listMax = 100;
/** Each costs a look at the queue. */
const lookedUpMax = 20;
const ofSubscription = (one: Subscription): Endpoint => ({
  ...one,
  title: one.description ?? one.url,
  own: { subscription: one },
});
const ofConfig = (one: WebhookConfig): Endpoint => ({
  ...one,
  title: one.name,
  events: one.trigger_events,
  own: { config: one },
});

const subscription = ({ params }: Visit, input: object = {}) => ({ ...input, subscription_id: params['id'] });
const config = ({ params }: Visit, input: object = {}) => ({ ...input, config_id: params['id'] });
const paged = (cursor: string | undefined) => ({ limit: listMax, ...(cursor === undefined ? {} : { cursor }) });

export const subscriptions: Kind = {
  word: 'subscription',
  base: '/settings/api/subscriptions',
  get: async (v) => ofSubscription(await v.core.getSubscription(v.principal, subscription(v))),
  list: async (v, cursor) => {
    const { data, next_cursor } = await v.core.listSubscriptions(v.principal, paged(cursor));
    return { data: data.map(ofSubscription), next_cursor };
  },
  create: (v, input) => v.core.createSubscription(v.principal, input),
  update: (v, input) => v.core.updateSubscription(v.principal, subscription(v, input)),
  remove: (v) => v.core.deleteSubscription(v.principal, subscription(v)),
  test: (v, input) => v.core.testSubscription(v.principal, subscription(v, input)),
  rotate: (v, input) => v.core.rotateSecret(v.principal, subscription(v, input)),
  replay: (v, input) => v.core.replaySubscription(v.principal, subscription(v, input)),
  approve: (v, input) => v.core.approveSubscription(v.principal, subscription(v, input)),
};

export const configs: Kind = {
  word: 'webhook config',
  base: '/settings/api/configs',
  get: async (v) => ofConfig(await v.core.getConfig(v.principal, config(v))),
  list: async (v, cursor) => {
    const { data, next_cursor } = await v.core.listConfigs(v.principal, paged(cursor));
    return { data: data.map(ofConfig), next_cursor };
  },
  create: (v, input) => v.core.createConfig(v.principal, input),
  update: (v, input) => v.core.updateConfig(v.principal, config(v, input)),
  remove: (v) => v.core.deleteConfig(v.principal, config(v)),
  test: (v, input) => v.core.testConfig(v.principal, config(v, input)),
  rotate: (v, input) => v.core.rotateConfigSecret(v.principal, config(v, input)),
  replay: (v, input) => v.core.replayConfig(v.principal, config(v, input)),
  approve: (v, input) => v.core.approveConfig(v.principal, config(v, input)),
};

/** The endpoint of an id, of whatever kind; null: there is none any more. */
export async function endpointOf(visit: Visit, id: string): Promise<Endpoint | null> {
  try {
    return await (id.startsWith('cfg_') ? configs : subscriptions).get({ ...visit, params: { id } });
  } catch (error) {
    if (error instanceof PosthornError && error.code === 'not_found') return null;
    throw error;
  }
}

/** Of these endpoints those that there still are, by id: out of the newest of both kinds, and of others so many. */
export async function endpointsOf(visit: Visit, ids: readonly string[]): Promise<Map<string, Endpoint>> {
  const newest = await Promise.all([subscriptions.list(visit), configs.list(visit)]);
  const known = new Map(newest.flatMap(({ data }) => data.map((one) => [one.id, one])));
  const others = ids.filter((id) => !known.has(id)).slice(0, lookedUpMax);
  for (const one of await Promise.all(others.map((id) => endpointOf(visit, id))))
    if (one !== null) known.set(one.id, one);
  return known;
}
