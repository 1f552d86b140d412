import { storeError } from './store-error.ts';

type Methods<T> = { [K in keyof T]: T[K] extends (...args: never[]) => Promise<unknown> ? T[K] : never };

/** The same port, whose methods throw `store_unavailable` when the database is locked, full or away. */
export function answering<T extends object>(port: Methods<T>): T {
  const entries = Object.entries(port as Record<string, (...args: unknown[]) => Promise<unknown>>);
  const guarded = entries.map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (error) {
        throw storeError(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as T;
}
