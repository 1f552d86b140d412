import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type LoopWork, runLoop } from './loop.ts';
import { publish, startServer, subscribe } from './server.ts';
import type { Stage } from './stage.ts';

/** A comparison is worth nothing when the two send different things. Throws unless requests have the same headers and sizes. */
export async function checkSameRequest(stage: Stage, work: LoopWork): Promise<void> {
  const server = createServer();
  stage.later(async () => server.close().closeAllConnections());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  const ours = shapeOfNext(server);
  const posthorn = await startServer({ folder: join(stage.folder, 'same-request') });
  stage.later(() => posthorn.stop());
  await subscribe(posthorn, url);
  await publish(posthorn, 1);
  const expected = await ours;
  await posthorn.stop();
  const theirs = shapeOfNext(server);
  await runLoop(stage, { ...work, url, requests: 1 });
  const found = await theirs;
  if (found !== expected) throw new Error(`Posthorn and the loop send different requests:\n${expected}\n${found}`);
}

/** Names and lengths of the headers of the next request, and the length of its body. */
async function shapeOfNext(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve) => {
    server.once('request', (request: IncomingMessage, response) => {
      const headers = Object.entries(request.headers)
        .filter(([name]) => name !== 'host')
        .map(([name, value]) => `${name} ${String(value).length}`);
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => {
        response.end();
        resolve([...headers.toSorted(), `body ${bytes}`].join('\n'));
      });
    });
  });
}
