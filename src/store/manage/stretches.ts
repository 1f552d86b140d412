import type { RowsPage } from '../../core/ports/record-store.ts';

/** Rows that are looked at in one go: SQLite reads on the main thread, which has to get on with its other work. */
const stretchRows = 10_000;
/** One page looks at so many of these; its cursor goes on from there. */
const stretchesMax = 40;

/** Ids of rows; what is undefined bounds nothing. */
export interface Between {
  before: number | undefined;
  after: number | undefined;
}

export interface Walk<Row> extends Between {
  /** The id of the row that lies `count` rows further down; null where there are not so many. */
  further(before: number | undefined, count: number): Promise<number | null>;
  /** Those of the rows between that fit, newest first. */
  fitting(between: Between & { limit: number }): Promise<Row[]>;
  limit: number;
}

/** One page, newest first, in bounded time, of rows to which no index leads: of a long walk with hardly one that fits. */
export async function inStretches<Row>(walk: Walk<Row>, count = stretchRows): Promise<RowsPage<Row>> {
  const rows: Row[] = [];
  let { before } = walk;
  for (let stretch = 0; stretch < stretchesMax; stretch++) {
    if (stretch > 0) await new Promise(setImmediate);
    const next = await walk.further(before, count - 1);
    const isLast = next === null || next <= (walk.after ?? -1);
    const after = isLast ? walk.after : next - 1;
    rows.push(...(await walk.fitting({ before, after, limit: walk.limit - rows.length })));
    if (isLast || rows.length === walk.limit) return { rows, goOnBefore: null };
    before = next;
  }
  return { rows, goOnBefore: before ?? null };
}
