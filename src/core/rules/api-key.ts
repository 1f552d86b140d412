import { hash as digest, timingSafeEqual } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 200 bits, which base62 writes in 34 characters. */
export const keyRandomBytes = 25;
const randomCharacters = 34;
const checkCharacters = 6;

/** A new key: `<prefix>_live_`, 200 random bits in base62, and their CRC32, so that scanners can tell one offline. */
export function formatKey(prefix: string, random: Buffer): string {
  const body = base62(BigInt(`0x${random.toString('hex')}`), randomCharacters);
  return `${prefix}_live_${body}${base62(BigInt(crc32(body)), checkCharacters)}`;
}

/** What is stored of a key. Keys hold 200 random bits: a slow hash would protect nothing and cost every request. */
export function hashKey(key: string): Buffer {
  return digest('sha256', key, 'buffer');
}

/** Of the few keys and tokens that a process expects; every request is compared with one of them. */
const expectedHashes = new Map<string, Buffer>();
const expectedMax = 16;

/** Whether a key or token, of which this is the hash, is the expected one: in constant time, whatever the lengths. */
export function hashesTo(hash: Buffer, expected: string): boolean {
  let known = expectedHashes.get(expected);
  if (known === undefined) {
    if (expectedHashes.size >= expectedMax) expectedHashes.clear();
    known = hashKey(expected);
    expectedHashes.set(expected, known);
  }
  return timingSafeEqual(hash, known);
}

/** Whether a key or token is the expected one. */
export function sameKey(given: string, expected: string): boolean {
  return hashesTo(hashKey(given), expected);
}

/** The brand's part of a key: `TrustPager` gives `tp`, `Acme` gives `ac`. */
export function keyPrefix(brand: string): string {
  const capitals = brand.replaceAll(/[^A-Z]/g, '');
  return (capitals.length >= 2 ? capitals : brand.replaceAll(/[^A-Za-z]/g, '').slice(0, 2)).toLowerCase();
}

function base62(value: bigint, width: number): string {
  let rest = value;
  let text = '';
  while (rest > 0n) {
    text = alphabet[Number(rest % 62n)] + text;
    rest /= 62n;
  }
  return text.padStart(width, alphabet[0]);
}

/** CRC-32 as in ISO 3309, the one of zlib. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
