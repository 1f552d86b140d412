import type { Transaction } from '../transaction.ts';

interface Matched {
  workspaceId: number;
  matchableVersion: number;
}

/** Whether the endpoints or event types that something was matched against have changed since. */
export async function staleWorkspaces(trx: Transaction, matched: Matched[]): Promise<(one: Matched) => boolean> {
  const rows = await trx.query<{ id: number; version: number }>(
    'select id, version from workspaces where id = any($1)',
    [[...new Set(matched.map(({ workspaceId }) => workspaceId))]],
  );
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  return ({ workspaceId, matchableVersion }) => versions.get(workspaceId) !== matchableVersion;
}
