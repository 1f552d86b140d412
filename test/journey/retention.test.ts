import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

let h: Harness;
let id: string;
beforeEach(async () => {
  h = await startHarness({ environment: { POSTHORN_RETENTION: '1d', POSTHORN_RETRY_SCHEDULE: '30h' } });
  ({ id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] }));
  await h.posthorn.startDispatcher();
});
afterEach(() => h.close());

const publish = (eventId: string) => h.core.publish(h.owner, { type: 'contact.created', id: eventId, data: {} });
const attempts = async () => (await h.core.listSubscriptionLogs(h.owner, { subscription_id: id })).data.length;
function count(table: string): number {
  const db = new Database(h.databaseUrl.slice('file:'.length), { readonly: true });
  const found = db.prepare(`select count(*) from ${table}`).pluck().get() as number;
  db.close();
  return found;
}

describe('retention', () => {
  it('deletes what is older than it keeps, and nothing that is younger or still owed', async () => {
    await publish('old');
    await until(async () => (await attempts()) === 1);
    h.receiver.answer(500);
    await publish('owed');
    await until(async () => (await attempts()) === 2);
    h.clock.jump(20 * 3_600_000);
    await publish('young');
    await until(async () => (await attempts()) === 3);
    // The old event is 25 hours old now, and the owed one has its retry before it.
    h.clock.jump(5 * 3_600_000);
    await until(() => {
      // The worker may have been in the middle of a look, whose next one is a second away.
      h.clock.advance(1_000);
      return count('events') === 2;
    });
    expect({ attempts: count('attempts'), deliveries: count('deliveries') }).toEqual({ attempts: 1, deliveries: 2 });
    await expect(h.core.getEvent(h.owner, { event_id: 'old' })).rejects.toMatchObject({ code: 'not_found' });
    expect(await h.core.getEvent(h.owner, { event_id: 'owed' })).toMatchObject({ deliveries: [{ status: 'pending' }] });
    h.clock.jump(12 * 3_600_000);
    await until(async () => {
      h.clock.advance(1_000);
      return (await h.core.getEvent(h.owner, { event_id: 'owed' })).deliveries[0]?.status === 'succeeded';
    });
  });

  it('goes on where thousands are too old', async () => {
    await h.core.updateSubscription(h.owner, { subscription_id: id, status: 'paused' });
    const batch = () => Array.from({ length: 700 }, () => ({ type: 'contact.created', data: {} }));
    await h.core.publishMany(h.owner, batch());
    await h.core.publishMany(h.owner, batch());
    expect(count('events')).toBe(1_400);
    h.clock.jump(25 * 3_600_000);
    await until(() => count('events') === 0);
    expect(count('deliveries')).toBe(0);
    // The workspace, the first key, the subscription and its pausing.
    expect(await h.posthorn.operator.verifyAudit()).toMatchObject([{ rows: 4, broken: null }]);
  });
});
