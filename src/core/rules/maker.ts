import type { Principal } from '../types.ts';

/** Rows of keys begin at 1: this stands for the admin key, which has none. */
const adminKeyId = 0;

/** Whose deed something is, as endpoints and keys record it. Null: of whoever sits at the machine. */
export function makerOf({ kind, keyId }: Pick<Principal, 'kind' | 'keyId'>): number | null {
  return kind === 'admin' ? adminKeyId : keyId;
}
