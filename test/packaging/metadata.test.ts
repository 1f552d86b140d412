import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { metadata } from '../../packaging/metadata.ts';
import { productionFiles } from '../../packaging/production-files.ts';
import { variables } from '../../src/config.ts';
import { packageRoot } from '../../src/package.ts';
import { chooseTools, defaultToolGroups } from '../../tools/index.ts';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');
const about = z
  .looseObject({
    name: z.string(),
    mcpName: z.string(),
    version: z.string(),
    exports: z.record(z.string(), z.record(z.string(), z.string())),
    bin: z.record(z.string(), z.string()),
    files: z.array(z.string()),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read('package.json')));

describe('metadata', () => {
  it.each(Object.entries(metadata))('%s is what the code makes; "npm run docs" writes it', (path, make) => {
    expect(JSON.parse(read(path))).toEqual(make());
  });
});

describe('server.json', () => {
  /** The limits of the registry's schema 2025-12-11, as far as this entry uses it. */
  const entry = z.strictObject({
    $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
    name: z
      .string()
      .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/)
      .min(3)
      .max(200),
    title: z.string().min(1).max(100),
    description: z.string().min(1).max(100),
    version: z.string().max(255),
    packages: z.tuple([
      z.strictObject({
        registryType: z.literal('npm'),
        identifier: z.string(),
        version: z.string(),
        runtimeHint: z.literal('npx'),
        transport: z.strictObject({ type: z.literal('stdio') }),
        packageArguments: z.array(z.strictObject({ type: z.literal('positional'), value: z.string() })),
        environmentVariables: z.array(
          z.strictObject({
            name: z.string(),
            description: z.string(),
            isRequired: z.boolean(),
            isSecret: z.boolean(),
            default: z.string().optional(),
            placeholder: z.string().optional(),
          }),
        ),
      }),
    ]),
  });

  it('names this package, its version and variables that exist', () => {
    const { name, version, packages } = entry.parse(JSON.parse(read('server.json')));
    const [{ identifier, version: packageVersion, environmentVariables }] = packages;
    expect({ name, version, identifier, packageVersion }).toEqual({
      name: about.mcpName,
      version: about.version,
      identifier: about.name,
      packageVersion: about.version,
    });
    for (const variable of environmentVariables) {
      expect(Object.keys(variables)).toContain(variable.name);
      expect(variable.isSecret).toBe('secret' in variables[variable.name as keyof typeof variables]);
    }
  });
});

describe('the manifest of the bundle', () => {
  const manifest = z
    .looseObject({
      manifest_version: z.literal('0.3'),
      version: z.string(),
      server: z.strictObject({
        type: z.literal('node'),
        entry_point: z.string(),
        mcp_config: z.strictObject({
          command: z.literal('node'),
          args: z.array(z.string()),
          env: z.record(z.string(), z.string()),
        }),
      }),
      tools: z.array(z.strictObject({ name: z.string(), description: z.string() })),
      user_config: z.record(z.string(), z.looseObject({ default: z.unknown() })),
    })
    .parse(JSON.parse(read('packaging/manifest.json')));

  it('names the version, the entry and the tools that there are', () => {
    expect(manifest.version).toBe(about.version);
    expect(manifest.server.entry_point).toBe(about.bin['posthorn']);
    expect(manifest.server.mcp_config.args).toEqual([`\${__dirname}/${manifest.server.entry_point}`, 'mcp']);
    expect(existsSync(join(packageRoot, manifest.server.entry_point))).toBe(true);
    const names = chooseTools(defaultToolGroups, false).map(({ name }) => name);
    expect(manifest.tools.map(({ name }) => name)).toEqual(names);
    for (const { description } of manifest.tools) expect(description).toMatch(/^[A-Z].{20,200}\.$/);
  });

  it('sets variables that exist, from what the user is asked and has a default', () => {
    const { env } = manifest.server.mcp_config;
    for (const [name, value] of Object.entries(env)) {
      expect(Object.keys(variables)).toContain(name);
      const key = /\$\{user_config\.(\w+)\}/.exec(value)?.[1] ?? '';
      expect(manifest.user_config[key]?.default).toBeDefined();
    }
    expect(Object.keys(env)).toHaveLength(Object.keys(manifest.user_config).length);
  });
});

describe('the package', () => {
  it('exports what is compiled from files that exist', () => {
    const targets = Object.values(about.exports).flatMap((conditions) => Object.values(conditions));
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) {
      const source = /^\.\/dist\/(src\/.+?)(?:\.d\.ts|\.js)$/.exec(target)?.[1];
      expect([target, existsSync(join(packageRoot, `${source}.ts`))]).toEqual([target, true]);
    }
  });

  it('brings the tables, which are read when a database is made', () => {
    expect(about.files).toEqual(expect.arrayContaining(['bin', 'dist', 'schema.sql', 'schema.postgres.sql']));
  });
});

describe('npm ci', () => {
  it('compiles nothing and asks for no compiler: "npm install" drops `gypfile` from the lock, where it has to be put back', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { gypfile?: boolean }> };
    const native = globSync('node_modules/{*,@*/*}/binding.gyp', { cwd: packageRoot }).map((path) => dirname(path));
    expect(native.map((path) => [path, packages[path]?.gypfile])).toEqual([['node_modules/better-sqlite3', false]]);
  });
});

describe('the production files', () => {
  const files = productionFiles(packageRoot);
  const packages = new Set(files.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]));

  it('are those of every dependency and of no development dependency', () => {
    expect(Object.keys(about.dependencies).filter((name) => !packages.has(name))).toEqual([]);
    expect(Object.keys(about.devDependencies).filter((name) => packages.has(name))).toEqual([]);
  });

  it('hold the database for every platform, and nothing that only people and compilers read', () => {
    const prebuilt = files.filter((path) => path.startsWith('node_modules/better-sqlite3/prebuilds/'));
    expect(prebuilt).toHaveLength(8);
    expect(files.filter((path) => /\.(map|ts|cpp)$|better-sqlite3\/(build|deps)\//.test(path))).toEqual([]);
    expect(files).toContain('node_modules/better-sqlite3/LICENSE');
  });
});
