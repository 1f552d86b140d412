import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../support/postgres.ts';
import { makeFolder } from '../support/server.ts';
import { crash, type CrashResult } from './crash.ts';

/** `npm run test:crash [-- --kills 200]`: the long form of crash.test.ts, on both engines. */
const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' } } });
const kills = Number(values.kills);
const folder = makeFolder();
const postgres = await startPostgres();
try {
  for (const databaseUrl of [`file:${join(folder.path, 'p.db')}`, postgres.url]) {
    const result = await crash({
      databaseUrl,
      kills,
      lifeMs: { min: 150, max: 400 },
      calmMs: 2_000,
      progress: (done, acknowledged) => {
        if (done % 10 === 0) process.stderr.write(`${done} of ${kills} kills, ${acknowledged} events acknowledged\n`);
      },
    });
    process.stdout.write(`${databaseUrl.split(':')[0]}: ${JSON.stringify(result)}\n`);
    if (!holds(result)) process.exitCode = 1;
  }
} finally {
  await postgres.stop();
  folder.remove();
}

function holds(result: CrashResult): boolean {
  const { lost, unlogged, undelivered, integrity, repeatsWithoutKills, repeatsOfOneKillMax } = result;
  const whole = lost.length === 0 && unlogged.length === 0 && undelivered === 0 && integrity === 'ok';
  return whole && repeatsWithoutKills === 0 && repeatsOfOneKillMax <= 64;
}
