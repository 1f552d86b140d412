import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeVault } from '../../src/core/rules/seal.ts';

const key = Buffer.alloc(32, 1);
const random = { bytes: (count: number) => randomBytes(count) };
const vault = makeVault(key, random);
const owner = 'sub_01kb';
const text = fc.string({ unit: 'grapheme', maxLength: 300 });
/** Key id, initialization vector, tag. */
const headBytes = 4 + 12 + 16;

describe('sealing', () => {
  it('is AES-256-GCM: test cases 13 and 14 of its submission to NIST', () => {
    const zeros = makeVault(Buffer.alloc(32), { bytes: (count) => Buffer.alloc(count) });
    expect(zeros.seal('', '').subarray(16).toString('hex')).toBe('530f8afbc74536b9a963b4f1c4cb738b');
    expect(zeros.seal('\0'.repeat(16), '').subarray(16).toString('hex')).toBe(
      'd0d1c8a799996bf0265b98b5d48ab919cea7403d4d606b6e074ec5d3baf39d18',
    );
  });

  it('opens to the same text for the same owner, also in another process with the same key', () => {
    fc.assert(
      fc.property(text, text, (secret, whose) => {
        const sealed = vault.seal(secret, whose);
        expect(sealed).toHaveLength(headBytes + Buffer.byteLength(secret));
        expect(vault.open(sealed, whose)).toBe(secret);
        expect(makeVault(key, random).open(Buffer.from(sealed), whose)).toBe(secret);
      }),
    );
  });

  it('hides the text, and looks different every time', () => {
    const canary = 'whsec_canary_canary_canary';
    const [first, second] = [vault.seal(canary, owner), vault.seal(canary, owner)];
    expect(first.includes('canary')).toBe(false);
    expect(first.equals(second)).toBe(false);
    expect(first.subarray(4, 16).equals(second.subarray(4, 16))).toBe(false);
  });

  it('opens for no other owner', () => {
    fc.assert(
      fc.property(text, text, text, (secret, whose, other) => {
        fc.pre(Buffer.compare(Buffer.from(whose), Buffer.from(other)) !== 0);
        const sealed = vault.seal(secret, whose);
        expect(() => vault.open(sealed, other)).toThrow('authenticate');
      }),
    );
  });

  it('opens with no other key, and says so', () => {
    const sealed = vault.seal('secret', owner);
    const other = makeVault(Buffer.alloc(32, 2), random);
    expect(() => other.open(sealed, owner)).toThrow('sealed with another secret key');
  });

  it('opens with no bit changed, nothing cut off and nothing added', () => {
    const sealed = vault.seal('a secret of some length', owner);
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => vault.open(changed, owner)).toThrow(/authenticate|sealed with another secret key/);
      }),
    );
    for (let length = 0; length < sealed.length; length++) {
      expect(() => vault.open(sealed.subarray(0, length), owner)).toThrow(Error);
    }
    expect(() => vault.open(Buffer.concat([sealed, Buffer.of(0)]), owner)).toThrow('authenticate');
  });

  it('opens with no tag that was cut short, which could be guessed', () => {
    const sealed = vault.seal('', owner);
    expect(vault.open(sealed, owner)).toBe('');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => vault.open(sealed.subarray(0, length), owner)).toThrow(Error);
    }
  });

  it('shows nothing of the key in its id', () => {
    const id = (bytes: Buffer) => makeVault(bytes, random).seal('', owner).subarray(0, 4);
    expect(id(key)).toHaveLength(4);
    expect(id(key).equals(id(Buffer.from(key)))).toBe(true);
    expect(id(key).equals(id(Buffer.alloc(32, 2)))).toBe(false);
    expect(key.includes(id(key))).toBe(false);
  });
});
