import { expect, it } from 'vitest';
import { makerOf } from '../../src/core/rules/maker.ts';

it('tells a key, the admin key, which has no row, and whoever sits at the machine apart', () => {
  expect(makerOf({ kind: 'key', keyId: 7 })).toBe(7);
  expect(makerOf({ kind: 'admin', keyId: null })).toBe(0);
  expect(makerOf({ kind: 'local', keyId: null })).toBeNull();
});
