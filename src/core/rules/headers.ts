import type { FieldError } from '../errors.ts';
import type { Vault } from './seal.ts';

/** Own headers of an endpoint: what they may be called and may hold, and how they are shown. */

export const headersMax = 20;
export const headerNameCharactersMax = 100;
export const headerValueCharactersMax = 4_096;
/** Names and values of all together: most servers take 16 KiB of headers, ours among them. */
export const headersBytesMax = 8_192;

/** Stands for a value in answers. No value can look like it: it is not ASCII. */
export const maskedValue = '••••••••';

/** A token (RFC 9110, 5.6.2) that begins with a letter or digit. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9!#$%&'*+.^_`|~-]*$/;
/** Printable ASCII with no space at either end: more would arrive as something else, or as a header of its own. */
const valuePattern = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;

/** What Posthorn sets, what describes the body, and what belongs to the connection (RFC 9110, 7.6.1). */
const reserved = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

export type Headers = Record<string, string>;

/** Seals them for one endpoint; null when there are none. */
export function sealHeaders(vault: Vault, publicId: string, headers: Headers): Buffer | null {
  return Object.keys(headers).length === 0 ? null : vault.seal(JSON.stringify(headers), ownerOf(publicId));
}

/** The stored headers with their values. */
export function openHeaders(vault: Vault, publicId: string, sealed: Buffer | null): Headers {
  return sealed === null ? {} : (JSON.parse(vault.open(sealed, ownerOf(publicId))) as Headers);
}

/** Not the owner of its secrets, so that one never opens as the other. */
function ownerOf(publicId: string): string {
  return `${publicId}/headers`;
}

/** All that is wrong with own headers. `path` points into them; no value is repeated. */
export function headerFaults(headers: Headers, brand: string): FieldError[] {
  const seen = new Set<string>();
  const errors = Object.entries(headers).flatMap(([name, value]): FieldError[] => {
    const key = name.toLowerCase();
    const fault = nameFault(name, brand) ?? (seen.has(key) ? 'is there twice' : valueFault(value));
    seen.add(key);
    return fault === null ? [] : [{ path: `/${pointerStep(name)}`, message: fault }];
  });
  const bytes = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (errors.length > 0 || bytes <= headersBytesMax) return errors;
  return [{ path: '', message: `names and values hold ${bytes} characters; at most ${headersBytesMax} are sent` }];
}

function nameFault(name: string, brand: string): string | null {
  if (name.length > headerNameCharactersMax || !namePattern.test(name)) {
    return `is no name of a header: use 1 to ${headerNameCharactersMax} letters, digits and hyphens`;
  }
  const key = name.toLowerCase();
  if (reserved.has(key) || key.startsWith('webhook-') || key.startsWith(`x-${brand.toLowerCase()}-`)) {
    return 'is set by Posthorn or belongs to the connection, so it cannot be set here';
  }
  return null;
}

function valueFault(value: string): string | null {
  if (value === maskedValue) return 'stands for a value that is not stored: send the value itself';
  if (value.length <= headerValueCharactersMax && valuePattern.test(value)) return null;
  return `has to hold 1 to ${headerValueCharactersMax} printable ASCII characters, no space at either end`;
}

function pointerStep(name: string): string {
  return name.slice(0, headerNameCharactersMax).replaceAll('~', '~0').replaceAll('/', '~1');
}
