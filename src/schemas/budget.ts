import { RE2JS } from 're2js';

/** What one check may cost: some milliseconds, 100 at the very worst. A subschema that is applied costs a step. */
const stepsMax = 50_000;
const patternCharactersMax = 512;
/** Instructions of a compiled pattern. */
const patternSizeMax = 1_000;

/** Thrown to end a check. Checks run to their end before the next one begins, so that one count serves them all. */
export class TooManySteps extends Error {}

let stepsLeft = 0;

export function beginCheck(): void {
  stepsLeft = stepsMax;
}

export function spend(steps: number): void {
  stepsLeft -= steps;
  if (stepsLeft < 0) throw new TooManySteps();
}

/** Why a pattern is refused; null where it is not. */
export function patternFault(pattern: string): string | null {
  if (pattern.length > patternCharactersMax) return `must have at most ${patternCharactersMax} characters`;
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern)).programSize() > patternSizeMax
      ? 'is too large: count less in it'
      : null;
  } catch {
    return 'is not a regular expression of RE2, which has neither lookaround nor backreferences';
  }
}

/** A pattern in time that is linear in the text: JavaScript's own would take years for some. */
export function linearPattern(pattern: string): { test(text: string): boolean } {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  const size = compiled.programSize();
  return {
    test(text) {
      // Measured: up to 100 ns for each character and instruction.
      spend(1 + (text.length * size) / 8);
      return compiled.test(text);
    },
  };
}
linearPattern.code = 'linearPattern';
