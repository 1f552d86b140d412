const bytesMax = 2_048;
/**
 * Control characters (tab and line feed apart), bidirectional overrides, zero-width and invisible formatting characters,
 * variation selectors and tag characters: what can steer a terminal, hide text from people, or hide it from nobody but a
 * model.
 */
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** A stranger's words about himself, on one line: at most so many characters, without what is invisible or steers. */
export function plainLine(text: string, charactersMax: number): string {
  const clean = text
    .toWellFormed()
    .replaceAll(/[\t\n\u2028\u2029]/g, ' ')
    .replaceAll(invisible, '');
  return clean.slice(0, charactersMax).toWellFormed().trim();
}

/** A receiver's body as text that is safe to show: at most 2 KiB, without what is invisible or steers. */
export function plainText(body: Buffer): string {
  const text = new TextDecoder('utf-8').decode(body.subarray(0, bytesMax));
  const clean = text.replaceAll(invisible, '');
  // A broken byte becomes three, so what fitted before may not fit now.
  return clean.slice(0, new TextEncoder().encodeInto(clean, new Uint8Array(bytesMax)).read);
}
