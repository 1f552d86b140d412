import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PosthornError } from '../../core/errors.ts';
import type { WriterFault } from './messages.ts';

const elsewhere = 'DATABASE_URL=file:~/.posthorn/posthorn.db';
const restore = `restore it from a backup, or name another file, for example ${elsewhere}`;

/** What keeps a start from opening the file, in one line for whoever runs it: the variable, the path, what to do. */
export function startError(path: string, { code, message }: WriterFault): PosthornError {
  if (code === 'misconfigured') return new PosthornError('misconfigured', message);
  const told = accessFault(path);
  if (told !== null && /^SQLITE_(CANTOPEN|READONLY)/.test(code ?? '')) return misconfigured(path, told);
  if (code === 'SQLITE_NOTADB') return misconfigured(path, `which is no SQLite database, or a damaged one: ${restore}`);
  if (code?.startsWith('SQLITE_CORRUPT')) return damaged(path, message);
  const reason = code === null ? message : `${code}: ${message}`;
  if (/^SQLITE_(CANTOPEN|READONLY)/.test(code ?? ''))
    return misconfigured(path, `which cannot be opened (${reason}): name another file, for example ${elsewhere}`);
  const text = /^SQLITE_(BUSY|LOCKED)/.test(code ?? '')
    ? `which another program holds (${reason}): end that program, or wait for it, and start again`
    : `which cannot be opened (${reason}): correct that and start again, or name another file, for example ${elsewhere}`;
  return new PosthornError('store_unavailable', sentence(path, text), { retryAfterSeconds: 1 });
}

/** A file that SQLite finds broken. `finding`: SQLite's words. */
export function damaged(path: string, finding: string): PosthornError {
  return misconfigured(
    path,
    `which is damaged (${finding}): stop whatever uses it, and restore a backup, or save what can be read: sqlite3 ${resolve(path)} .recover | sqlite3 saved.db`,
  );
}

/** A file that holds something else. */
export function foreign(path: string): PosthornError {
  const example = `DATABASE_URL=file:${join(dirname(resolve(path)), 'posthorn.db')}`;
  return misconfigured(
    path,
    `which holds the tables of another program: give Posthorn a file of its own, for example ${example}`,
  );
}

/** Throws when this user may not use the path: SQLite says no more than that it cannot open it. */
export function checkAccess(path: string): void {
  const told = accessFault(path);
  if (told !== null) throw misconfigured(path, told);
}

/** Null: the file system has nothing against it. Folders that are missing are made at the start. */
function accessFault(path: string): string | null {
  const isThere = existsSync(path);
  if (isThere && statSync(path).isDirectory())
    return `which is a folder: name a file in it, for example DATABASE_URL=file:${join(resolve(path), 'posthorn.db')}`;
  const letWrite = `let the user who runs Posthorn write there, or name another file, for example ${elsewhere}`;
  if (isThere) {
    const refusal = refusalOf(path, constants.R_OK | constants.W_OK);
    if (refusal !== null) return `which cannot be read and written (${refusal}): ${letWrite}`;
  }
  const refusal = refusalOf(nearestFolder(resolve(path)), constants.W_OK | constants.X_OK);
  if (refusal === null) return null;
  return `whose folder cannot be written (${refusal}), as SQLite needs for its log: ${letWrite}`;
}

/** The one that holds it, or that its folders would be made in. */
function nearestFolder(path: string): string {
  const folder = dirname(path);
  return existsSync(folder) || folder === path ? folder : nearestFolder(folder);
}

function refusalOf(path: string, mode: number): string | null {
  try {
    accessSync(path, mode);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function misconfigured(path: string, fault: string): PosthornError {
  return new PosthornError('misconfigured', sentence(path, fault));
}

function sentence(path: string, fault: string): string {
  return `DATABASE_URL names ${resolve(path)}, ${fault}`;
}
