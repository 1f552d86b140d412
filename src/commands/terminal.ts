import { styleText } from 'node:util';

/** What a command may do to the outside: print, and wait for the end. Exit codes and signals are main's. */
export interface Terminal {
  /** A line for stdout: results, and nothing else. */
  out: (line: string) => void;
  /** A line for stderr: what is said to people. */
  err: (line: string) => void;
  /** Colors for stdout; plain text where it is no terminal or NO_COLOR is set. */
  paint: Paint;
  /** The same for stderr. */
  paintErr: Paint;
  stdin: AsyncIterable<Buffer | string>;
  /** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
  stopSignal: () => AbortSignal;
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something failed that has been explained already: exit code 1 without another word. */
export class Failed extends Error {
  override readonly name = 'Failed';
}

/** Colors `text` when `stream` is a terminal that wants it. */
export function painter(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}

/** Text of strangers or of files, on one or more lines, without anything that a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    character === '\n' || character === '\t' ? character : '·',
  );
}

/** The same on one line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]/g, ' ');
}

/** Rows under headings, columns padded. */
export function table(paint: Paint, headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [paint('dim', line(headings)), ...rows.map(line)];
}
