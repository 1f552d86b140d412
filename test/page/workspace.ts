import type { BrowserContext } from 'playwright-core';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

export const adminKey = 'an-admin-key-of-more-than-32-characters';
const halfHourMs = 30 * 60_000;
const types = [
  'contact.created',
  'contact.updated',
  'opportunity.won',
  'form.submitted',
  'call.completed',
  'task.completed',
];

export interface LiveWorkspace {
  h: Harness;
  url: string;
  /** A path for each kind of page. */
  pages: Record<string, string>;
  close(): Promise<void>;
}

export async function signIn(profile: BrowserContext, url: string, key = adminKey): Promise<void> {
  const page = await profile.newPage();
  await page.goto(`${url}/sign-in`);
  await page.fill('#key', key);
  await page.click('button[type=submit]');
  await page.waitForSelector('.whoami');
  await page.close();
}

/** A workspace with a day behind it: endpoints that work, one that fails, one that is disabled, configs and automations. */
export async function liveWorkspace(steps = 48): Promise<LiveWorkspace> {
  const h = await startHarness({
    environment: {
      PORT: '0',
      POSTHORN_ADMIN_KEY: adminKey,
      POSTHORN_DISABLE_AFTER_FAILURES: '12',
      POSTHORN_DISABLE_AFTER: '1h',
    },
  });
  const { core, owner, clock, receiver, posthorn } = h;
  const { url } = await posthorn.listen();
  receiver.respond((request, response) => {
    const status = request.path.startsWith('/broken')
      ? 500
      : request.path.startsWith('/flaky') && request.body.length % 3 === 0
        ? 503
        : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"ok":true}');
  });
  await posthorn.startDispatcher();
  const subscribe = (path: string, events: string[], description: string) =>
    core.createSubscription(owner, { url: `${receiver.url}${path}`, events, description });
  await subscribe('/warehouse/events?source=posthorn&tenant=analytical-engines&format=v2', ['*'], 'Data warehouse');
  await subscribe('/crm/hooks', ['contact.*', 'opportunity.*'], 'CRM mirror');
  const flaky = await subscribe('/flaky/billing', ['opportunity.won', 'call.completed'], 'Billing');
  const broken = await subscribe('/broken/legacy-erp/incoming', ['task.*', 'contact.created'], 'Legacy ERP');
  const config = await core.createConfig(owner, {
    name: 'Notify Slack',
    url: `${receiver.url}/slack`,
    headers: { Authorization: 'Bearer xoxb' },
    trigger_events: ['form.submitted'],
  });
  await core.createConfig(owner, { name: 'Push to the custom CRM', url: `${receiver.url}/push`, trigger_events: [] });
  const automation = await core.createAutomation(owner, {
    name: 'Big deals to Slack',
    trigger_event: 'opportunity.won',
    conditions: 'data.value > 10000',
    actions: [{ type: 'webhook', config_id: config.id }],
  });
  await core.createKey(owner, { name: 'Platform', scopes: ['events:write'] });
  await core.createKey(owner, { name: 'Support agent', scopes: ['webhooks:read', 'events:read'], expires_in: '90d' });
  let event = { id: '' };
  for (let step = 0; step < steps; step++) {
    const busy = Math.round(3 + 5 * Math.sin(((step - 8) / 48) * 2 * Math.PI) ** 2);
    const events = Array.from({ length: busy }, (_, n) => ({
      type: types[(step + n) % types.length],
      data: { id: `rec_${step}_${n}`, value: 4_000 + ((step * 997 + n * 4_001) % 16_000), owner: 'Ada Lovelace' },
    }));
    event = (await core.publishMany(owner, events))[0]?.published ?? event;
    await idle(h);
    clock.advance(halfHourMs);
    await idle(h);
  }
  await core.testSubscription(owner, { subscription_id: flaky.id });
  await core.publish(owner, { type: 'opportunity.won', data: { id: 'opp_1', value: 18_000 } });
  await idle(h);
  const failed = await core.listLogs(owner, { status: 'failed', limit: 1 });
  return {
    h,
    url,
    pages: {
      overview: '/',
      logs: '/data/webhooks',
      attempt: `/data/webhooks/${failed.data[0]?.id}`,
      webhooks: '/settings/api',
      subscription: `/settings/api/subscriptions/${broken.id}`,
      recover: `/settings/api/subscriptions/${broken.id}/recover`,
      config: `/settings/api/configs/${config.id}`,
      'new-subscription': '/settings/api/subscriptions/new',
      'new-key': '/settings/api/keys/new',
      automations: '/auto/automations',
      automation: `/auto/automations/${automation.id}`,
      events: '/data/events',
      event: `/data/events/${event.id}`,
      'event-types': '/data/event-types',
      'event-type': '/data/event-types/opportunity.won',
    },
    close: () => h.close(),
  };
}

/** Until nothing is in flight, and nothing is due but what its endpoint's pace holds back. */
async function idle({ core, owner, clock }: Harness): Promise<void> {
  let tries = 0;
  await until(async () => {
    clock.advance(1_000);
    core.worker.wake();
    const { due_count: due } = await core.readStatus(owner, {});
    return (due === 0 || ++tries > 30) && core.worker.pulse().inFlight + core.worker.pulse().ready === 0;
  });
}
