import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PosthornError } from '../../src/core/errors.ts';
import type { Store } from '../../src/core/ports/ports.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { engines, useDatabase } from '../support/stores.ts';

/** An approval, and whatever else happens to the endpoint at the same time: on both engines, whose locks differ. */

const environment = { POSTHORN_NEW_HOSTS: 'approve', POSTHORN_ALLOW_TARGETS: '127.0.0.1/32' };
const pending = { code: 'pending_approval' };
const rounds = 5;

describe.each(engines)('$name: two at once', (engine) => {
  const on = useDatabase(engine);
  let h: Harness;
  let elsewhere: Receiver;
  /** Runs once, right after the endpoint was read and before anything is made of it. */
  let meanwhile: (() => Promise<unknown>) | null = null;
  let beforeTarget: (() => Promise<unknown>) | null = null;
  const once = async (which: (() => Promise<unknown>) | null) => {
    meanwhile = null;
    beforeTarget = null;
    await which?.();
  };
  const interrupted = (store: Store): Store => ({
    ...store,
    // The suite closes what it opened.
    close: async () => {},
    for: (author) => interrupted(store.for(author)),
    endpoints: {
      ...store.endpoints,
      async get(...which) {
        const record = await store.endpoints.get(...which);
        await once(meanwhile);
        return record;
      },
    },
    journey: {
      ...store.journey,
      async target(id) {
        await once(beforeTarget);
        return store.journey.target(id);
      },
    },
  });

  beforeEach(async () => {
    elsewhere = await startReceiver();
    const ports = { store: interrupted(await on.database.open()) };
    h = await startHarness({ databaseUrl: on.database.url, environment, ports });
  });
  afterEach(async () => {
    await h.close();
    await elsewhere.close();
  });

  const subscribe = async (url = h.receiver.url) =>
    (await h.core.createSubscription(h.owner, { url, events: ['*'] })).id;
  const approve = (id: string, by = h) => by.core.approveSubscription(by.owner, { subscription_id: id });
  const move = (id: string, url: string, by = h) => by.core.updateSubscription(by.owner, { subscription_id: id, url });
  const remove = (id: string, by = h) => by.core.deleteSubscription(by.owner, { subscription_id: id });
  const statusOf = async (id: string) => (await h.core.getSubscription(h.owner, { subscription_id: id })).status;
  const statusOn = async (url: string) => statusOf(await subscribe(url));
  const approvalsOf = async (id: string) =>
    (await h.core.listAudit(h.owner, { target_id: id, action: 'subscription.approve' })).data.length;
  async function active(): Promise<string> {
    const id = await subscribe();
    await approve(id);
    return id;
  }

  it('a move to a new host and an activation do not add up to an active endpoint there', async () => {
    const id = await active();
    meanwhile = () => move(id, elsewhere.url);
    const activation = h.core.updateSubscription(h.owner, { subscription_id: id, status: 'active' });
    await expect(activation).rejects.toMatchObject(pending);
    expect(await statusOf(id)).toBe('pending_approval');
  });

  it('a move within the host that is approved meanwhile, and one away from it: the last decides anew', async () => {
    const id = await subscribe();
    meanwhile = () => approve(id);
    expect(await move(id, elsewhere.url)).toMatchObject({ status: 'pending_approval' });
  });

  it('an approval does not let in the host that the endpoint moved to meanwhile', async () => {
    const id = await subscribe();
    meanwhile = () => move(id, elsewhere.url);
    await expect(approve(id)).rejects.toMatchObject(pending);
    expect(await statusOf(id)).toBe('pending_approval');
  });

  it('a test is not sent to the host that the endpoint moved to meanwhile', async () => {
    const id = await active();
    meanwhile = () => move(id, elsewhere.url);
    await expect(h.core.testSubscription(h.owner, { subscription_id: id })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(elsewhere.requests).toEqual([]);
  });

  it('a delivery that is leased already does not follow its endpoint to a new host', async () => {
    const id = await active();
    await h.core.publish(h.owner, { type: 'contact.created', data: { name: 'Ada' } });
    const moved = Promise.withResolvers<void>();
    beforeTarget = async () => {
      await move(id, elsewhere.url);
      moved.resolve();
    };
    await h.posthorn.startDispatcher();
    await moved.promise;
    await expect.poll(() => h.core.worker.pulse()).toMatchObject({ inFlight: 0, ready: 0 });
    expect(elsewhere.requests).toEqual([]);
    const [owed] = (await h.core.listDeliveries(h.owner, { endpoint_id: id })).data;
    expect(owed).toMatchObject({ status: 'pending', attempts: 0 });
  });

  it('an approval and another one: the endpoint is approved once', async () => {
    const id = await subscribe();
    meanwhile = () => approve(id);
    expect(await approve(id)).toMatchObject({ status: 'active' });
    expect(await approvalsOf(id)).toBe(1);
  });

  it('an approval does not bring back what was deleted meanwhile, nor make its host known', async () => {
    const id = await subscribe();
    meanwhile = () => remove(id);
    await expect(approve(id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(statusOf(id)).rejects.toMatchObject({ code: 'not_found' });
    expect([await approvalsOf(id), await statusOn(h.receiver.url)]).toEqual([0, 'pending_approval']);
  });

  describe('in two processes, whichever comes first', () => {
    let beside: Harness;
    let port = 2_000;
    const newUrl = () => `http://127.0.0.1:${++port}/`;
    beforeEach(async () => {
      beside = await startHarness({ databaseUrl: on.database.url, environment });
    });
    afterEach(() => beside.close());

    /** An approval here and `other` beside it, begun in turns; `approved`, or what the approval was refused with. */
    async function race(round: number, id: string, other: () => Promise<unknown>): Promise<string> {
      const works = [() => approve(id), other];
      const begun = (round % 2 === 0 ? works : works.toReversed()).map((work) => work());
      const [approval, done] = await Promise.allSettled(round % 2 === 0 ? begun : begun.toReversed());
      expect(done?.status).toBe('fulfilled');
      return approval?.status === 'rejected' ? codeOf(approval.reason) : 'approved';
    }
    const codeOf = (reason: unknown) => (reason instanceof PosthornError ? reason.code : String(reason));

    it('two approvals are one', async () => {
      for (let round = 0; round < rounds; round++) {
        const id = await subscribe(newUrl());
        expect(await race(round, id, () => approve(id, beside))).toBe('approved');
        expect([await statusOf(id), await approvalsOf(id)]).toEqual(['active', 1]);
      }
    });

    it('an approval and a move: what was approved is known, and the new host waits', async () => {
      for (let round = 0; round < rounds; round++) {
        const [old, next] = [newUrl(), newUrl()];
        const id = await subscribe(old);
        const outcome = await race(round, id, () => move(id, next, beside));
        expect(['approved', 'pending_approval']).toContain(outcome);
        const approved = outcome === 'approved';
        const found = [await statusOf(id), await approvalsOf(id), await statusOn(old), await statusOn(next)];
        const known = approved ? 'active' : 'pending_approval';
        expect(found).toEqual(['pending_approval', approved ? 1 : 0, known, 'pending_approval']);
      }
    });

    it('an approval and a deletion: it stays deleted, and is known if it was approved before', async () => {
      for (let round = 0; round < rounds; round++) {
        const url = newUrl();
        const id = await subscribe(url);
        const outcome = await race(round, id, () => remove(id, beside));
        expect(['approved', 'not_found']).toContain(outcome);
        const approved = outcome === 'approved';
        await expect(statusOf(id)).rejects.toMatchObject({ code: 'not_found' });
        const known = approved ? 'active' : 'pending_approval';
        expect([await approvalsOf(id), await statusOn(url)]).toEqual([approved ? 1 : 0, known]);
      }
    });
  });
});
