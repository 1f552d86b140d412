import type { Database } from 'better-sqlite3';

/**
 * What a transaction makes of its endpoints' schedules, gathered so that each endpoint is written once however many
 * deliveries it gets. `write` must run before anything in the same transaction reads `next_due_at`.
 */
export interface Marks {
  /** `count` more (or, negative, fewer) deliveries are owed. */
  owe(endpointId: number, count: number): void;
  /** One of its deliveries is due at this time. */
  due(endpointId: number, at: number): void;
  write(): void;
  forget(): void;
}

export function makeMarks(db: Database): Marks {
  const owed = new Map<number, number>();
  const dueAt = new Map<number, number>();
  const writeOwed = db.prepare('update endpoints set pending_count = pending_count + ? where id = ?');
  // A held endpoint is not looked at before its hold ends, however early its deliveries are due.
  const writeDue = db.prepare(
    'update endpoints set next_due_at = max(min(coalesce(next_due_at, @at), @at), coalesce(held_until, 0)) where id = @id',
  );
  return {
    owe(endpointId, count) {
      owed.set(endpointId, (owed.get(endpointId) ?? 0) + count);
    },
    due(endpointId, at) {
      const known = dueAt.get(endpointId);
      if (known === undefined || at < known) dueAt.set(endpointId, at);
    },
    write() {
      for (const [id, count] of owed) if (count !== 0) writeOwed.run(count, id);
      for (const [id, at] of dueAt) writeDue.run({ id, at });
      owed.clear();
      dueAt.clear();
    },
    forget() {
      owed.clear();
      dueAt.clear();
    },
  };
}
