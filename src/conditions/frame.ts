import type { ASTNode } from '@marcbachmann/cel-js';
import type { ConditionFault, ConditionSubject } from '../core/ports/conditions.ts';

/** What one evaluation has at hand. */
export interface Frame {
  subject: ConditionSubject;
  /** Values of the variables that exists() and all() bind, by their depth. */
  bound: unknown[];
  stepsLeft: number;
}

/** One planned part of an expression: a value of JSON, or a fault. Faults are values, since throwing costs more than everything else. */
export type Part = (frame: Frame) => unknown;

/** Why an expression has no value. Made once, when it is compiled. */
export class Fault implements ConditionFault {
  readonly reason: string;
  readonly line: number;
  readonly column: number;

  constructor(reason: string, text: string, offset: number) {
    const before = text.slice(0, offset).split('\n');
    this.reason = reason;
    this.line = before.length;
    this.column = (before.at(-1) ?? '').length + 1;
  }
}

export function faultAt(node: { input: string; start: number }, reason: string): Fault {
  return new Fault(reason, node.input, node.start);
}

export const tooManySteps = 'this event is too large for the expression';

/** What planning needs to know of the place where it is. */
export interface Place {
  /** The whole expression. */
  text: string;
  /** Names that exists() and all() bound around it, outermost first. */
  bound: readonly string[];
  plan(node: ASTNode, bound: readonly string[]): Part;
}

/** Takes steps off what is left; false when that was too much. */
export function spend(frame: Frame, steps: number): boolean {
  frame.stepsLeft -= steps;
  return frame.stepsLeft >= 0;
}
