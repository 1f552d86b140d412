import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInNames } from '../../src/core/catalogue.ts';
import { matches, nearest, unknownName, wants } from '../../src/core/rules/match.ts';

const someName = fc.constantFrom(...builtInNames);
const word = fc.stringMatching(/^[a-z_]{1,8}$/);
const type = fc.tuple(word, word).map(([family, what]) => `${family}.${what}`);
const pattern = fc.oneof(
  fc.constant('*'),
  type,
  word.map((family) => `${family}.*`),
);

describe('matching', () => {
  it.each([
    ['*', 'contact.created', true],
    ['contact.created', 'contact.created', true],
    ['contact.*', 'contact.created', true],
    ['contact.*', 'contact.email.changed', true],
    ['contact.email.*', 'contact.email.changed', true],
    ['contact.created', 'contact.updated', false],
    ['contact.create', 'contact.created', false],
    ['contact.created', 'contact.create', false],
    ['contact.*', 'contacts.created', false],
    ['contact.*', 'contact', false],
    ['contact*', 'contact.created', false],
    ['contact.', 'contact.created', false],
    ['*.created', 'contact.created', false],
    ['c*', 'contact.created', false],
    ['**', 'contact.created', false],
    ['Contact.*', 'contact.created', false],
    ['contact.email.*', 'contact.created', false],
    ['', 'contact.created', false],
  ])('%s against %s is %s', (given, against, expected) => {
    expect(matches(given, against)).toBe(expected);
  });

  it('takes a name for itself alone, and a family for every name below it', () => {
    fc.assert(
      fc.property(type, type, (one, other) => {
        const [family] = other.split('.');
        expect(matches(one, other)).toBe(one === other);
        expect(matches(`${family}.*`, one)).toBe(one.split('.')[0] === family);
        expect(matches('*', one)).toBe(true);
      }),
    );
  });

  it('wants what any one of its patterns takes, in whatever order they stand', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), type, (patterns, one) => {
        const expected = patterns.filter((each) => matches(each, one)).length > 0;
        expect(wants(patterns, one)).toBe(expected);
        expect(wants(patterns.toReversed(), one)).toBe(expected);
        expect(wants([...patterns, '*'], one)).toBe(true);
      }),
    );
  });
});

describe('the nearest names', () => {
  it.each([
    ['contact.create', 'contact.created'],
    ['Contact.Created', 'contact.created'],
    ['contacts.created', 'contact.created'],
    ['oportunity.updated', 'opportunity.updated'],
    ['form.submited', 'form.submitted'],
    ['appointment.cancelled', 'appointment.canceled'],
    ['opportunity.stagechanged', 'opportunity.stage_changed'],
  ])('%s means %s', (wrong, meant) => {
    expect(nearest(wrong, builtInNames)[0]).toBe(meant);
  });

  it('are none where nothing is near', () => {
    expect(nearest('invoice.reconciled', builtInNames)).toEqual([]);
    expect(nearest('*', builtInNames)).toEqual([]);
    expect(nearest('', builtInNames)).toEqual([]);
  });

  it('are three at most unless more are asked for', () => {
    const names = ['aaa1', 'aaa2', 'aaa3', 'aaa4'];
    expect(nearest('aaa', names)).toEqual(['aaa1', 'aaa2', 'aaa3']);
    expect(nearest('aaa', names, 4)).toEqual(names);
  });

  it.each([
    ['abcdef', 'abcxyz', true],
    ['abcdef', 'abwxyz', false],
    ['abcdef', 'abcdef123', true],
    ['abcdef', 'abcdef1234', false],
    ['ab', 'abcde', true],
    ['abcdefghijkl', 'abcdefgh1234', true],
    ['abcdefghijkl', 'abcdefg12345', false],
  ])('for %s hold %s: %s, as three slips are near, or a third of the letters', (wrong, name, isNear) => {
    expect(nearest(wrong, [name])).toEqual(isNear ? [name] : []);
  });

  it('name a right name first', () => {
    for (const each of builtInNames) expect(nearest(each, builtInNames)[0]).toBe(each);
  });

  it('name the meant one after one slip of the finger: a letter lost, doubled or replaced', () => {
    const slip = fc.tuple(someName, fc.nat(), fc.constantFrom('lost', 'doubled', 'replaced'));
    fc.assert(
      fc.property(slip, ([meant, at, kind]) => {
        const index = at % meant.length;
        const letter = meant.charAt(index);
        const replacement = kind === 'lost' ? '' : kind === 'doubled' ? letter + letter : '~';
        expect(nearest(meant.slice(0, index) + replacement + meant.slice(index + 1), builtInNames)).toContain(meant);
      }),
    );
  });

  it('are at most as many as asked for, each once, each of the names, the same whatever their order', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.array(type, { maxLength: 12 }), fc.nat(5), (wrong, names, max) => {
        const unique = [...new Set(names)];
        const found = nearest(wrong, unique, max);
        expect(found.length).toBeLessThanOrEqual(max);
        expect(new Set(found).size).toBe(found.length);
        expect(unique).toEqual(expect.arrayContaining(found));
        expect(nearest(wrong, unique.toReversed(), max)).toEqual(found);
      }),
    );
  });

  it('stand in the order of their distance', () => {
    fc.assert(
      fc.property(word, fc.array(word, { maxLength: 12 }), (wrong, names) => {
        const distances = nearest(wrong, names, 12).map((each) => distance(wrong, each));
        expect(distances).toEqual(distances.toSorted((a, b) => a - b));
        expect(Math.max(0, ...distances)).toBeLessThanOrEqual(Math.max(3, wrong.length / 3));
      }),
    );
  });
});

describe('the sentence about a name that is none', () => {
  it('names what was sent and what may have been meant', () => {
    expect(unknownName('form.submited', builtInNames)).toBe(
      '"form.submited" is not an event type of the catalogue. Did you mean form.submitted?',
    );
    expect(unknownName('aaa', ['aaa1', 'aaa2'])).toMatch(/ Did you mean aaa1 or aaa2\?$/);
    expect(unknownName('invoice.reconciled', builtInNames)).toBe(
      '"invoice.reconciled" is not an event type of the catalogue.',
    );
  });

  it('repeats at most 100 characters, in quotes that nothing escapes from', () => {
    expect(unknownName('x'.repeat(101), [])).toBe(`"${'x'.repeat(100)}" is not an event type of the catalogue.`);
    expect(unknownName('a"\n', [])).toMatch(/^"a\\"\\n" is/);
  });
});

/** Levenshtein's distance as its definition says it, without a table. */
function distance(a: string, b: string, known = new Map<string, number>()): number {
  if (a === '' || b === '') return a.length + b.length;
  const key = `${a}/${b}`;
  const seen = known.get(key);
  if (seen !== undefined) return seen;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  const found = Math.min(
    distance(restA, restB, known) + (a.charAt(0) === b.charAt(0) ? 0 : 1),
    distance(restA, b, known) + 1,
    distance(a, restB, known) + 1,
  );
  known.set(key, found);
  return found;
}
