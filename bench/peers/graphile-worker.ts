import { Logger, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { makeAttemptLog, untilNone } from './attempt-log.ts';
import type { Job, MakePeer } from './peer.ts';

/** One by one, each job would take longer than the one before. */
const addJobs = `select count(*) from graphile_worker.add_jobs(array(
  select json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'deliver', 'payload', job))
  from json_array_elements($1::json) job))`;

/**
 * graphile-worker, as its page on performance advises: a local queue of 500, jobs completed in batches without a delay, a
 * connection more than jobs at once.
 */
export const makeGraphileWorker: MakePeer = async ({ postgresUrl, concurrency }, jobs) => {
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 4 });
  await runMigrations({ connectionString: postgresUrl });
  await pool.query(addJobs, [JSON.stringify(jobs)]);
  await pool.query('analyze');
  const log = await makeAttemptLog(pool);
  return {
    async work(deliver) {
      const runner = await run({
        preset: {
          worker: {
            connectionString: postgresUrl,
            maxPoolSize: concurrency + 1,
            concurrentJobs: concurrency,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
        taskList: { deliver: async (payload) => log(await deliver(payload as Job)) },
        logger: new Logger(() => () => {}),
        noHandleSignals: true,
      });
      await untilNone(pool, 'select 1 from graphile_worker._private_jobs limit 1');
      await runner.stop();
    },
    close: () => pool.end(),
  };
};
