/** A server as a client's configuration describes it. */
export type Described =
  | { command: string; args: string[]; env: Record<string, string> }
  | { url: string; headers: Record<string, string> };

/** What the snippets of the README say, in its order: each with the text it was read from. */
export function serversIn(markdown: string): { snippet: string; server: Described }[] {
  return [...markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(
    ([, language = '', snippet = '']) => readers[language]?.(snippet).map((server) => ({ snippet, server })) ?? [],
  );
}

const readers: Record<string, (snippet: string) => Described[]> = {
  json: inJson,
  toml: inToml,
  '': (snippet) => snippet.split('\n').flatMap(inCommand),
};

interface Entry {
  command?: string;
  args?: string[];
  env?: Record<string, string>;
  url?: string;
  headers?: Record<string, string>;
  bearer_token_env_var?: string;
}

/** `claude_desktop_config.json`, `.cursor/mcp.json`, `.vscode/mcp.json`. */
function inJson(snippet: string): Described[] {
  const { mcpServers, servers } = JSON.parse(snippet) as Record<string, Record<string, Entry> | undefined>;
  return Object.values(mcpServers ?? servers ?? {}).map(described);
}

/** `config.toml` of Codex. Its strings and lists are JSON; a table on one line is, but for its names and signs. */
function inToml(snippet: string): Described[] {
  const [head, ...lines] = snippet.trim().split('\n');
  if (!/^\[mcp_servers\.\w+\]$/.test(head ?? '')) throw new Error(`not a table of servers: ${head}`);
  const entries = lines.map((line) => {
    const [, name = '', value = ''] = /^(\w+) = (.+)$/.exec(line) ?? [];
    return [name, JSON.parse(value.replaceAll(/(\w+) = /g, '"$1": '))] as const;
  });
  return [described(Object.fromEntries(entries))];
}

/** `claude mcp add …`. */
function inCommand(line: string): Described[] {
  if (!line.startsWith('claude mcp add ')) return [];
  const [options = '', command] = line.split(' -- ');
  if (command === undefined) {
    const [, url] = / (https?:\S+)/.exec(options) ?? [];
    const [, name = '', value = ''] = / --header "(\S+): (.+)"/.exec(options) ?? [];
    return [described({ ...(url !== undefined && { url }), headers: { [name]: value } })];
  }
  const [program = '', ...args] = command.split(' ');
  const env = [...options.matchAll(/ --env (\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const);
  return [described({ command: program, args, env: Object.fromEntries(env) })];
}

function described({ command, args = [], env = {}, url, headers, bearer_token_env_var: variable }: Entry): Described {
  if (command !== undefined) return { command, args, env };
  if (url === undefined) throw new Error('neither a command nor a URL');
  return { url, headers: headers ?? (variable === undefined ? {} : { Authorization: 'Bearer YOUR_KEY' }) };
}
