import type { Kysely } from 'kysely';
import type { AttemptQuery, AttemptRecord, RowsPage } from '../../core/ports/record-store.ts';
import type { Tables } from '../tables.ts';
import { attemptRange } from './attempt-range.ts';
import { attemptFurther, attempts, isIndexed } from './attempts.ts';
import { inStretches } from './stretches.ts';

/** One page of the delivery log, newest first, in bounded time. */
export async function logPage(
  read: Kysely<Tables>,
  workspaceId: number,
  query: AttemptQuery,
  stretchRows?: number,
): Promise<RowsPage<AttemptRecord>> {
  const { from, to } = await attemptRange(read, query);
  const between = {
    before: to === null ? query.before : Math.min(to, query.before ?? Infinity),
    after: from === null ? query.after : Math.max(from - 1, query.after ?? 0),
  };
  if (isIndexed(query)) {
    return { rows: await attempts(read, workspaceId, { ...query, ...between }), goOnBefore: null };
  }
  const walk = {
    ...between,
    limit: query.limit,
    further: (before: number | undefined, count: number) =>
      attemptFurther(read, workspaceId, { ...query, before }, count),
    fitting: (part: Pick<AttemptQuery, 'before' | 'after' | 'limit'>) =>
      attempts(read, workspaceId, { ...query, ...part }),
  };
  return inStretches(walk, stretchRows);
}
