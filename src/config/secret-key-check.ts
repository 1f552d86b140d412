import { ConfigError } from '../config.ts';
import type { KeyStore } from '../core/ports/key-store.ts';
import type { Random } from '../core/ports/ports.ts';
import { makeVault } from '../core/rules/seal.ts';
import type { SecretKey } from './secret-key.ts';

const owner = 'secret_key_check';
const words = 'posthorn';

/**
 * Throws ConfigError unless the key is the one that the database began with: with another one every endpoint's secret
 * would be lost, and nobody would know before the first delivery.
 */
export async function checkSecretKey(secretKey: SecretKey, keys: KeyStore, random: Random): Promise<void> {
  const vault = makeVault(secretKey.key, random);
  const stored = await keys.secretKeyCheck(vault.seal(words, owner));
  try {
    if (vault.open(stored, owner) === words) return;
  } catch {
    // Falls through: whatever it is that does not open, this is not the key.
  }
  await secretKey.discard();
  throw new ConfigError(
    `POSTHORN_SECRET_KEY does not fit the database: its secrets were sealed with another key than that of ${secretKey.from}. Give the first one again, for example POSTHORN_SECRET_KEY="$(cat secret.key)"`,
  );
}
