import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../support/harness.ts';

/** Inputs that pass every single check and could still not be shown again: they must be refused, and nothing stored. */

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

const invalid = { code: 'validation_failed', status: 422 };

describe('a key that would expire after the end of time', () => {
  it.each(['99999999d', '2400000000h', '3000000d'])(
    '%s is refused, and the list of keys still opens',
    async (expiresIn) => {
      const { core, owner } = harness;
      const input = { name: 'ci', scopes: ['events:read'], expires_in: expiresIn };
      await expect(core.createKey(owner, input)).rejects.toMatchObject(invalid);
      const { data } = await core.listKeys(owner, {});
      expect(data.map(({ name }) => name)).not.toContain('ci');
    },
  );

  it('is one thing, one that lives for ten years another', async () => {
    const { core, owner, clock } = harness;
    const key = await core.createKey(owner, { name: 'ci', scopes: ['events:read'], expires_in: '3650d' });
    expect(Date.parse(key.expires_at ?? '') - clock.now()).toBe(3_650 * 86_400_000);
  });
});

describe('an event of a year that has five digits, or none', () => {
  it.each(['9999-12-31T23:59:59-00:01', '0000-01-01T00:00:00+00:01'])(
    '%s is refused, and nothing is stored',
    async (occurredAt) => {
      const { core, owner } = harness;
      const event = { type: 'contact.created', data: {}, occurred_at: occurredAt };
      await expect(core.publish(owner, event)).rejects.toMatchObject(invalid);
      expect((await core.listEvents(owner, {})).data).toEqual([]);
    },
  );
});

describe('data that is nested deeper than anybody reads', () => {
  const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);

  it('is refused in words, not by a stack that overflows', async () => {
    const { core, owner } = harness;
    const event = { type: 'contact.created', data: nested(50_000) };
    await expect(core.publish(owner, event)).rejects.toMatchObject(invalid);
    expect((await core.listEvents(owner, {})).data).toEqual([]);
  });

  it('is one thing, what people nest another', async () => {
    const answer = await harness.core.publish(harness.owner, { type: 'contact.created', data: nested(30) });
    expect(answer.repeated).toBe(false);
  });
});
