import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package.ts';
import { readSource, type Source } from '../tidy-source.ts';

/**
 * Every call to a stranger goes through the one guarded client. Held by reading what each file imports: whatever can open
 * a connection belongs to src/net, but for what is listed here with its reason.
 */

interface Rule {
  from: RegExp;
  /** Names that open nothing, free for all. */
  harmless?: string[];
  /** Who may have the rest. */
  owners: Record<string, string>;
}

const guarded = { 'src/net/': 'the one client' };
const rules: Rule[] = [
  { from: /^undici$/, owners: guarded },
  { from: /^node:net$/, harmless: ['isIP', 'isIPv4', 'isIPv6'], owners: guarded },
  { from: /^node:(tls|dns|dns\/promises)$/, owners: guarded },
  { from: /^node:(https|http2|dgram|child_process|cluster|inspector|vm|repl)$/, owners: {} },
  {
    from: /^(\?|node:module)$/,
    owners: {
      'bin/posthorn.js': 'loads main.ts, compiled or as it is',
      'src/http/dashboard/assets.ts': 'finds the files of htmx and uPlot',
    },
  },
  {
    from: /^node:http$/,
    harmless: ['createServer'],
    owners: { 'bin/healthcheck.js': 'asks the server of its own container whether it is well' },
  },
  { from: /^pg$/, owners: { 'src/store/postgres/': 'the database that the operator named' } },
  {
    from: /^@modelcontextprotocol\/client/,
    owners: { 'src/commands/demo.ts': 'talks to the server that it started itself' },
  },
];
const globals: Record<string, Record<string, string>> = {
  fetch: { 'src/commands/demo.ts': 'publishes to the server that it started itself' },
  WebSocket: {},
  EventSource: {},
  XMLHttpRequest: {},
  // Ways around the names above.
  globalThis: {},
  require: {},
  eval: {},
};

/** Packages that open no connection by themselves. A new one is looked at before it is listed here. */
const quiet = new Set([
  '@hono/node-server',
  '@hono/zod-openapi',
  '@modelcontextprotocol/server',
  '@marcbachmann/cel-js',
  'ajv',
  'ajv-formats',
  'better-sqlite3',
  'commander',
  'hono',
  'ipaddr.js',
  'kysely',
  'p-retry',
  'pino',
  'prom-client',
  're2js',
  'typeid-js',
  'zod',
]);

const isOwned = (path: string, owners: Record<string, string>) =>
  Object.keys(owners).some((owner) => (owner.endsWith('/') ? path.startsWith(owner) : path === owner));
const packageOf = (from: string) =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
const bare = (from: string) =>
  from.replace(/^(?=(net|tls|dns|http|https|http2|dgram|child_process|cluster|module|vm)(\/|$))/, 'node:');

function importFaults({ path, imports }: Source): string[] {
  return imports
    .filter(({ isType }) => !isType)
    .flatMap(({ from: written, names, line }) => {
      if (written.startsWith('.')) return [];
      const from = bare(written);
      const fault = [`${path}:${line} imports ${from}`];
      const rule = rules.find((each) => each.from.test(from));
      if (rule === undefined) return from.startsWith('node:') || quiet.has(packageOf(from)) ? [] : fault;
      const taken = names.filter((name) => !(rule.harmless ?? []).includes(name));
      return taken.length === 0 || isOwned(path, rule.owners) ? [] : fault;
    });
}

function outboundFaults(sources: Source[]): string[] {
  return sources.flatMap((source) => [
    ...importFaults(source),
    ...source.uses
      .filter(({ name }) => name in globals && !isOwned(source.path, globals[name] ?? {}))
      .map(({ name, line }) => `${source.path}:${line} uses ${name}`),
  ]);
}

const sources = globSync(['{src,tools}/**/*.ts', 'bin/*.js'], { cwd: packageRoot })
  .map((path) => path.replaceAll('\\', '/'))
  .toSorted()
  .map((path) => readSource(path, readFileSync(join(packageRoot, path), 'utf8')));

describe('every outbound call', () => {
  it('goes through the one client: nothing else can open a connection', () => {
    expect(outboundFaults(sources)).toEqual([]);
    expect(sources.length).toBeGreaterThan(100);
  });

  it.each([
    ["import { request } from 'undici';", 'imports undici'],
    ["import * as undici from 'undici';", 'imports undici'],
    ["const { request } = await import('undici');", 'imports undici'],
    ["export { Agent } from 'undici';", 'imports undici'],
    ["import { connect } from 'node:net';", 'imports node:net'],
    ["import { isIP, connect } from 'node:net';", 'imports node:net'],
    ["import net from 'net';", 'imports node:net'],
    ["import { connect } from 'tls';", 'imports node:tls'],
    ["import { get } from 'node:http';", 'imports node:http'],
    ["import http from 'node:http';", 'imports node:http'],
    ["import { get } from 'https';", 'imports node:https'],
    ["import { connect } from 'node:http2';", 'imports node:http2'],
    ["import { createSocket } from 'node:dgram';", 'imports node:dgram'],
    ["import { lookup } from 'node:dns/promises';", 'imports node:dns/promises'],
    ["import { Resolver } from 'dns';", 'imports node:dns'],
    ["import { spawn } from 'node:child_process';", 'imports node:child_process'],
    ["import { createRequire } from 'node:module';", 'imports node:module'],
    ["import { Pool } from 'pg';", 'imports pg'],
    ["import { Client } from '@modelcontextprotocol/client';", 'imports @modelcontextprotocol/client'],
    ["import axios from 'axios';", 'imports axios'],
    ["const name = 'undici';\nawait import(name);", 'imports ?'],
    ["await fetch('https://example.com');", 'uses fetch'],
    ['const call = fetch;', 'uses fetch'],
    ["await globalThis.fetch('https://example.com');", 'uses globalThis'],
    ["new WebSocket('wss://example.com');", 'uses WebSocket'],
    ["new EventSource('https://example.com');", 'uses EventSource'],
    ["require('node:net');", 'uses require'],
  ])('would be missed if a file said %s', (text, fault) => {
    expect(outboundFaults([readSource('src/core/journey/x.ts', text)]).join()).toContain(fault);
  });

  it.each([
    "import type { Dispatcher } from 'undici';",
    "import { type IncomingMessage, createServer } from 'node:http';",
    "import { isIP } from 'node:net';",
    'const handler = { fetch(request) { return answer(request); } };\napp.fetch(request);',
  ])('is not: %s', (text) => {
    expect(outboundFaults([readSource('src/http/x.ts', text)])).toEqual([]);
  });

  it('has no exception that nobody needs', () => {
    const owners = [...rules.map((rule) => rule.owners), ...Object.values(globals)].flatMap(Object.keys);
    const withoutThem = sources.map((source) => ({ ...source, path: `elsewhere/${source.path}` }));
    const faults = outboundFaults(withoutThem);
    expect(owners.filter((owner) => !faults.some((fault) => fault.startsWith(`elsewhere/${owner}`)))).toEqual([]);
  });
});
