import { describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { checkCondition, faultSentence, judge, subjectOf } from '../../src/core/rules/condition.ts';

const conditions = makeConditions();
const stored = { publicId: 'evt_1', type: 'a.b', occurredAt: 0, data: '{"a":1}' };

describe('what a condition sees', () => {
  it('is the body that receivers get', () => {
    expect(subjectOf(stored)).toEqual({
      event: { id: 'evt_1', type: 'a.b', timestamp: '1970-01-01T00:00:00.000Z' },
      data: { a: 1 },
    });
    expect(subjectOf({ ...stored, data: null }).data).toBeNull();
  });
});

describe('judging', () => {
  it('answers true, false or why there is neither', () => {
    const verdict = (text: string) => judge(conditions.compile(text), subjectOf(stored));
    expect(verdict('data.a == 1')).toBe(true);
    expect(verdict('data.a == 2')).toBe(false);
    expect(verdict('data.b == 2')).toMatchObject({ line: 1, column: 6 });
    expect(verdict('data.b ==')).toMatchObject({ line: 1, column: 10 });
  });
});

describe('checking', () => {
  it('throws with the path of the field and the place in the text', () => {
    const check = (text: string | null | undefined) => () => checkCondition(conditions, text, '/filter');
    expect(check(null)).not.toThrow();
    expect(check(undefined)).not.toThrow();
    expect(check('data.a == 1')).not.toThrow();
    expect(check('data.a ==\n  b')).toThrow(
      expect.objectContaining({
        code: 'invalid_expression',
        message: 'filter: unknown variable: b (line 2, column 3).',
        errors: [{ path: '/filter', message: 'unknown variable: b (line 2, column 3)' }],
      }),
    );
    expect(faultSentence({ reason: 'no', line: 3, column: 4 })).toBe('no (line 3, column 4)');
  });
});
