import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/core/rules/untrusted.ts';

const bytesMax = 2_048;
/** Unicode's own properties, which the rule's table of ranges is measured with. Tab and line feed are for reading. */
const steersOrHides = /[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]|(?![\t\n])\p{Cc}/u;

describe("a receiver's body as text", () => {
  it('is what it says where it is harmless', () => {
    const body = 'Not found: "contact" <b>naïve</b>\n\t你好 🎉 مرحبا שלום ﷽';
    expect(plainText(Buffer.from(body))).toBe(body);
    expect(plainText(Buffer.alloc(0))).toBe('');
  });

  it('loses every code point of Unicode that is invisible or steers, and keeps letters, marks, numbers, signs', () => {
    const readable = /[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\t\n]/u;
    let [count, given, expected] = [0, '', ''];
    for (let point = 0; point <= 0x10ffff; point++) {
      const one = point >= 0xd800 && point <= 0xdfff ? '' : String.fromCodePoint(point);
      const isHidden = steersOrHides.test(one);
      if (isHidden || readable.test(one)) given += one;
      if (!isHidden && readable.test(one)) expected += one;
      if (given.length < 500 && point < 0x10ffff) continue;
      expect(plainText(Buffer.from(`a${given}z`))).toBe(`a${expected}z`);
      count += Array.from(given).length;
      [given, expected] = ['', ''];
    }
    expect(count).toBeGreaterThan(150_000);
  });

  it('spells no hidden words: tag characters, zero-width letters, overrides, escape sequences', () => {
    const tags = Array.from('ignore all', (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
    expect(plainText(Buffer.from(`ok${tags}`))).toBe('ok');
    expect(plainText(Buffer.from('a\u200bb\u200cc\u200dd\ufeffe'))).toBe('abcde');
    expect(plainText(Buffer.from('\u202eevil\u202c \u2066x\u2069'))).toBe('evil x');
    expect(plainText(Buffer.from('\u001b[2J\u001b]0;title\u0007\u009b31mred\r'))).toBe('[2J]0;title31mred');
  });

  it('reads at most the first 2 KiB of a body', () => {
    expect(plainText(Buffer.from('a'.repeat(bytesMax)))).toHaveLength(bytesMax);
    expect(plainText(Buffer.from(`${'a'.repeat(bytesMax)}b`))).toBe('a'.repeat(bytesMax));
    expect(plainText(Buffer.alloc(16_384, 'x'))).toHaveLength(bytesMax);
  });

  it('is at most 2 KiB of UTF-8 itself, also where bytes are none or the cut goes through a letter', () => {
    const bodies = ['ff', 'c3', '80', 'f09f'].map((hex) => Buffer.alloc(3_000, hex, 'hex'));
    for (const letter of ['é', '€', '🎉']) bodies.push(Buffer.from(`${'a'.repeat(bytesMax - 1)}${letter}`));
    const sizes = bodies.map((body) => Buffer.byteLength(plainText(body)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax);
  });

  it('is well-formed and safe, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100, size: 'max' }), (body) => {
        const text = plainText(Buffer.from(body));
        expect(text).not.toMatch(steersOrHides);
        expect(text.isWellFormed()).toBe(true);
      }),
    );
  });
});
