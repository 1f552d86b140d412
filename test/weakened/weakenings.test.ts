import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/package.ts';
import { weakenings } from './weakenings.ts';

it('every guard that can be taken out is there once, and so are the tests that have to notice', () => {
  for (const { guard, file, from, to, tests } of weakenings) {
    expect(readFileSync(join(packageRoot, file), 'utf8').split(from), guard).toHaveLength(2);
    expect(to, guard).not.toBe(from);
    expect(existsSync(join(packageRoot, tests)), guard).toBe(true);
  }
});
