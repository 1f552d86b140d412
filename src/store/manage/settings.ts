import type { Kysely } from 'kysely';
import type { SettingsStore } from '../../core/ports/settings-store.ts';
import type { Access } from '../access.ts';
import type { Tables } from '../tables.ts';

/** In `meta`: what the server that started last goes by, and that server's name while it runs. */
export const settingsName = 'settings';
const serverName = 'settings_server';

export function settingsStore({ read, write }: Access): SettingsStore {
  return {
    recorded: () => recordedIn(read),

    record: (text, server) =>
      write(async (trx) => {
        const before = await recordedIn(trx);
        const by = await valueOf(trx, serverName);
        await put(trx, settingsName, text);
        await put(trx, serverName, server);
        return by === null || by === server ? null : before;
      }),

    release: (server) =>
      write(async (trx) => {
        await trx.deleteFrom('meta').where('name', '=', serverName).where('value', '=', Buffer.from(server)).execute();
      }),
  };
}

/** What is recorded, whoever asks. */
export function recordedIn(db: Kysely<Tables>): Promise<string | null> {
  return valueOf(db, settingsName);
}

async function valueOf(db: Kysely<Tables>, name: string): Promise<string | null> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirst();
  return row === undefined ? null : Buffer.from(row.value).toString();
}

async function put(trx: Kysely<Tables>, name: string, text: string): Promise<void> {
  const value = Buffer.from(text);
  await trx
    .insertInto('meta')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}
