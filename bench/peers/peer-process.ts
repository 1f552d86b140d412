import { eventId, makeSignedSender } from '../signed-sender.ts';
import type { Attempt, Job, MakePeer, PeerName, PeerWork } from './peer.ts';

/** Only the library that is asked for is loaded. */
const makers: Record<PeerName, () => Promise<MakePeer>> = {
  BullMQ: async () => (await import('./bullmq.ts')).makeBullmq,
  'graphile-worker': async () => (await import('./graphile-worker.ts')).makeGraphileWorker,
  'pg-boss': async () => (await import('./pg-boss.ts')).makePgBoss,
};

const work = JSON.parse(process.argv[2] ?? '') as PeerWork;
const sender = makeSignedSender(work);
let firstAt: number | null = null;

function deliver({ id, data }: Job): Promise<Attempt> {
  const sentAt = performance.now();
  firstAt ??= sentAt;
  return new Promise((resolve) => {
    sender.send(id, data, (status) => {
      resolve({ id, url: work.url, status, durationMs: Math.round(performance.now() - sentAt) });
    });
  });
}

const make = await makers[work.peer]();
const jobs = Array.from({ length: work.requests }, (_, index): Job => ({ id: eventId(index), data: work.data }));
const peer = await make(work, jobs);
await peer.work(deliver);
process.stdout.write(`seconds: ${(performance.now() - (firstAt ?? 0)) / 1_000}\n`);
await peer.close();
await sender.close();
process.exit(0);
