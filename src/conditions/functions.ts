import type { ASTNode } from '@marcbachmann/cel-js';
import { Fault, faultAt, type Frame, type Part, type Place, spend, tooManySteps } from './frame.ts';
import { entriesOf, isObject, sizeOf, spendOnSearch, spendOnText } from './values.ts';

/** size(x), has(x.y), double(x), string(x). */
export function planFunction(name: string, args: readonly ASTNode[], node: ASTNode, place: Place): Part {
  const [first] = args;
  if (first === undefined || args.length > 1) throw unknownFunction(name, node);
  if (name === 'has') return planHas(first, node, place);
  const convert = conversions[name];
  if (convert === undefined) throw unknownFunction(name, node);
  const of = place.plan(first, place.bound);
  const faults = { wrong: faultAt(node, `${name}() cannot read this value`), tooLarge: faultAt(node, tooManySteps) };
  return (frame) => {
    const value = of(frame);
    return value instanceof Fault ? value : convert(frame, value, faults);
  };
}

/** x.size(), text methods, list.exists(x, …), list.all(x, …). */
export function planMethod(name: string, of: ASTNode, args: readonly ASTNode[], node: ASTNode, place: Place): Part {
  const [first, second] = args;
  if (name === 'size' && first === undefined) return planFunction(name, [of], node, place);
  if (name === 'lowerAscii' && first === undefined) return planLowerAscii(of, node, place);
  const test = textTests[name];
  if (test !== undefined && first !== undefined && second === undefined)
    return planTextTest(test, of, first, node, place);
  if ((name === 'exists' || name === 'all') && first?.op === 'id' && second !== undefined && args.length === 2) {
    return planQuantifier(name === 'exists', of, first.args, second, node, place);
  }
  throw unknownFunction(name, node);
}

function unknownFunction(name: string, node: ASTNode): Fault {
  return faultAt(node, `there is no function ${name} of this form; there are ${functionNames.join(', ')}`);
}

/** Every function of the language, for its documentation and its errors. */
export const functionNames = [
  'has',
  'size',
  'double',
  'string',
  'contains',
  'startsWith',
  'endsWith',
  'lowerAscii',
  'exists',
  'all',
] as const;

type Convert = (frame: Frame, value: unknown, faults: { wrong: Fault; tooLarge: Fault }) => unknown;
const conversions: Record<string, Convert> = {
  size(frame, value, { wrong, tooLarge }) {
    const size = sizeOf(frame, value);
    return size === undefined ? tooLarge : (size ?? wrong);
  },
  double(_frame, value, { wrong }) {
    if (typeof value === 'number') return value;
    return typeof value === 'string' && decimal.test(value) ? Number(value) : wrong;
  },
  string(_frame, value, { wrong }) {
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : wrong;
  },
};
const decimal = /^[+-]?\d{1,30}(\.\d{1,30})?(e[+-]?\d{1,3})?$/i;

function planHas(of: ASTNode, node: ASTNode, place: Place): Part {
  if (of.op !== '.') throw faultAt(node, 'has() asks for a field, as in has(data.amount)');
  const [owner, name] = of.args;
  const value = place.plan(owner, place.bound);
  return (frame) => {
    const found = value(frame);
    return found instanceof Fault ? found : isObject(found) && Object.hasOwn(found, name);
  };
}

interface TextTest {
  holds(text: string, sought: string): boolean;
  spend(frame: Frame, text: string, sought: string): boolean;
}
const textTests: Record<string, TextTest> = {
  contains: { holds: (text, sought) => text.includes(sought), spend: spendOnSearch },
  startsWith: { holds: (text, sought) => text.startsWith(sought), spend: spendOnEnd },
  endsWith: { holds: (text, sought) => text.endsWith(sought), spend: spendOnEnd },
};

function spendOnEnd(frame: Frame, _text: string, sought: string): boolean {
  return spendOnText(frame, sought);
}

function planTextTest(test: TextTest, of: ASTNode, argument: ASTNode, node: ASTNode, place: Place): Part {
  const text = place.plan(of, place.bound);
  const sought = place.plan(argument, place.bound);
  const noText = faultAt(node, 'this asks a text about a text');
  const tooLarge = faultAt(node, tooManySteps);
  return (frame) => {
    const a = text(frame);
    if (a instanceof Fault) return a;
    const b = sought(frame);
    if (b instanceof Fault) return b;
    if (typeof a !== 'string' || typeof b !== 'string') return noText;
    return test.spend(frame, a, b) ? test.holds(a, b) : tooLarge;
  };
}

function planLowerAscii(of: ASTNode, node: ASTNode, place: Place): Part {
  const text = place.plan(of, place.bound);
  const noText = faultAt(node, 'lowerAscii() needs a text');
  const tooLarge = faultAt(node, tooManySteps);
  return (frame) => {
    const value = text(frame);
    if (value instanceof Fault) return value;
    if (typeof value !== 'string') return noText;
    return spendOnText(frame, value) ? value.toLowerCase() : tooLarge;
  };
}

/** One entry decides: a true one of exists(), a false one of all(), whatever the others are, even faults. */
function planQuantifier(
  deciding: boolean,
  of: ASTNode,
  name: string,
  condition: ASTNode,
  node: ASTNode,
  place: Place,
): Part {
  const list = place.plan(of, place.bound);
  const depth = place.bound.length;
  const holds = place.plan(condition, [...place.bound, name]);
  const stepsOfOne = 1 + countNodes(condition);
  const noList = faultAt(node, 'there is no list or object to go through');
  const noBoolean = faultAt(node, 'the condition on the entries has to be true or false');
  const tooLarge = faultAt(node, tooManySteps);
  return (frame) => {
    const value = list(frame);
    if (value instanceof Fault) return value;
    const entries = entriesOf(frame, value);
    if (entries === null) return noList;
    if (entries === undefined) return tooLarge;
    let fault: Fault | null = null;
    for (const entry of entries) {
      if (!spend(frame, stepsOfOne)) return tooLarge;
      frame.bound[depth] = entry;
      const verdict = holds(frame);
      if (verdict === deciding) return deciding;
      if (typeof verdict !== 'boolean') fault ??= verdict instanceof Fault ? verdict : noBoolean;
    }
    return fault ?? !deciding;
  };
}

/** Parts of an expression, each of which costs a step when it is in a loop. */
function countNodes(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + countNodes(each), 0);
  if (typeof value !== 'object' || value === null || !('op' in value) || !('args' in value)) return 0;
  return 1 + countNodes(value.args);
}
