import { parentPort, workerData } from 'node:worker_threads';
import type { HealthLimits } from '../../core/rules/health.ts';
import { openWriter } from './connection.ts';
import type { WriterReply, WriterRequest } from './messages.ts';
import { fault, makeReply } from './reply.ts';

/**
 * The writer's thread: the one connection of this process that writes. It answers each message with one reply, in order.
 * Here the disk may take its time; the event loop of the main thread never waits for it.
 */
if (parentPort === null) throw new Error('writer.ts is started as a worker thread only');
const port = parentPort;
const { path, limits } = workerData as { path: string; limits: HealthLimits };

let reply: (request: WriterRequest) => WriterReply;
try {
  reply = makeReply(openWriter(path), limits);
  port.postMessage({ kind: 'done' });
} catch (error) {
  port.postMessage({ kind: 'failed', error: fault(error) });
}
port.on('message', (request: WriterRequest) => {
  port.postMessage(reply(request));
  if (request.kind === 'close') port.close();
});
