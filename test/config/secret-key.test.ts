import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { checkSecretKey } from '../../src/config/secret-key-check.ts';
import { readSecretKey } from '../../src/config/secret-key.ts';
import type { KeyStore } from '../../src/core/ports/key-store.ts';
import { systemRandom } from '../../src/system.ts';

let folder: string;
let databaseUrl: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-key-'));
  databaseUrl = `file:${join(folder, 'deep', 'p.db')}`;
  path = join(folder, 'deep', 'secret.key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('readSecretKey', () => {
  it('takes the configured key and makes no file', async () => {
    const key = Buffer.alloc(32, 1);
    const found = await readSecretKey({ databaseUrl, secretKey: key });
    expect([found.key, found.from]).toEqual([key, 'POSTHORN_SECRET_KEY']);
    expect(await readdir(folder)).toEqual([]);
  });

  it('makes a file that only its owner can read, and finds it again', async () => {
    const made = await readSecretKey({ databaseUrl, secretKey: null });
    const found = await readSecretKey({ databaseUrl, secretKey: null });
    expect(found).toMatchObject({ key: made.key, from: path });
    expect(made.key).toHaveLength(32);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'deep'))).toEqual(['secret.key']);
    expect((await readFile(path, 'utf8')).trim()).toBe(made.key.toString('base64'));
  });

  it('gives one key to all who start at once', async () => {
    const found = await Promise.all(Array.from({ length: 20 }, () => readSecretKey({ databaseUrl, secretKey: null })));
    expect(new Set(found.map(({ key }) => key.toString('hex'))).size).toBe(1);
    expect(await readdir(join(folder, 'deep'))).toEqual(['secret.key']);
  });

  it('makes another key in another place', async () => {
    const one = await readSecretKey({ databaseUrl, secretKey: null });
    const other = await readSecretKey({ databaseUrl: `file:${join(folder, 'p.db')}`, secretKey: null });
    expect(other.key.equals(one.key)).toBe(false);
  });

  it('refuses a file that holds something else, without repeating it', async () => {
    await readSecretKey({ databaseUrl, secretKey: null });
    await writeFile(path, 'hunter2');
    await expect(readSecretKey({ databaseUrl, secretKey: null })).rejects.toThrow(
      new ConfigError(`${path} is not base64 of exactly 32 bytes: restore it from a backup`),
    );
  });

  it.skipIf(process.getuid?.() === 0)('refuses a file that it may not read', async () => {
    await readSecretKey({ databaseUrl, secretKey: null });
    await chmod(path, 0);
    await expect(readSecretKey({ databaseUrl, secretKey: null })).rejects.toThrow(`${path} cannot be read (EACCES)`);
  });
});

describe('checkSecretKey', () => {
  it('lets the key pass that the database began with, and no other', async () => {
    const keys = keyStore();
    const first = await readSecretKey({ databaseUrl, secretKey: null });
    await checkSecretKey(first, keys, systemRandom);
    await checkSecretKey(await readSecretKey({ databaseUrl, secretKey: null }), keys, systemRandom);
    const other = await readSecretKey({ databaseUrl, secretKey: Buffer.alloc(32, 2) });
    await expect(checkSecretKey(other, keys, systemRandom)).rejects.toThrow(
      /^POSTHORN_SECRET_KEY does not fit the database/,
    );
    await expect(checkSecretKey(other, keys, systemRandom)).rejects.toBeInstanceOf(ConfigError);
  });

  it('takes back the file that it made for a database whose own was lost', async () => {
    const keys = keyStore();
    await checkSecretKey(await readSecretKey({ databaseUrl, secretKey: null }), keys, systemRandom);
    await rm(path);
    const remade = await readSecretKey({ databaseUrl, secretKey: null });
    await expect(checkSecretKey(remade, keys, systemRandom)).rejects.toThrow(
      `${path} is missing, and no other key opens the secrets in the database: restore the file from a backup, or`,
    );
    expect(await readdir(join(folder, 'deep'))).toEqual([]);
  });

  it('leaves a file alone that was there before', async () => {
    const keys = keyStore();
    await checkSecretKey(await readSecretKey({ databaseUrl, secretKey: Buffer.alloc(32, 2) }), keys, systemRandom);
    await readSecretKey({ databaseUrl, secretKey: null });
    const found = await readSecretKey({ databaseUrl, secretKey: null });
    await expect(checkSecretKey(found, keys, systemRandom)).rejects.toThrow(`${path} does not fit the database`);
    expect(await readdir(join(folder, 'deep'))).toEqual(['secret.key']);
  });
});

/** Keeps the first check, as both stores do. */
function keyStore(): KeyStore {
  let first: Buffer | null = null;
  return { secretKeyCheck: async (check: Buffer) => (first ??= check) } as unknown as KeyStore;
}
