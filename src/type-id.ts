import { randomFillSync } from 'node:crypto';
import type { NewId } from './core/ports/ports.ts';

/** Base 32 as TypeIDs write it (Crockford's, in small letters). */
const digits = '0123456789abcdefghjkmnpqrstvwxyz';
const pairs = Array.from({ length: 1_024 }, (_, value) => `${digits[value >>> 5]}${digits[value & 31]}`);
const timeDigits = 10;

/** Random bytes are fetched for many ids at once: asking for ten costs as much as asking for thousands. */
const pool = Buffer.alloc(8_192);
const randomBytesOfId = 8;
let poolUsed = pool.length;
let lastMs = 0;
let lastTime = '';
let sequence = 0;

/**
 * A TypeID over a UUIDv7 (RFC 9562, section 6.2, method 1). The ids of one process ascend: a counter of 12 bits tells those
 * of one millisecond apart and borrows from the next one when it is full. `typeid-js`, which the tests read them with,
 * took half of the time between a request's body and its transaction.
 */
export const newTypeId: NewId = (prefix) => {
  const now = Date.now();
  if (now > lastMs) startMs(now);
  else if (++sequence > 0xfff) startMs(lastMs + 1);
  if (poolUsed + randomBytesOfId > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const high = pool.readUInt32LE(poolUsed);
  const low = pool.readUInt32LE(poolUsed + 4);
  poolUsed += randomBytesOfId;
  // 80 bits in fours of 20: the version and the counter, the variant and 62 random bits.
  const first = (0x7000 | sequence) * 16 + (8 | ((high >>> 28) & 3));
  const second = (high >>> 8) & 0xfffff;
  const third = ((high & 0xff) << 12) | (low & 0xfff);
  return `${prefix}_${lastTime}${four(first)}${four(second)}${four(third)}${four(low >>> 12)}`;
};

function startMs(ms: number): void {
  lastMs = ms;
  sequence = 0;
  // 48 bits are ten digits that begin with two empty bits.
  const text = ms.toString(32).padStart(timeDigits, '0');
  lastTime = text.replaceAll(/[a-v]/g, (digit) => digits[Number.parseInt(digit, 32)] ?? '');
}

/** 20 bits as four digits. */
function four(bits: number): string {
  return `${pairs[bits >>> 10]}${pairs[bits & 1_023]}`;
}
