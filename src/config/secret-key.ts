import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, variables } from '../config.ts';
import { sqlitePath } from './addresses.ts';

const fileMode = 0o600;
const keyBytes = 32;

export interface SecretKey {
  key: Buffer;
  /** Where it came from, for messages: the variable, or the file's path. */
  from: string;
  /** The file was not there, and this call made it. */
  isNew: boolean;
  /** Takes back a file that this call made, since its key does not fit the database. */
  discard(): Promise<void>;
}

/**
 * The key that encrypts endpoint secrets: the one configured, else that of the file `secret.key` beside the SQLite file,
 * which is made when it is missing. Throws ConfigError when the file holds no key.
 */
export async function readSecretKey(config: KeyConfig): Promise<SecretKey> {
  const found = await findSecretKey(config);
  if (found !== null) return found;
  const path = secretKeyPath(config.databaseUrl);
  const isNew = await makeKeyFile(path);
  const key = await readKeyFile(path);
  if (key === null) throw new ConfigError(`${path} was removed while it was being read; start again`);
  return { key, from: path, isNew, discard: async () => (isNew ? rm(path, { force: true }) : undefined) };
}

/** The same, which makes nothing: null when there is no key yet. */
export async function findSecretKey({ databaseUrl, secretKey }: KeyConfig): Promise<SecretKey | null> {
  const found = { isNew: false, discard: async () => {} };
  if (secretKey !== null) return { key: secretKey, from: 'POSTHORN_SECRET_KEY', ...found };
  const path = secretKeyPath(databaseUrl);
  const key = await readKeyFile(path);
  return key === null ? null : { key, from: path, ...found };
}

interface KeyConfig {
  databaseUrl: string;
  /** 32 bytes; null: the file has them. */
  secretKey: Buffer | null;
}

export function secretKeyPath(databaseUrl: string): string {
  return join(dirname(sqlitePath(databaseUrl)), 'secret.key');
}

/** Null when there is no file. */
async function readKeyFile(path: string): Promise<Buffer | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new ConfigError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return variables.POSTHORN_SECRET_KEY.parse(text.trim());
  } catch {
    throw new ConfigError(`${path} is not base64 of exactly ${keyBytes} bytes: restore it from a backup`);
  }
}

/**
 * Writes a new key beside the place and links it there: of two processes that start at once one wins, and neither ever
 * reads a file that is half written. Answers whether this one made it.
 */
async function makeKeyFile(path: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}-${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', fileMode);
  try {
    await file.writeFile(`${randomBytes(keyBytes).toString('base64')}\n`);
    // Secrets sealed with a key that the disk never got would be lost with the power.
    await file.sync();
    await file.close();
    return await placeExclusively(draft, path);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

async function placeExclusively(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
  }
  // Some network and container file systems know no hard links.
  try {
    await copyFile(draft, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
