import { html as template, raw } from 'hono/html';

export { raw };

/** A piece of a page, in which everything that was put in is escaped. */
export type Html = ReturnType<typeof raw>;

/** Values in it are escaped, pieces and arrays of them stand as they are; null, undefined and booleans leave nothing. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  // Only a promise among the values makes the library answer a promise, and pages wait before they write.
  return template(strings, ...values.map(plain)) as Html;
}

/** Text exactly as it is, for what a form sends back again. */
export function exact(text: string): Html {
  return template`${text}` as Html;
}

/** What is invisible or steers the direction of writing; tab and line feed apart. */
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;

/** Scripts whose words hold joiners (UAX 31); in others one between letters only hides. */
const joining = 'Arab Syrc Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Mymr'.split(' ');
const ofJoining = `[${joining.map((script) => String.raw`\p{scx=${script}}`).join('')}]`;
/** Hidden characters of ordinary texts, where they belong: one of them, beside what it changes. */
const inPlace = [
  // How an emoji is shown, and a key cap (UTS 51).
  String.raw`(?<=\p{Extended_Pictographic})[\ufe0e\ufe0f]`,
  String.raw`(?<=[0-9#*])\ufe0f(?=\u20e3)`,
  // Families and other emoji made of several.
  String.raw`(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d(?=\p{Extended_Pictographic})`,
  // Persian, Hindi and their neighbours.
  String.raw`(?<=[\p{L}\p{M}])(?<=${ofJoining})[\u200c\u200d](?=[\p{L}\p{M}])(?=${ofJoining})`,
].join('|');
const unseen = new RegExp(`(?!${inPlace})${hidden.source}`, 'gu');

/** Words of others, with what is invisible written out: `\u202e` cannot turn a line around when it is read as six letters. */
export function visible(text: string): string {
  return text.replaceAll(unseen, (one) =>
    one
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  return Array.isArray(value) ? value.map(plain) : value;
}
