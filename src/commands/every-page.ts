import type { Page } from '../core/types.ts';

/** All of a list, whose pages `read` answers. */
export async function everyPage<T>(
  read: (paging: { limit: number; cursor?: string }) => Promise<Page<T>>,
): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await read({ limit: 200, ...(cursor !== undefined && { cursor }) });
    found.push(...page.data);
    cursor = page.next_cursor;
  }
  return found;
}
