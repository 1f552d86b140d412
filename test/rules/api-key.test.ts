import { randomBytes } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32, formatKey, hashKey, keyPrefix, keyRandomBytes, sameKey } from '../../src/core/rules/api-key.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const entropy = fc
  .uint8Array({ minLength: keyRandomBytes, maxLength: keyRandomBytes })
  .map((bytes) => Buffer.from(bytes));
const shape = /^([a-z0-9]+)_live_([0-9A-Za-z]{34})([0-9A-Za-z]{6})$/;

/** As a secret scanner would check a key without asking anybody. */
function looksReal(key: string): boolean {
  const [, , body = '', check = ''] = shape.exec(key) ?? [];
  return body !== '' && decode(check) === BigInt(zlibCrc32(body));
}

function decode(text: string): bigint {
  return Array.from(text).reduce((value, digit) => value * 62n + BigInt(alphabet.indexOf(digit)), 0n);
}

describe('a key', () => {
  it('is pinned for known randomness', () => {
    expect(formatKey('tp', Buffer.alloc(keyRandomBytes))).toMatch(/^tp_live_0{34}[0-9A-Za-z]{6}$/);
    expect(formatKey('tp', Buffer.alloc(keyRandomBytes))).toHaveLength('tp_live_'.length + 40);
  });

  it('holds at least 192 random bits, every one of them', () => {
    expect(keyRandomBytes * 8).toBeGreaterThanOrEqual(192);
    fc.assert(
      fc.property(entropy, (bytes) => {
        const body = shape.exec(formatKey('tp', bytes))?.[2] ?? '';
        expect(
          decode(body)
            .toString(16)
            .padStart(keyRandomBytes * 2, '0'),
        ).toBe(bytes.toString('hex'));
      }),
    );
  });

  it('has one length, at both ends of its range too', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          entropy,
          fc.constantFrom(0, 255).map((fill) => Buffer.alloc(keyRandomBytes, fill)),
        ),
        (bytes) => {
          expect(formatKey('tp', bytes)).toMatch(shape);
        },
      ),
    );
  });

  it('carries its CRC-32, so that a wrong letter shows', () => {
    fc.assert(
      fc.property(entropy, fc.nat(39), fc.constantFrom(...Array.from(alphabet)), (bytes, at, letter) => {
        const key = formatKey('tp', bytes);
        const index = 'tp_live_'.length + at;
        const slipped = key.slice(0, index) + letter + key.slice(index + 1);
        expect(looksReal(key)).toBe(true);
        expect(looksReal(slipped)).toBe(slipped === key);
      }),
    );
  });
});

describe('CRC-32', () => {
  it('gives the check value of its catalogue', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(crc32('')).toBe(0);
    expect(crc32('The quick brown fox jumps over the lazy dog')).toBe(0x414fa339);
  });

  it("is zlib's", () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(crc32(text)).toBe(zlibCrc32(text));
      }),
    );
  });
});

describe('what is stored of a key', () => {
  it('is its SHA-256: the example of FIPS 180-4', () => {
    expect(hashKey('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('holds nothing of the key itself', () => {
    const key = formatKey('tp', randomBytes(keyRandomBytes));
    expect(hashKey(key)).toHaveLength(32);
    expect(hashKey(key).includes(key.slice(8, 14))).toBe(false);
  });
});

describe('comparing with an expected key', () => {
  it('takes the very same text and no other, of whatever length', () => {
    expect(sameKey('', '')).toBe(true);
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(sameKey(one, one)).toBe(true);
        expect(sameKey(one, other)).toBe(one === other);
        expect(sameKey(`${one}x`, one)).toBe(false);
      }),
    );
  });
});

describe("the brand's part of a key", () => {
  it.each([
    ['TrustPager', 'tp'],
    ['Acme', 'ac'],
    ['acme', 'ac'],
    ['My-Brand', 'mb'],
    ['a-b', 'ab'],
    ['x1y', 'xy'],
    ['IBM', 'ibm'],
  ])('%s gives %s', (brand, prefix) => {
    expect(keyPrefix(brand)).toBe(prefix);
  });

  it('is at least two small letters for every brand that may be configured', () => {
    const brand = fc
      .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]$/)
      .filter((each) => each.replaceAll(/[^A-Za-z]/g, '').length >= 2);
    fc.assert(
      fc.property(brand, (each) => {
        expect(keyPrefix(each)).toMatch(/^[a-z]{2,}$/);
      }),
    );
  });
});
