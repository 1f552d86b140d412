import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { makeAttemptLog, untilNone } from './attempt-log.ts';
import type { Job, MakePeer } from './peer.ts';

const queueName = 'deliveries';
const batchSize = 100;
const workers = 4;
const insertMax = 5_000;

/**
 * pg-boss, as its documentation advises for many jobs: batches, several workers, and fetching again at once while batches
 * come back full.
 */
export const makePgBoss: MakePeer = async ({ postgresUrl }, jobs) => {
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 4 });
  const boss = new PgBoss({ connectionString: postgresUrl, max: workers * 2, schedule: false });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(queueName);
  for (let from = 0; from < jobs.length; from += insertMax) {
    await boss.insert(
      queueName,
      jobs.slice(from, from + insertMax).map((data) => ({ data })),
    );
  }
  await pool.query('analyze');
  const log = await makeAttemptLog(pool);
  return {
    async work(deliver) {
      await boss.work(
        queueName,
        { batchSize, localConcurrency: workers, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
        async (batch) => void (await Promise.all(batch.map(async ({ data }) => log(await deliver(data as Job))))),
      );
      await untilNone(pool, "select 1 from pgboss.job where state < 'completed' limit 1");
    },
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
};
