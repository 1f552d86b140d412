import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Core } from '../../src/core/core.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Principal } from '../../src/core/types.ts';
import { makeMcpHandler } from '../../src/mcp/http.ts';
import { defaultToolGroups } from '../../tools/index.ts';
import { recordingLog } from './fake-core.ts';

/** The MCP face alone on a real socket: whoever calls is `principal`, since keys are checked in front of it. */
export async function listenMcp(
  core: Core,
  principal: Principal,
  more: { log?: Log; readOnly?: boolean; groups?: string[]; resourceMetadataUrl?: () => string } = {},
): Promise<{ url: URL; close(): Promise<void> }> {
  const handler = makeMcpHandler({
    readOnly: false,
    ...more,
    core,
    groups: more.groups ?? [...defaultToolGroups],
    version: '0.0.0-test',
    log: more.log ?? recordingLog(),
  });
  const answer = getRequestListener((request) => handler.fetch(request, principal));
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/mcp`),
    async close() {
      await handler.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
