import { Environment, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { Compiled, Conditions } from '../core/ports/conditions.ts';
import { Fault, type Frame } from './frame.ts';
import { plan } from './plan.ts';

/** What one evaluation may cost: a millisecond or two. A part inside a loop costs a step, as 16 characters of a text do. */
const stepsMax = 25_000;
/** Compiled expressions that are kept. */
const compiledMax = 20_000;

const limits = { maxAstNodes: 500, maxDepth: 32, maxListElements: 200, maxMapEntries: 1, maxCallArguments: 2 };

/** CEL, cut down to what ends soon: parsed and checked by the library, evaluated by `plan`. */
export function makeConditions(): Conditions {
  const language = makeLanguage();
  const kept = new Map<string, Compiled>();
  return {
    compile(text) {
      const known = kept.get(text);
      if (known !== undefined) return known;
      if (kept.size >= compiledMax) kept.clear();
      const compiled = compile(language, text);
      kept.set(text, compiled);
      return compiled;
    },
  };
}

function makeLanguage(): Environment {
  const language = new Environment({ limits, homogeneousAggregateLiterals: false })
    .registerType('Event', { fields: { id: 'string', type: 'string', timestamp: 'string' } })
    .registerVariable('event', 'Event')
    .registerVariable('data', 'map');
  // JSON has one kind of number, and so has what is written beside it: 1 and 1.0 are the same.
  for (const op of ['+', '-', '*']) {
    language.registerOperator(`int ${op} double: double`, neverCalled);
    language.registerOperator(`double ${op} int: double`, neverCalled);
  }
  return language.registerOperator('int == double: bool', neverCalled);
}

/** The library checks with its operators and does not evaluate with them. */
function neverCalled(): never {
  throw new Error('expressions are evaluated by their plan');
}

function compile(language: Environment, text: string): Compiled {
  try {
    const parsed = language.parse(text);
    const checked = parsed.check();
    if (checked.error !== undefined) throw checked.error;
    const whole = plan(parsed.ast, text);
    const noBoolean = new Fault('the expression has to come out true or false', text, 0);
    if (checked.type !== 'bool' && checked.type !== 'dyn') throw noBoolean;
    return {
      condition(subject) {
        const frame: Frame = { subject, bound: [], stepsLeft: stepsMax };
        const value = whole(frame);
        return typeof value === 'boolean' || value instanceof Fault ? value : noBoolean;
      },
    };
  } catch (error) {
    if (error instanceof Fault) return { fault: error };
    if (error instanceof ParseError || error instanceof CelTypeError) {
      if (error.code === 'limit_exceeded') {
        return { fault: new Fault('the expression is too long or nests too deep', text, error.range?.start ?? 0) };
      }
      const reason = `${error.summary.charAt(0).toLowerCase()}${error.summary.slice(1)}`;
      return { fault: new Fault(reason, text, error.range?.start ?? 0) };
    }
    throw error;
  }
}
