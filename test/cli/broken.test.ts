import { describe, expect, it } from 'vitest';
import { freshDatabase } from './here.ts';
import { start, startServer } from './process.ts';

/** A program whose writer's thread is ended by a signal, as V8 ends it when its memory is used up. */
const mortal = `--import=data:text/javascript,${encodeURIComponent(`
  import { isMainThread, Worker } from 'node:worker_threads';
  const { postMessage } = Worker.prototype;
  let thread;
  Worker.prototype.postMessage = function (...message) {
    thread = this;
    return postMessage.apply(this, message);
  };
  if (isMainThread) process.on('SIGUSR2', () => thread.terminate());
`)}`;
const message = 'posthorn: the thread that writes to the database has died: the writer thread has ended';

describe('a process whose writer has died', () => {
  it('ends with 1 and says why, so that its supervisor starts it again', async () => {
    const { env } = await freshDatabase();
    const server = await startServer(env, undefined, [mortal]);
    await server.line(/MCP http/);
    server.child.kill('SIGUSR2');
    const { code, stderr } = await server.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    const again = await startServer(env);
    expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
  });

  it('ends as an MCP server too', async () => {
    const { env } = await freshDatabase();
    const mcp = start(['mcp'], env, [mortal]);
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const call = { name: 'list_webhook_subscriptions', arguments: {} };
    for (const request of [
      { id: 1, method: 'initialize', params },
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/call', params: call },
    ]) {
      mcp.write(`${JSON.stringify({ jsonrpc: '2.0', ...request })}\n`);
    }
    await mcp.line(/"id":2/);
    mcp.child.kill('SIGUSR2');
    const { code, stderr } = await mcp.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
