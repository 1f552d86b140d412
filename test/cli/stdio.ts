import type { PosthornProcess } from './process.ts';

/** What a client of `posthorn mcp` says first. */
export const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
export const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };

export function send(mcp: PosthornProcess, ...messages: object[]): void {
  for (const message of messages) mcp.write(`${JSON.stringify(message)}\n`);
}

export function call(id: number, name: string, args: object = {}): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

export async function answer(mcp: PosthornProcess, id: number): Promise<{ result: Record<string, unknown> }> {
  const line = await mcp.line(new RegExp(`^\\{.*"id":${id}[,}]`));
  return JSON.parse(line) as { result: Record<string, unknown> };
}
