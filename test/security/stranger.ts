import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import { listen, onRequest } from '../net/receiver.ts';
import { makeAuthority } from './certificate.ts';

/** A receiver that plants a text wherever an answer has room for one, and another in whose certificate every name is one. */
export interface Stranger {
  /** Where it is answered. */
  port: number;
  /** Where TLS begins, and fails. */
  tlsPort: number;
  /** PEM: who vouches for its certificates. */
  authority: string;
  /** Tells it what to say from now on, and whether somebody vouches for the certificate that says it. */
  plant(text: string, isVouched?: boolean): void;
  close(): Promise<void>;
}

export async function startStranger(): Promise<Stranger> {
  let planted = '';
  let answers = 0;
  const http = await listen(onRequest((socket) => answer(socket, planted, answers++)));
  const [known, unknown] = [makeAuthority('known'), makeAuthority('unknown')];
  const tls = createServer(known.issue(''), (socket) => socket.destroy()).on('tlsClientError', () => {});
  await new Promise<void>((resolve) => {
    tls.listen(0, '127.0.0.1', () => resolve());
  });
  const address = tls.address();
  return {
    port: http.port,
    tlsPort: address !== null && typeof address === 'object' ? address.port : 0,
    authority: known.cert,
    plant(text, isVouched = true) {
      planted = text;
      tls.setSecureContext((isVouched ? known : unknown).issue(text));
    },
    async close() {
      tls.close();
      await http.close();
    },
  };
}

function answer(socket: Socket, text: string, nth: number): void {
  // Where a line must be one line, what would break it off is left out; in the body stands all.
  const line = Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[\u0000-\u001f\u007f]/g, '');
  const status = [200, 302, 400, 500, 503][nth % 5];
  const body = Buffer.from(text);
  socket.write(
    `HTTP/1.1 ${status} ${line}\r\nlocation: https://evil.example/${line}\r\nretry-after: ${line}\r\n`,
    'latin1',
  );
  socket.write(
    `x-note: ${line}\r\nserver: ${line}\r\ncontent-type: ${line}\r\ncontent-length: ${body.length}\r\n\r\n`,
    'latin1',
  );
  socket.write(body);
}
