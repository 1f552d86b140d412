import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/package.ts';
import { weakenings } from './weakenings.ts';

it('every guard that can be taken out is there once, and so are the tests that have to notice', () => {
  const rotten = weakenings.filter(({ file, from, to, tests }) => {
    const places = readFileSync(join(packageRoot, file), 'utf8').split(from).length - 1;
    return places !== 1 || to === from || !existsSync(join(packageRoot, tests));
  });
  expect(rotten).toEqual([]);
});
