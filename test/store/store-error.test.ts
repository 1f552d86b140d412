import { describe, expect, it } from 'vitest';
import { PosthornError } from '../../src/core/errors.ts';
import { storeError } from '../../src/store/store-error.ts';

const withCode = (code: string, message = 'said the database') => Object.assign(new Error(message), { code });

describe('storeError', () => {
  it.each([
    'SQLITE_BUSY',
    'SQLITE_BUSY_SNAPSHOT',
    'SQLITE_LOCKED',
    'SQLITE_FULL',
    'SQLITE_IOERR_WRITE',
    'SQLITE_CANTOPEN',
    'SQLITE_READONLY',
    '08006',
    '40001',
    '40P01',
    '53100',
    '53300',
    '55P03',
    '57014',
    '57P01',
    '57P03',
    '58030',
    '25P03',
    '25006',
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
  ])('takes %s for a database that is not there now', (code) => {
    expect(storeError(withCode(code))).toMatchObject({
      code: 'store_unavailable',
      message: 'The database did not take the request; nothing was stored.',
      retryAfterSeconds: 1,
      cause: { message: `${code}: said the database` },
    });
  });

  it.each([
    'Connection terminated unexpectedly',
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'Cannot use a pool after calling end on the pool',
  ])('knows what pg says without a code: %s', (message) => {
    expect(storeError(new Error(message))).toMatchObject({ code: 'store_unavailable', cause: { message } });
  });

  it.each(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_ERROR', '23505', '42P01', '22P02', '0A000'])(
    'leaves %s as the bug it is',
    (code) => {
      const bug = withCode(code);
      expect(storeError(bug)).toBe(bug);
    },
  );

  it('makes an error of what came from another thread', () => {
    const fault = { code: 'SQLITE_ERROR', message: 'no such table: x' };
    expect(storeError(fault)).toEqual(new Error('SQLITE_ERROR: no such table: x'));
    expect(storeError({ code: 'SQLITE_FULL', message: 'disk' })).toMatchObject({ code: 'store_unavailable' });
  });

  it('leaves what faces may see already', () => {
    const shown = new PosthornError('not_found', 'There is no such thing.');
    expect(storeError(shown)).toBe(shown);
  });

  it('refuses the one character that PostgreSQL cannot hold', () => {
    expect(storeError(withCode('22021'))).toMatchObject({ code: 'validation_failed', status: 422 });
  });
});
