import { TypeID } from 'typeid-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NewId } from '../src/core/ports/ports.ts';

const t0 = Date.parse('2026-11-25T10:00:00.123Z');
let newTypeId: NewId;
beforeEach(async () => {
  // Ids never go back: those of other tests must not begin with the time of these.
  vi.resetModules();
  ({ newTypeId } = await import('../src/type-id.ts'));
  vi.useFakeTimers({ now: t0, toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const read = (id: string) => TypeID.fromString(id, 'evt');
/** In hex. */
const bytesOf = (id: string) => read(id).toUUID().replaceAll('-', '');

describe('an id', () => {
  it('is a TypeID over a UUIDv7 of this millisecond', () => {
    const id = newTypeId('evt');
    expect(read(id).toString()).toBe(id);
    const uuid = bytesOf(id);
    expect(Number.parseInt(uuid.slice(0, 12), 16)).toBe(t0);
    expect(uuid[12]).toBe('7');
    expect(uuid[16]).toMatch(/[89ab]/);
  });

  it('ascends, also when there are more than a millisecond has numbers, and when the clock goes back', () => {
    vi.setSystemTime(t0 + 1);
    const ids = Array.from({ length: 10_000 }, () => newTypeId('evt'));
    vi.setSystemTime(t0 - 60_000);
    ids.push(newTypeId('evt'));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.map((id) => read(id).toString())).toEqual(ids);
  });

  it('holds random bits in every place behind the counter', () => {
    vi.setSystemTime(t0 + 60_000);
    const bits = Array.from({ length: 500 }, () => BigInt(`0x${bytesOf(newTypeId('evt')).slice(16)}`));
    const everSet = bits.reduce((all, one) => all | one, 0n);
    const alwaysSet = bits.reduce((all, one) => all & one);
    expect(everSet.toString(16)).toBe('bfffffffffffffff');
    expect(alwaysSet.toString(16)).toBe('8000000000000000');
  });
});
