import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../support/server.ts';
import { several } from './several.ts';

/** What `npm run test:several` demands is 100, of 99 in 100, and of PostgreSQL too: here other tests take the same cores. */
const halfWithinMs = 1_000;

it('four processes on one SQLite file refuse nobody, claim nothing twice, and send what the others took', async () => {
  const folder = makeFolder();
  const databaseUrl = `file:${join(folder.path, 'p.db')}`;
  const { delayMs, ...result } = await several({ databaseUrl, ms: 1_500, perSecond: 40 });
  folder.remove();
  expect(result).toEqual({ published: 60, refused: [], lost: [], twice: [], miscounted: [] });
  expect(delayMs.p50).toBeLessThan(halfWithinMs);
}, 60_000);
