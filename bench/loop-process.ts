import type { LoopWork } from './loop.ts';
import { eventId, makeSignedSender } from './signed-sender.ts';

const work = JSON.parse(process.argv[2] ?? '') as LoopWork;
const sender = makeSignedSender(work);
const startedAt = performance.now();
let begun = 0;
let answered = 0;

function sendOne(): void {
  sender.send(eventId(begun++), work.data, onAnswer);
}

function onAnswer(): void {
  answered++;
  if (begun < work.requests) sendOne();
  else if (answered === work.requests) finish();
}

function finish(): void {
  process.stdout.write(`seconds: ${(performance.now() - startedAt) / 1_000}\n`);
  void sender.close();
}

for (let slot = 0; slot < Math.min(work.concurrency, work.requests); slot++) sendOne();
