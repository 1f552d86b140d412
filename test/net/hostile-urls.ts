import { readFileSync } from 'node:fs';

/** A URL with what has to become of it. */
export interface Case {
  url: string;
  verdict: 'allow' | 'block';
  why: string;
  stage: string;
  /** What its name answers; nothing: it does not resolve. */
  resolves?: string[];
}

export const corpus = ['hostile-urls.json', 'more-hostile-urls.json'].flatMap(
  (name) => JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')) as Case[],
);
