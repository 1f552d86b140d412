import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package.ts';
import { startHarness } from '../support/harness.ts';
import { adminKey } from '../support/server.ts';
import { startKeyProxy } from './key-proxy.ts';

interface Check {
  id: string;
  status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  errorMessage?: string;
}

const conformance = join(packageRoot, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const document = await readFile(join(packageRoot, 'docs/conformance.md'), 'utf8');
const known = await knownScenarios();
const revisions = ['2025-11-25', '2026-07-28'].filter((revision) =>
  [...known.values()].some((of) => of.includes(revision)),
);
/** By revision, then by scenario. */
const outcomes = new Map<string, Map<string, Check[]>>();
let folder = '';
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-conformance-'));
  const harness = await startHarness({ environment: { PORT: '0', POSTHORN_ADMIN_KEY: adminKey } });
  closers.push(() => harness.close());
  const { url } = await harness.posthorn.listen();
  const proxy = await startKeyProxy(url, adminKey);
  closers.push(() => proxy.close());
  await Promise.all(revisions.map(async (each) => outcomes.set(each, await runSuite(`${proxy.url}/mcp`, each))));
});

afterAll(async () => {
  for (const close of closers.reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

describe('the conformance suite', () => {
  it('has no scenario that docs/conformance.md leaves out', () => {
    const named = [...rowsOf('Applies'), ...rowsOf('Does not apply')].flatMap(([names = '']) => codesIn(names));
    expect(new Set(named).size).toBe(named.length);
    expect([...known.keys()].filter((scenario) => !named.includes(scenario))).toEqual([]);
    expect(revisions.length).toBeGreaterThan(0);
  });

  it.each(revisions)('passes for %s wherever it applies', (revision) => {
    const left = new Set(rowsOf('Checks left out').flatMap(([check = '']) => codesIn(check)));
    const failed: string[] = [];
    for (const scenario of applying(revision)) {
      const checks = outcomes.get(revision)?.get(scenario) ?? [];
      if (!checks.some(({ status }) => status === 'SUCCESS')) failed.push(`${scenario}: nothing was checked`);
      for (const { id, status, errorMessage } of checks) {
        if (status === 'FAILURE' && !left.has(id)) failed.push(`${scenario}: ${id}: ${errorMessage}`);
      }
    }
    expect(failed).toEqual([]);
    expect(applying(revision).length).toBeGreaterThan(0);
  });

  it.each(revisions)('sees no message that the schema of %s does not allow', (revision) => {
    const all = [...(outcomes.get(revision)?.values() ?? [])].flat();
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter(({ id, status }) => id === 'wire-schema-valid' && status !== 'SUCCESS')).toEqual([]);
  });
});

/** The scenarios of the installed suite, each with the revisions that it is for. */
async function knownScenarios(): Promise<Map<string, string>> {
  const { stdout } = await promisify(execFile)(process.execPath, [conformance, 'list', '--server']);
  return new Map([...stdout.matchAll(/^ +- (\S+) \[(.+)\]$/gm)].map(([, name = '', of = '']) => [name, of]));
}

/** It ends with 1 when any scenario failed, those that do not apply included: what counts stands in its files. */
async function runSuite(url: string, revision: string): Promise<Map<string, Check[]>> {
  const output = join(folder, revision);
  const args = ['server', '--url', url, '--suite', 'all', '--spec-version', revision, '-o', output];
  await promisify(execFile)(process.execPath, [conformance, ...args], { cwd: folder }).catch(() => undefined);
  const found = new Map<string, Check[]>();
  for (const name of await readdir(output)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1] ?? name;
    found.set(scenario, JSON.parse(await readFile(join(output, name, 'checks.json'), 'utf8')) as Check[]);
  }
  return found;
}

/** Scenarios of the document that have to pass, as far as the installed suite has them. */
function applying(revision: string): string[] {
  return rowsOf('Applies').flatMap(([name = '', of = '']) =>
    of.includes(revision) ? codesIn(name).filter((each) => known.get(each)?.includes(revision)) : [],
  );
}

/** The cells of the tables under a heading of the document. */
function rowsOf(heading: string): string[][] {
  const section = document.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => line.slice(2, -2).split(' | '));
}

function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}
