import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endpointStatus } from '../../src/store/tables.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

let h: Harness;
beforeEach(async () => {
  h = await startHarness();
});
afterEach(() => h.close());

it('a deletion that a crash cut short is finished by the worker', async () => {
  await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
  const events = Array.from({ length: 1_000 }, () => ({ type: 'contact.created', data: {} }));
  await h.core.publishMany(h.owner, events);
  await h.core.publish(h.owner, { type: 'contact.created', id: 'last', data: {} });
  // As the process leaves it that dies between marking the endpoint and canceling what it is owed.
  const db = new Database(h.databaseUrl.slice('file:'.length));
  db.prepare('update endpoints set status = ?, next_due_at = null').run(endpointStatus.deleted);
  const owed = () => db.prepare('select pending_count from endpoints').pluck().get();
  expect(owed()).toBe(1_001);
  await h.posthorn.startDispatcher();
  await until(() => {
    h.clock.advance(1_000);
    return owed() === 0;
  });
  const { deliveries } = await h.core.getEvent(h.owner, { event_id: 'last' });
  expect(deliveries).toMatchObject([{ status: 'canceled' }]);
  expect(h.receiver.requests).toHaveLength(0);
  db.close();
});
