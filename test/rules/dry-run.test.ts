import { describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { dryRunOne } from '../../src/core/rules/dry-run.ts';

const conditions = makeConditions();
const event = { publicId: 'evt_1', type: 'a.b', occurredAt: 0, data: '{"amount":5,"canary":"secret"}' };
const run = (patterns: string[], text: string | null, data: string | null = event.data) =>
  dryRunOne(patterns, text === null ? null : conditions.compile(text), { ...event, data });

describe('a dry run', () => {
  it.each([
    [['a.*'], null, 'matched', null],
    [['*'], 'data.amount > 4', 'matched', null],
    [['c.*', 'a.c'], 'data.amount > 4', 'type_not_chosen', 'a.b is not among the chosen events'],
    [['a.b'], 'data.amount > 5', 'condition_false', 'the condition is false for it'],
    [['a.b'], 'data.canary > 5', 'condition_error', '> compares two numbers or two texts (line 1, column 1)'],
    [['a.b'], 'data.total > 5', 'condition_error', 'there is no field total; guard it with has() (line 1, column 6)'],
  ] as const)('%j with %s: %s', (patterns, text, verdict, reason) => {
    const result = run([...patterns], text);
    expect(result).toEqual({ verdict, reason });
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('has nothing to try on an event whose payload was erased', () => {
    expect(run(['a.b'], 'true', null)).toEqual({ verdict: 'erased', reason: 'its payload was erased' });
    expect(run(['a.b'], null, null)).toEqual({ verdict: 'matched', reason: null });
  });
});
