import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, visible } from '../../src/http/dashboard/html.ts';

const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

describe('a text of others on the page', () => {
  it.each([
    '⚠️ Billing ❤️ نمی‌خواهم',
    '☎︎ 1️⃣ #️⃣ *️⃣',
    '👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 👁️‍🗨️ ❤️‍🔥',
    'क्‍ष র‍্যা ශ්‍රී',
    'a\tb\nc – “d” é e\u0301 日本語',
  ])('is shown as it is: %s', (text) => {
    expect(visible(text)).toBe(text);
  });

  it.each([
    ['a character that takes no selector', 'a\ufe0f', 'a\\ufe0f'],
    ['a selector of another kind', '⚠\ufe00', '⚠\\ufe00'],
    ['a run of selectors', '⚠\ufe0f\ufe0f\ufe0e', '⚠\ufe0f\\ufe0f\\ufe0e'],
    ['a digit that is no key cap', '1\ufe0f2', '1\\ufe0f2'],
    ['a joiner in a Latin word', 'pay\u200dpal pay\u200cpal', 'pay\\u200dpal pay\\u200cpal'],
    ['a joiner at the end', 'نمی\u200c', 'نمی\\u200c'],
    ['a joiner at the beginning', '\u200cخواهم', '\\u200cخواهم'],
    ['a joiner beside a space', 'نمی\u200c خواهم', 'نمی\\u200c خواهم'],
    ['a run of joiners', 'نمی\u200c\u200cخواهم', 'نمی\\u200c\\u200cخواهم'],
    ['a joiner behind an emoji', '👨\u200d', '👨\\u200d'],
    ['a joiner between an emoji and a letter', '👨\u200da', '👨\\u200da'],
    ['a run of joiners between emoji', '👨\u200d\u200d👩', '👨\\u200d\\u200d👩'],
    ['a joiner that breaks emoji', '👨\u200c👩', '👨\\u200c👩'],
    ['a turn of direction in Persian', 'نمی\u202eخواهم\u200f', 'نمی\\u202eخواهم\\u200f'],
    ['a mark of direction', 'a\u200eb\u200fc\u061cd', 'a\\u200eb\\u200fc\\u061cd'],
    ['a space without width', 'a\u200bb\ufeffc\u2060d', 'a\\u200bb\\ufeffc\\u2060d'],
    ['a tag', '🏴\u{e0067}', '🏴\\udb40\\udc67'],
    ['isolates', '\u2066a\u2069', '\\u2066a\\u2069'],
  ])('has %s written out', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(String(html`${text}`)).toBe(shown);
  });

  const steering = ['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'];
  const others = ['\u200b', '\u200e', '\u200f', '\u061c', '\u2060', '\ufeff', '\u00ad', '\u034f', '\u0000', '\u001b'];
  const around = ['a', ' ', '1', '⚠', '👨', '🏽', 'ن', '\u064e', 'क', '\u094d', '\u200c', '\u200d', '\ufe0f', '\u20e3'];

  it('never steers, and never hides more than one character in a row, whatever stands around', () => {
    const texts = fc.array(fc.constantFrom(...steering, ...others, ...around), { size: '+1' });
    fc.assert(
      fc.property(texts, (characters) => {
        const shown = visible(characters.join(''));
        for (const one of [...steering, ...others]) expect(shown).not.toContain(one);
        // U+FE0F and a joiner stand together in emoji alone.
        expect(shown.replaceAll(/⚠\ufe0f\u200d(?=[⚠👨])|👨\ufe0f\u200d(?=[⚠👨])/gu, '')).not.toMatch(
          /[\u200c\u200d\ufe0f]{2}/,
        );
        expect(
          shown.replaceAll(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16))),
        ).toBe(characters.join(''));
      }),
      { numRuns: 2_000 },
    );
  });

  it('has every other hidden character written out by its units', () => {
    for (const one of [...steering, ...others])
      expect(visible(`ن${one}ن⚠${one}⚠`)).toBe(`ن${unit(one)}ن⚠${unit(one)}⚠`);
  });
});
