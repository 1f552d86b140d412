import { html, type Html } from '../html.ts';

/** A time; the script writes it in the reader's own zone. Without it, in UTC. */
export function time(iso: string | null, none = '–'): Html {
  if (iso === null) return html`<span class="muted">${none}</span>`;
  const text = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  return html`<time datetime="${iso}" title="${text}">${text}</time>`;
}

const instant = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)/;

/** A sentence of ours, the times in it as elsewhere on the page. */
export function withTimes(sentence: string): (Html | string)[] {
  return sentence
    .split(instant)
    .map((part) => (instant.test(part) && !Number.isNaN(Date.parse(part)) ? time(part) : part));
}

/** `250 ms`, `1.2 s`. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

const numbers = new Intl.NumberFormat('en');
export const count = (value: number): string => numbers.format(value);
