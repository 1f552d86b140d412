import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Variable, variables } from '../src/config/variables.ts';
import { packageRoot } from '../src/package.ts';
import { chooseTools, defaultToolGroups } from '../tools/index.ts';
import { packageServer } from './install-links.ts';

/**
 * What directories and desktop applications are told of the package, made from package.json and from code. `npm run docs`
 * writes the two files; a test finds them stale.
 */

const { name, mcpName, version, description, license, keywords, engines, bin } = JSON.parse(
  readFileSync(join(packageRoot, 'package.json'), 'utf8'),
) as {
  name: string;
  mcpName: string;
  version: string;
  description: string;
  license: string;
  keywords: string[];
  engines: { node: string };
  bin: { posthorn: string };
};

/** What somebody who adds Posthorn to a client may want to decide at once; the rest stands in the reference. */
const asked = [
  'DATABASE_URL',
  'POSTHORN_SECRET_KEY',
  'POSTHORN_API_KEY',
  'POSTHORN_ALLOW_TARGETS',
  'POSTHORN_NEW_HOSTS',
  'POSTHORN_TOOLS',
  'POSTHORN_READ_ONLY',
] as const;

/**
 * `server.json` of the MCP registry, schema 2025-12-11. Its name has to be `mcpName` of package.json, in a namespace that
 * the publisher can prove.
 */
export function registryEntry(): object {
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: mcpName,
    title: 'Posthorn',
    description: 'Self-hosted webhooks for AI agents: subscribe, publish, retry, ask why nothing arrived.',
    version,
    packages: [
      {
        registryType: 'npm',
        identifier: name,
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        packageArguments: [{ type: 'positional', value: 'mcp' }],
        environmentVariables: asked.map(environmentVariable),
      },
    ],
  };
}

function environmentVariable(variable: (typeof asked)[number]): object {
  const { meaning, example, secret }: Variable<unknown, string | null> = variables[variable];
  return {
    name: variable,
    description: meaning.replaceAll('`', ''),
    isRequired: false,
    isSecret: secret === true,
    ...(variable === 'DATABASE_URL' && { default: packageServer.env.DATABASE_URL }),
    // Some examples are commands for a shell, which no form can run.
    ...(!example.startsWith('"$(') && { placeholder: example }),
  };
}

/** `manifest.json` of an MCP bundle, version 0.3: https://github.com/modelcontextprotocol/mcpb/blob/main/MANIFEST.md */
export function bundleManifest(): object {
  return {
    manifest_version: '0.3',
    name,
    display_name: 'Posthorn',
    version,
    description,
    long_description:
      'Sends what your platform publishes to the URLs that you choose: signed, retried, every attempt logged. Ask for "send won deals to this URL" or "why did nothing arrive?". It delivers while the application runs.',
    author: { name: 'Posthorn contributors' },
    license,
    keywords,
    server: {
      type: 'node',
      entry_point: bin.posthorn,
      mcp_config: {
        command: 'node',
        args: [`\${__dirname}/${bin.posthorn}`, 'mcp'],
        env: {
          DATABASE_URL: 'file:${user_config.folder}/posthorn.db',
          POSTHORN_ALLOW_TARGETS: '${user_config.allow_targets}',
          POSTHORN_READ_ONLY: '${user_config.read_only}',
        },
      },
    },
    tools: chooseTools(defaultToolGroups, false).map((tool) => ({
      name: tool.name,
      description: firstSentence(tool.description),
    })),
    prompts_generated: true,
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: engines.node } },
    user_config: {
      folder: {
        type: 'directory',
        title: 'Folder',
        description: 'Where the database and the key of its secrets are kept',
        required: true,
        default: '${HOME}/.posthorn',
      },
      // Every one has a default: without, the placeholder itself would become the value.
      allow_targets: {
        type: 'string',
        title: 'Allowed private targets',
        description:
          'Networks and host names inside your network that may be called, such as 127.0.0.0/8,hooks.internal',
        required: false,
        default: '',
      },
      read_only: {
        type: 'boolean',
        title: 'Read only',
        description: 'Only tools that change nothing',
        required: false,
        default: false,
      },
    },
  };
}

function firstSentence(text: string): string {
  return text.split(/(?<=[.;]) /, 1)[0]?.replace(/;$/, '.') ?? text;
}

export const metadata: Record<string, () => object> = {
  'server.json': registryEntry,
  'packaging/manifest.json': bundleManifest,
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [path, make] of Object.entries(metadata)) {
    writeFileSync(join(packageRoot, path), `${JSON.stringify(make(), null, 2)}\n`);
  }
}
