import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PosthornError } from '../../src/core/errors.ts';
import { cursorAfter, rowBefore, rowId, rowOf } from '../../src/core/rules/ids.ts';

const row = fc.maxSafeNat();

describe('ids of deliveries and attempts', () => {
  it('are pinned', () => {
    expect(rowId('dlv', 1)).toBe('dlv_00000000001');
    expect(rowId('att', 1_000_000)).toBe('att_0000000ugi0');
    expect(rowId('att', Number.MAX_SAFE_INTEGER)).toBe('att_7vvvvvvvvvv');
  });

  it('lead back to their row', () => {
    fc.assert(
      fc.property(fc.constantFrom('dlv' as const, 'att' as const), row, (prefix, one) => {
        expect(rowOf(prefix, rowId(prefix, one))).toBe(one);
        expect(rowId(prefix, one)).toMatch(/^(dlv|att)_[0-9a-v]{11}$/);
      }),
    );
  });

  it('sort as their rows do', () => {
    fc.assert(
      fc.property(row, row, (a, b) => {
        expect(rowId('dlv', a) < rowId('dlv', b)).toBe(a < b);
      }),
    );
  });

  it.each([
    '',
    'dlv',
    'dlv_',
    'dlv_1',
    '00000000001',
    'att_00000000001',
    'evt_00000000001',
    'DLV_00000000001',
    'dlv_0000000000A',
    'dlv_0000000000w',
    'dlv_000000000001',
    'dlv_0000000001',
    'dlv-00000000001',
    ' dlv_00000000001',
    'dlv_00000000001\n',
    'dlv_00000000001 or 1=1',
    'dlv_+0000000001',
    // One more than every integer that a number holds exactly.
    'dlv_80000000000',
    'dlv_vvvvvvvvvvv',
  ])('%j is none', (id) => {
    expect(rowOf('dlv', id)).toBeNull();
  });

  it('are one spelling each: no other text leads to a row', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(dlv|att|evt)_[0-9a-z]{10,12}$/), (id) => {
        const found = rowOf('dlv', id);
        expect(found === null || rowId('dlv', found) === id).toBe(true);
      }),
    );
  });
});

describe('cursors', () => {
  it('lead back to their row', () => {
    fc.assert(
      fc.property(row, (one) => {
        expect(rowBefore(cursorAfter(one))).toBe(one);
        expect(cursorAfter(one)).toMatch(/^[A-Za-z0-9_-]{1,30}$/);
      }),
    );
    expect(rowBefore(undefined)).toBeUndefined();
  });

  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  it.each([
    '',
    ' ',
    '5',
    'r5',
    'next',
    '❄',
    encoded('r'),
    encoded('r-1'),
    encoded('r1.5'),
    encoded('r1e3'),
    encoded('r 1'),
    encoded('R1'),
    encoded('x1'),
    encoded('r1\n'),
    encoded('r1 or 1=1'),
    encoded('r9007199254740992'),
    encoded('r99999999999999999'),
    encoded(`r${'9'.repeat(100)}`),
  ])('%j is refused', (cursor) => {
    let thrown: unknown;
    try {
      rowBefore(cursor);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PosthornError);
    expect(thrown).toMatchObject({
      code: 'validation_failed',
      errors: [{ path: '/cursor', message: 'is not a cursor: pass next_cursor of the page before, unchanged' }],
    });
  });

  it('are refused or lead to a row, whatever they are, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string().map(encoded)), (cursor) => {
        let answer: unknown;
        try {
          answer = rowBefore(cursor);
        } catch (error) {
          answer = error;
        }
        expect(Number.isSafeInteger(answer) || answer instanceof PosthornError).toBe(true);
      }),
    );
  });
});
