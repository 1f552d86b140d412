import type { ASTNode, BinaryOperator } from '@marcbachmann/cel-js';
import { Fault, faultAt, type Frame, type Part, type Place, tooManySteps } from './frame.ts';
import { planFunction, planMethod } from './functions.ts';
import { contains, equal, isObject, spendOnText } from './values.ts';

/**
 * Makes functions of a tree that was parsed and checked. The library's own evaluator is not used: it takes no limit of steps,
 * and an expression that errs costs it 30 µs, which a thousand filters on a missing field pay at every event. Throws the
 * Fault of what is not part of the language.
 */
export function plan(node: ASTNode, text: string, bound: readonly string[] = []): Part {
  const place: Place = { text, bound, plan: (inner, names) => plan(inner, text, names) };
  const part = (inner: ASTNode) => plan(inner, text, bound);
  switch (node.op) {
    case 'value':
      return literal(node.args, faultAt(node, 'bytes are not part of the language'));
    case 'id':
      return variable(node.args, bound, faultAt(node, `there is no variable ${node.args}; use event and data`));
    case '.':
      return field(part(node.args[0]), node.args[1], node);
    case '[]':
      return index(part(node.args[0]), part(node.args[1]), node);
    case 'call':
      return planFunction(node.args[0], node.args[1], node, place);
    case 'rcall':
      return planMethod(node.args[0], node.args[1], node.args[2], node, place);
    case 'list':
      return list(node.args.map(part));
    case '?:':
      return choice(part(node.args[0]), part(node.args[1]), part(node.args[2]), node);
    case '||':
      return either(part(node.args[0]), part(node.args[1]), true, node);
    case '&&':
      return either(part(node.args[0]), part(node.args[1]), false, node);
    case '!_':
      return not(part(node.args), node);
    case '-_':
      return negative(part(node.args), node);
    case 'map':
    case '.?':
    case '[?]':
      throw faultAt(node, 'objects and optional fields are not part of the language');
    default:
      return binary(node.op, part(node.args[0]), part(node.args[1]), node);
  }
}

function literal(value: unknown, refused: Fault): Part {
  // JSON has one kind of number, so integers are compared as it reads them.
  if (typeof value === 'bigint') return constant(Number(value));
  if (value !== null && typeof value === 'object') throw refused;
  return constant(value);
}

function constant(value: unknown): Part {
  return () => value;
}

function variable(name: string, bound: readonly string[], unknown: Fault): Part {
  const depth = bound.lastIndexOf(name);
  if (depth >= 0) return (frame) => frame.bound[depth];
  if (name === 'data') return ({ subject }) => subject.data;
  if (name === 'event') return ({ subject }) => subject.event;
  throw unknown;
}

function field(of: Part, name: string, node: ASTNode): Part {
  const missing = faultAt({ input: node.input, start: node.pos }, `there is no field ${name}; guard it with has()`);
  return (frame) => {
    const value = of(frame);
    if (value instanceof Fault) return value;
    return isObject(value) && Object.hasOwn(value, name) ? value[name] : missing;
  };
}

function index(of: Part, at: Part, node: ASTNode): Part {
  const missing = faultAt(node, 'there is no such entry');
  return (frame) => {
    const value = of(frame);
    if (value instanceof Fault) return value;
    const key = at(frame);
    if (key instanceof Fault) return key;
    if (Array.isArray(value)) return typeof key === 'number' && key in value ? value[key] : missing;
    return isObject(value) && typeof key === 'string' && Object.hasOwn(value, key) ? value[key] : missing;
  };
}

function list(parts: Part[]): Part {
  return (frame) => {
    const values = parts.map((part) => part(frame));
    return values.find((value) => value instanceof Fault) ?? values;
  };
}

function choice(when: Part, then: Part, otherwise: Part, node: ASTNode): Part {
  const noBoolean = faultAt(node, 'what stands before ? has to be true or false');
  return (frame) => {
    const value = when(frame);
    if (typeof value === 'boolean') return value ? then(frame) : otherwise(frame);
    return value instanceof Fault ? value : noBoolean;
  };
}

/** `deciding`: the value that decides alone, whatever the other side is, even a fault. */
function either(left: Part, right: Part, deciding: boolean, node: ASTNode): Part {
  const noBoolean = faultAt(node, `${node.op} needs true or false on both sides`);
  return (frame) => {
    const first = left(frame);
    if (first === deciding) return deciding;
    const second = right(frame);
    if (second === deciding) return deciding;
    if (first instanceof Fault) return first;
    if (second instanceof Fault) return second;
    return typeof first === 'boolean' && typeof second === 'boolean' ? !deciding : noBoolean;
  };
}

function not(of: Part, node: ASTNode): Part {
  const noBoolean = faultAt(node, '! needs true or false');
  return (frame) => {
    const value = of(frame);
    return typeof value === 'boolean' ? !value : value instanceof Fault ? value : noBoolean;
  };
}

function negative(of: Part, node: ASTNode): Part {
  const noNumber = faultAt(node, '- needs a number');
  return (frame) => {
    const value = of(frame);
    return typeof value === 'number' ? -value : value instanceof Fault ? value : noNumber;
  };
}

function binary(op: BinaryOperator, left: Part, right: Part, node: ASTNode): Part {
  const apply = operator(op, node);
  return (frame) => {
    const a = left(frame);
    if (a instanceof Fault) return a;
    const b = right(frame);
    return b instanceof Fault ? b : apply(frame, a, b);
  };
}

type Apply = (frame: Frame, a: unknown, b: unknown) => unknown;

function operator(op: BinaryOperator, node: ASTNode): Apply {
  const tooLarge = faultAt(node, tooManySteps);
  switch (op) {
    case '==':
      return (frame, a, b) => equal(frame, a, b) ?? tooLarge;
    case '!=': {
      return (frame, a, b) => {
        const same = equal(frame, a, b);
        return same === undefined ? tooLarge : !same;
      };
    }
    case 'in': {
      const noContainer = faultAt(node, 'in needs a list or an object on its right');
      return (frame, a, b) => {
        const found = contains(frame, b, a);
        return found === undefined ? tooLarge : (found ?? noContainer);
      };
    }
    case '<':
      return comparison((a, b) => a < b, op, node, tooLarge);
    case '<=':
      return comparison((a, b) => a <= b, op, node, tooLarge);
    case '>':
      return comparison((a, b) => a > b, op, node, tooLarge);
    case '>=':
      return comparison((a, b) => a >= b, op, node, tooLarge);
    case '+':
      return arithmetic((a, b) => a + b, op, node);
    case '-':
      return arithmetic((a, b) => a - b, op, node);
    case '*':
      return arithmetic((a, b) => a * b, op, node);
    case '/':
    case '%':
      throw faultAt(node, `${op} is not part of the language`);
  }
}

function comparison(
  holds: (a: number | string, b: number | string) => boolean,
  op: string,
  node: ASTNode,
  tooLarge: Fault,
): Apply {
  const notComparable = faultAt(node, `${op} compares two numbers or two texts`);
  return (frame, a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return holds(a, b);
    if (typeof a !== 'string' || typeof b !== 'string') return notComparable;
    return spendOnText(frame, a.length < b.length ? a : b) ? holds(a, b) : tooLarge;
  };
}

function arithmetic(apply: (a: number, b: number) => number, op: string, node: ASTNode): Apply {
  const noNumbers = faultAt(node, `${op} needs two numbers`);
  return (_frame, a, b) => (typeof a === 'number' && typeof b === 'number' ? apply(a, b) : noNumbers);
}
