import type { HealthColumns } from '../../health-columns.ts';
import { outlastWideEvents } from '../../outlast.ts';
import type { Transaction } from '../transaction.ts';

/** What the attempts of a group make of one endpoint, whose row is locked. */
export interface SettledEndpoint {
  before: HealthColumns & { id: number; workspace_id: number };
  after: HealthColumns;
  /** How many deliveries more it is owed: none or less. */
  owed: number;
  /** When the first of its retries is due. */
  dueAt: number | null;
}

const columns = {
  status: 'smallint',
  failure_count: 'int',
  failing_since: 'bigint',
  last_delivered_at: 'bigint',
  last_attempt_at: 'bigint',
  last_error: 'smallint',
  last_response_code: 'int',
  held_until: 'bigint',
  disabled_reason: 'smallint',
  disabled_at: 'bigint',
} satisfies Record<keyof HealthColumns, string>;
const names = Object.keys(columns) as (keyof HealthColumns)[];

// A hold that was just learned of puts off what was due before it.
const write = `
  update endpoints e set ${names.map((name) => `${name} = s.${name}`).join(', ')},
    pending_count = e.pending_count + s.owed,
    next_due_at = case when coalesce(e.next_due_at, s.due_at) is null then null
      else greatest(least(e.next_due_at, s.due_at), coalesce(s.held_until, 0)) end
  from unnest($1::bigint[], $2::int[], $3::bigint[], ${names.map((name, index) => `$${index + 4}::${columns[name]}[]`).join(', ')})
    as s (id, owed, due_at, ${names.join(', ')})
  where e.id = s.id`;

const bumpVersions = `
  update workspaces set version = version + 1
  where id in (select id from workspaces where id = any($1) order by id for no key update)`;

const outlast = outlastWideEvents('id = any($1)');

/** Writes health and schedule back. Endpoints that are no longer active change what publishing matches. */
export async function writeHealth(trx: Transaction, settled: SettledEndpoint[]): Promise<void> {
  if (settled.length === 0) return;
  await trx.query(write, [
    settled.map(({ before }) => before.id),
    settled.map(({ owed }) => owed),
    settled.map(({ dueAt }) => dueAt),
    ...names.map((name) => settled.map(({ after }) => after[name])),
  ]);
  const changed = settled.filter(({ before, after }) => before.status !== after.status);
  if (changed.length === 0) return;
  await trx.query(bumpVersions, [[...new Set(changed.map(({ before }) => before.workspace_id))]]);
  await trx.query(outlast, [changed.map(({ before }) => before.id)]);
}
