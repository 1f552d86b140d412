import { z } from 'zod';

/** A page of a list, newest first. */
export function page<S extends z.ZodType>(item: S) {
  return z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().describe('Pass it as cursor to get the next page; null on the last one'),
  });
}
