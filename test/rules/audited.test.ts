import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditedEndpoint, auditedEventType, authorOf } from '../../src/core/rules/audited.ts';
import { freshEndpoint } from './arbitrary-records.ts';

describe('an author', () => {
  it('is shown in clean text that fits a line, whatever it calls itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const principal = { kind: 'key', keyId: 1, name: text, via: { face: 'mcp', client: text } } as const;
        const { name, via } = authorOf('key.create', principal, 0).principal;
        for (const shown of [name, via.client ?? '']) {
          expect(shown.length).toBeLessThanOrEqual(200);
          expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069]/u);
          expect(shown.isWellFormed()).toBe(true);
        }
      }),
    );
    const via = { face: 'rest', client: '\u001b[2J curl/8\r\n' } as const;
    const principal = { kind: 'admin', keyId: null, name: 'admin', via } as const;
    expect(authorOf('key.create', principal, 0).principal.via.client).toBe('[2J curl/8');
  });

  it('that says nothing of itself has no client', () => {
    const principal = { kind: 'local', keyId: null, name: 'local', via: { face: 'cli', client: '\n' } } as const;
    expect(authorOf('key.create', principal, 0).principal.via.client).toBeNull();
  });
});

describe('what is kept of an endpoint', () => {
  it('is these fields and no other', () => {
    const sealed = { sealedSecret: Buffer.from('secret'), sealedHeaders: Buffer.from('headers') };
    const kept = Object.keys(auditedEndpoint({ ...freshEndpoint, ...sealed }));
    expect(kept).toEqual([
      'name',
      'url',
      'events',
      'description',
      'filter',
      'include_data',
      'headers_sha256',
      'status',
    ]);
  });
});

describe('what is kept of an event type', () => {
  it('is no word of its schema or example, and yet what tells whether they changed', () => {
    const type = {
      name: 'a.b',
      description: 'Words.',
      schema: '{"a":"canary"}',
      example: '{"b":"canary"}',
      validation: 'off' as const,
    };
    const kept = auditedEventType(type);
    expect(JSON.stringify(kept)).not.toContain('canary');
    expect(auditedEventType({ ...type, example: '{}' })).not.toEqual(kept);
    expect(auditedEventType({ ...type, schema: null })).toMatchObject({ schema_sha256: null });
  });
});
