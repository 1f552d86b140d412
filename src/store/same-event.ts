import { isDeepStrictEqual } from 'node:util';

/**
 * Whether an event published again under the same id is the same event: its type, and its data as a JSON value, whatever
 * the order of the keys. An erased payload can no longer be compared and counts as the same.
 */
export function sameEvent(
  stored: { type: string; data: string | null },
  again: { type: string; data: string },
): boolean {
  if (stored.type !== again.type) return false;
  if (stored.data === null || stored.data === again.data) return true;
  return isDeepStrictEqual(JSON.parse(stored.data), JSON.parse(again.data));
}
