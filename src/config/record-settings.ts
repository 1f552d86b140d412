import type { Config } from '../config.ts';
import type { Ports } from '../core/ports/ports.ts';
import { serverDifferences, settingsText } from './database-settings.ts';

/**
 * Writes into the database what this server goes by, for the processes that share the database with it. Says where another
 * server that still runs goes by something else: each keeps to its own. What it answers takes the server's name away again.
 */
export async function recordSettings(
  config: Config,
  { store, random, log }: Pick<Ports, 'store' | 'random' | 'log'>,
): Promise<() => Promise<void>> {
  const server = random.bytes(16).toString('hex');
  const other = await store.settings.record(settingsText(config), server);
  for (const sentence of other === null ? [] : serverDifferences(config, other)) log.warn({}, sentence);
  return () =>
    store.settings.release(server).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'the next server may take this one for running');
    });
}
