import type { Database } from 'better-sqlite3';
import type { KeyStore } from '../../core/ports/key-store.ts';
import { keyRecord, type KeyRow } from '../manage/keys.ts';

/**
 * What every request asks, prepared once: building and compiling it each time cost more than all else of a publish before
 * its transaction. It is asked anew each time, as a key that another process revoked opens nothing from then on.
 */
export function keyReads(reader: Database): Pick<KeyStore, 'find'> {
  const byHash = reader.prepare<[Buffer], KeyRow>('select * from keys where hash = ?');
  return {
    async find(hash) {
      const row = byHash.get(hash);
      return row === undefined ? null : keyRecord(row);
    },
  };
}
