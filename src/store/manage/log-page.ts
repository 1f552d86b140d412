import type { Kysely } from 'kysely';
import type { AttemptQuery, LogPage } from '../../core/ports.ts';
import type { Tables } from '../tables.ts';
import { attemptRange } from './attempt-range.ts';
import { attempts } from './attempts.ts';

/** Rows that are looked at in one go: SQLite reads on the main thread, which has to get on with its other work. */
const stretchRows = 50_000;
/** Of a log with hardly a row that fits, one page looks at so many of these; its cursor goes on from there. */
const stretchesMax = 40;

/**
 * One page of the delivery log, newest first, in bounded time: no index leads to an event type, nor to the successes or the
 * whole of a workspace among others.
 */
export async function logPage(read: Kysely<Tables>, workspaceId: number, query: AttemptQuery): Promise<LogPage> {
  if (isIndexed(query)) return { rows: await attempts(read, workspaceId, query), goOnBefore: null };
  const { from, to } = await bounds(read, query);
  const page: LogPage = { rows: [], goOnBefore: null };
  let end = to;
  for (let stretch = 0; end > from && page.rows.length < query.limit; stretch++) {
    if (stretch === stretchesMax) return { ...page, goOnBefore: end };
    if (stretch > 0) await new Promise(setImmediate);
    const start = Math.max(from, end - stretchRows);
    const limit = query.limit - page.rows.length;
    page.rows.push(...(await attempts(read, workspaceId, { ...query, before: end, after: start - 1, limit })));
    end = start;
  }
  return page;
}

function isIndexed({ endpointId, status, eventType, isTest }: AttemptQuery): boolean {
  if (eventType !== undefined) return false;
  return endpointId !== undefined ? status !== 'succeeded' : status === 'failed' || isTest === true;
}

/** From which id on, and below which. */
async function bounds(read: Kysely<Tables>, query: AttemptQuery): Promise<{ from: number; to: number }> {
  const end = (order: 'asc' | 'desc') =>
    read.selectFrom('attempts').select('id').orderBy('id', order).limit(1).executeTakeFirst();
  const [first, last] = [await end('asc'), await end('desc')];
  const range = await attemptRange(read, query);
  return {
    from: Math.max(first?.id ?? 0, range.from ?? 0, (query.after ?? -1) + 1),
    to: Math.min((last?.id ?? -1) + 1, range.to ?? Infinity, query.before ?? Infinity),
  };
}
