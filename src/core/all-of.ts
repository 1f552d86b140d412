import { limits } from './input-fields.ts';
import type { Page } from './types.ts';

/** Lists that are read whole end after this many pages. */
const pagesMax = 10;

/** A list from its beginning, page by page: at most 2,000 rows. */
export async function allOf<T>(page: (of: { limit: number; cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  const of: { limit: number; cursor?: string } = { limit: limits.pageSizeMax };
  for (let count = 0; count < pagesMax; count++) {
    const { data, next_cursor } = await page(of);
    all.push(...data);
    if (next_cursor === null) break;
    of.cursor = next_cursor;
  }
  return all;
}
