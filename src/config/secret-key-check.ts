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
  const stored = await keys.secretKeyCheck(makeVault(secretKey.key, random).seal(words, owner));
  if (fits(secretKey.key, stored, random)) return;
  await secretKey.discard();
  throw secretKey.isNew ? missing(secretKey.from) : unfit(secretKey.from);
}

/** Whether the key sealed what the database keeps for this check. */
export function fits(key: Buffer, stored: Buffer, random: Random): boolean {
  try {
    return makeVault(key, random).open(stored, owner) === words;
  } catch {
    // Whatever it is that does not open, this is not the key.
    return false;
  }
}

/** A key other than the first. `from`: the variable, or the file's path. */
export function unfit(from: string): ConfigError {
  return new ConfigError(
    `${from} does not fit the database: its secrets were sealed with another key. Give the first one again, for example POSTHORN_SECRET_KEY="$(cat secret.key)"`,
  );
}

/** The file at `path` is gone, and the database is not. */
export function missing(path: string): ConfigError {
  return new ConfigError(
    `${path} is missing, and no other key opens the secrets in the database: restore the file from a backup, or give the key again that they were sealed with, for example POSTHORN_SECRET_KEY="$(cat backup/secret.key)"`,
  );
}
