import { describe, expect, it } from 'vitest';
import { engines, useDatabase } from '../support/stores.ts';
import { newAutomation, nextNumber, second, seedAutomation, seedEndpoint, seedWorkspace, t0 } from './seed.ts';

const rounds = 10;

describe.each(engines)('automations on $name', (engine) => {
  const on = useDatabase(engine);
  const seedConfig = (workspaceId: number) =>
    seedEndpoint(on.store, workspaceId, { kind: 'config', publicId: `cfg_${nextNumber()}` });

  it('never come to call a config that is deleted at the same time, in whatever process', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const other = await on.database.open();
    const outcomes = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      const config = await seedConfig(workspaceId);
      const inserting = () => other.automations.insert(newAutomation(workspaceId, [config.publicId]), 100);
      const deleting = () => on.store.endpoints.delete(workspaceId, config.id, t0);
      const [stored, usedBy] =
        round % 2 === 0
          ? await Promise.all([inserting(), deleting()])
          : await Promise.all([deleting(), inserting()]).then(([first, last]) => [last, first] as const);
      outcomes.add(`${stored.outcome} ${usedBy.length}`);
    }
    // Either it is called and stays, or it is gone and cannot be called.
    expect([...outcomes].filter((one) => one !== 'stored 1' && one !== 'unknown_config 0')).toEqual([]);
    expect(outcomes.size).toBeGreaterThan(0);
  });

  it('are refused beyond the limit, and read back as they were stored', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const [a, b] = [await seedConfig(workspaceId), await seedConfig(workspaceId)];
    const configIds = [b.publicId, a.publicId];
    const made = await seedAutomation(on.store, workspaceId, configIds, { conditions: 'data.a == 1', enabled: false });
    expect(made).toMatchObject({ name: 'Tell the team', conditions: 'data.a == 1', configIds, enabled: false });
    expect(await on.store.automations.get(workspaceId, made.publicId)).toEqual(made);
    expect(await on.store.automations.list(workspaceId, undefined, 10)).toEqual([made]);
    expect(await on.store.automations.insert(newAutomation(workspaceId, configIds), 1)).toEqual({ outcome: 'limit' });
    const wrong = newAutomation(workspaceId, [a.publicId, 'cfg_unknown']);
    expect(await on.store.automations.insert(wrong, 2)).toEqual({ outcome: 'unknown_config', index: 1 });
  });

  it('count what became of them without making publishers match anew', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const config = await seedConfig(workspaceId);
    const { id, publicId } = await seedAutomation(on.store, workspaceId, [config.publicId]);
    const { version, automations } = await on.store.journey.matchable(workspaceId);
    expect(automations).toEqual([{ id, triggerEvent: 'contact.created', conditions: null, endpointIds: [config.id] }]);
    const note = { workspaceId, automationId: id, fired: 2, errors: 0, sentence: null, at: t0 };
    await on.store.automations.noteRuns([note]);
    await on.store.automations.noteRuns([{ ...note, fired: 1, errors: 3, sentence: 'Why.', at: t0 + second }]);
    expect((await on.store.automations.get(workspaceId, publicId))?.runs).toEqual({
      firedCount: 3,
      lastFiredAt: t0 + second,
      errorCount: 3,
      lastError: 'Why.',
      lastErrorAt: t0 + second,
    });
    expect((await on.store.journey.matchable(workspaceId)).version).toBe(version);
  });
});
