import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioClientTransport1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpClientTransport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** Where a server is: behind a URL, or a command that is started. */
export type Place =
  | { url: URL; headers?: Record<string, string> }
  | { command: string; args: string[]; env: Record<string, string>; cwd?: string };

export interface ToolAnswer {
  isError?: boolean | undefined;
  structuredContent?: unknown;
  content: { type: string; text?: string }[];
}

/** What the clients of both SDKs can do, as far as a Posthorn server is concerned. */
export interface AnyClient {
  version(): string | undefined;
  instructions(): string | undefined;
  listTools(): Promise<{ name: string; annotations?: object | undefined; outputSchema?: object | undefined }[]>;
  callTool(name: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  listResources(): Promise<string[]>;
  listResourceTemplates(): Promise<string[]>;
  /** The text of the resource's only content. */
  readResource(uri: string): Promise<string>;
  /** The text of the prompt's only message. */
  getPrompt(name: string, args: Record<string, string>): Promise<string>;
  complete(
    ref: { type: 'ref/resource'; uri: string } | { type: 'ref/prompt'; name: string },
    name: string,
    value: string,
  ): Promise<string[]>;
  close(): Promise<void>;
}

export const clientKinds = ['2.x legacy', '2.x auto', '2.x pinned', '1.32'] as const;
export type ClientKind = (typeof clientKinds)[number];

/** The revision that each client and Posthorn agree on. */
export const versionOf: Record<ClientKind, string> = {
  '2.x legacy': '2025-11-25',
  '2.x auto': '2026-07-28',
  '2.x pinned': '2026-07-28',
  '1.32': '2025-11-25',
};

export async function connect(kind: ClientKind, place: Place): Promise<AnyClient> {
  const about = { name: 'posthorn-test', version: '1.0.0' };
  if (kind === '1.32') {
    const client = new Client1(about);
    const transport =
      'url' in place
        ? new HttpClientTransport1(place.url, { requestInit: { headers: place.headers ?? {} } })
        : new StdioClientTransport1({ ...place, stderr: 'pipe' });
    await client.connect(transport);
    return wrap(client as unknown as Client, () => transportVersion(transport));
  }
  const mode = kind === '2.x legacy' ? 'legacy' : kind === '2.x auto' ? 'auto' : { pin: '2026-07-28' };
  const client = new Client(about, { versionNegotiation: { mode } });
  const transport =
    'url' in place
      ? new StreamableHTTPClientTransport(place.url, { requestInit: { headers: place.headers ?? {} } })
      : new StdioClientTransport({ ...place, stderr: 'pipe' });
  await client.connect(transport);
  return wrap(client, () => client.getNegotiatedProtocolVersion());
}

function transportVersion(transport: object): string | undefined {
  return 'protocolVersion' in transport ? String(transport.protocolVersion) : undefined;
}

function wrap(client: Client, version: () => string | undefined): AnyClient {
  return {
    version,
    instructions: () => client.getInstructions(),
    listTools: async () => (await client.listTools()).tools,
    callTool: (name, args = {}) => client.callTool({ name, arguments: args }),
    listResources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    listResourceTemplates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    async readResource(uri) {
      const [content] = (await client.readResource({ uri })).contents;
      return content !== undefined && 'text' in content ? content.text : '';
    },
    async getPrompt(name, args) {
      const [message] = (await client.getPrompt({ name, arguments: args })).messages;
      return message?.content.type === 'text' ? message.content.text : '';
    },
    complete: async (ref, name, value) => (await client.complete({ ref, argument: { name, value } })).completion.values,
    close: () => client.close(),
  };
}
