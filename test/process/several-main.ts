import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../support/postgres.ts';
import { makeFolder } from '../support/server.ts';
import { several, type SeveralResult } from './several.ts';

/** `npm run test:several [-- --seconds 60 --rate 200]`: the long form of several.test.ts, on both engines. */
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, rate: { type: 'string', default: '200' } },
});
const delayMsMax = 100;
const folder = makeFolder();
const postgres = await startPostgres();
try {
  for (const databaseUrl of [`file:${join(folder.path, 'p.db')}`, postgres.url]) {
    const result = await several({
      databaseUrl,
      ms: Number(values.seconds) * 1_000,
      perSecond: Number(values.rate),
    });
    process.stdout.write(`${databaseUrl.split(':')[0]}: ${JSON.stringify(result)}\n`);
    if (!holds(result)) process.exitCode = 1;
  }
} finally {
  await postgres.stop();
  folder.remove();
}

function holds({ refused, lost, twice, miscounted, delayMs }: SeveralResult): boolean {
  return [refused, lost, twice, miscounted].every(({ length }) => length === 0) && delayMs.p99 <= delayMsMax;
}
