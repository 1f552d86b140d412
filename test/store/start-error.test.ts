import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkAccess, startError } from '../../src/store/sqlite/start-error.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-start-'));
  path = join(folder, 'p.db');
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

const other = 'name another file, for example DATABASE_URL=file:~/.posthorn/posthorn.db';

describe('what keeps SQLite from opening the file', () => {
  it.each([
    ['SQLITE_BUSY', 'store_unavailable', 'which another program holds (SQLITE_BUSY: so it says): end that program'],
    ['SQLITE_FULL', 'store_unavailable', 'which cannot be opened (SQLITE_FULL: so it says): correct that'],
    ['SQLITE_CANTOPEN', 'misconfigured', `which cannot be opened (SQLITE_CANTOPEN: so it says): ${other}`],
    ['SQLITE_NOTADB', 'misconfigured', 'which is no SQLite database, or a damaged one: restore it from a backup'],
    [
      'SQLITE_CORRUPT_INDEX',
      'misconfigured',
      'which is damaged (so it says): stop whatever uses it, and restore a backup',
    ],
  ])('%s is told with the variable, the path and what to do', (code, error, text) => {
    const told = startError(path, { code, message: 'so it says' });
    expect(told.code).toBe(error);
    expect(told.message).toContain(`DATABASE_URL names ${path}, ${text}`);
  });

  it('leaves a sentence that is for the operator already', () => {
    expect(startError(path, { code: 'misconfigured', message: 'Do this.' })).toMatchObject({ message: 'Do this.' });
  });

  it.skipIf(process.getuid?.() === 0)('is found where SQLite only says that it cannot', () => {
    writeFileSync(path, '');
    chmodSync(path, 0o400);
    const told = startError(path, { code: 'SQLITE_READONLY', message: 'so it says' });
    expect(told.message).toBe(
      `DATABASE_URL names ${path}, which cannot be read and written (EACCES): let the user who runs Posthorn write there, or ${other}`,
    );
    chmodSync(path, 0o600);
    chmodSync(folder, 0o500);
    expect(() => checkAccess(path)).toThrow(
      'whose folder cannot be written (EACCES), as SQLite needs for its log: let',
    );
    expect(() => checkAccess(join(folder, 'a/b/p.db'))).toThrow('whose folder cannot be written (EACCES)');
  });
});

it('has nothing against a path whose folders would be made', () => {
  expect(() => checkAccess(join(folder, 'a/b/p.db'))).not.toThrow();
  mkdirSync(path);
  expect(() => checkAccess(path)).toThrow(
    `which is a folder: name a file in it, for example DATABASE_URL=file:${path}/`,
  );
});
