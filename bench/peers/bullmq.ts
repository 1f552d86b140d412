import { Queue, Worker } from 'bullmq';
import type { Attempt, Job, MakePeer } from './peer.ts';

const queueName = 'deliveries';
const bulkMax = 1_000;

/**
 * BullMQ. Its guide advises one worker with a concurrency for work that waits for the network. A completed job stays with
 * what its handler returned, which is its row in the log: nothing cheaper would be durable.
 */
export const makeBullmq: MakePeer = async ({ redisPort, concurrency }, jobs) => {
  const options = { connection: { host: '127.0.0.1', port: redisPort ?? 0 } };
  const queue = new Queue<Job>(queueName, options);
  for (let from = 0; from < jobs.length; from += bulkMax) {
    await queue.addBulk(jobs.slice(from, from + bulkMax).map((data) => ({ name: 'deliver', data })));
  }
  let worker: Worker<Job, Attempt> | null = null;
  return {
    work: (deliver) =>
      new Promise((resolve, reject) => {
        let completed = 0;
        worker = new Worker(queueName, ({ data }) => deliver(data), { ...options, concurrency, autorun: false });
        worker.on('failed', (_job, error) => reject(error));
        worker.on('error', reject);
        worker.on('completed', () => {
          if (++completed === jobs.length) resolve();
        });
        worker.run().catch(reject);
      }),
    async close() {
      await worker?.close();
      await queue.close();
    },
  };
};
