import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { SinkMessage } from './bundled.ts';

/**
 * The bundled receiver: it reads requests that have a content-length, answers 200 without a body, and counts. It works on
 * bare sockets, as Node's HTTP server would need more of the machine than what is being measured.
 */

const headEnd = Buffer.from('\r\n\r\n');
const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const headBytesMax = 64 * 1_024;
let received = 0;

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let bytes = requestBytes(rest); bytes !== null && bytes <= rest.length; bytes = requestBytes(rest)) {
      received++;
      rest = rest.subarray(bytes);
      socket.write(answer);
    }
    if (rest.length > headBytesMax && requestBytes(rest) === null) socket.destroy();
  });
}

/** How long the first request in these bytes is; null when its head has not come whole. */
function requestBytes(bytes: Buffer): number | null {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  return end + headEnd.length + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}

const server = createServer(serve);
const tell = (message: SinkMessage) => process.send?.(message);
server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () =>
  tell({ port: (server.address() as AddressInfo).port }),
);
process.on('message', () => tell({ received }));
// Whoever started it is gone.
process.on('disconnect', () => process.exit(0));
