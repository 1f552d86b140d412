import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelope } from '../../src/core/rules/envelope.ts';

const at = Date.parse('2026-11-23T10:00:00.000Z');
const codePoint = fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point));
const anyText = fc.string({ unit: codePoint });
const time = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});

describe('the body that receivers get', () => {
  it('is pinned to the byte', () => {
    const event = { publicId: 'evt_1', type: 'contact.created', occurredAt: at, data: '{"id":"con_1"}' };
    expect(envelope(event)).toBe(
      '{"id":"evt_1","type":"contact.created","timestamp":"2026-11-23T10:00:00.000Z","data":{"id":"con_1"}}',
    );
    expect(envelope({ ...event, data: null })).toBe(
      '{"id":"evt_1","type":"contact.created","timestamp":"2026-11-23T10:00:00.000Z"}',
    );
  });

  it('is JSON that reads as what went in', () => {
    fc.assert(
      fc.property(anyText, anyText, time, fc.dictionary(anyText, fc.jsonValue()), (publicId, type, when, data) => {
        const body = envelope({ publicId, type, occurredAt: when.getTime(), data: JSON.stringify(data) });
        const read = JSON.parse(body) as Record<string, unknown>;
        expect(Object.keys(read)).toEqual(['id', 'type', 'timestamp', 'data']);
        expect(read['id']).toBe(publicId);
        expect(read['type']).toBe(type);
        expect(read['timestamp']).toBe(when.toISOString());
        expect(JSON.stringify(read['data'])).toBe(JSON.stringify(JSON.parse(JSON.stringify(data))));
      }),
    );
  });

  it('holds the data as it was stored, byte for byte', () => {
    const data = '{"b":1.0,"a":12345678901234567890,"b":2,"__proto__":{"x":"\\u0041 é ❄"}}';
    expect(envelope({ publicId: 'evt_1', type: 'a.b', occurredAt: at, data })).toContain(`,"data":${data}}`);
  });
});
