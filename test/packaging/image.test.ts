import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { run as lint } from 'dockerfilelint';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/package.ts';
import { startHarness } from '../support/harness.ts';

const text = readFileSync(join(packageRoot, 'Dockerfile'), 'utf8');

describe('the image', () => {
  it('has no finding of the linter, which finds some elsewhere', () => {
    expect(lint(packageRoot, text)).toEqual([]);
    expect(lint(packageRoot, 'FROM node:latest\nRUN apt-get install curl\n')).not.toEqual([]);
  });

  it('runs as a user without rights, from files that the package has', () => {
    const final = text.slice(text.lastIndexOf('\nFROM '));
    expect(/^USER (.+)$/m.exec(final)?.[1]).toBe('node');
    const copied = [...final.matchAll(/^COPY .+$/gm)].flatMap(([line]) => line.match(/(?<=\/app\/)\S+/g) ?? []);
    expect(copied).toEqual(['package.json', 'schema.sql', 'schema.postgres.sql', 'bin', 'dist', 'node_modules']);
    const made = new Set(['dist', 'node_modules']);
    expect(copied.filter((path) => !made.has(path) && !existsSync(join(packageRoot, path)))).toEqual([]);
  });

  it('is healthy while the server is ready, under whichever name it is called', async () => {
    const [, command = '[]'] = /^HEALTHCHECK .*CMD (\[.+\])$/m.exec(text) ?? [];
    const [node, ...args] = JSON.parse(command) as string[];
    expect(node).toBe('node');
    const names = 'hooks.example.com, other.example.com';
    const harness = await startHarness({ environment: { PORT: '0', POSTHORN_ALLOWED_HOSTS: names } });
    onTestFinished(() => harness.close());
    const { port } = await harness.posthorn.listen();
    const env = { PORT: String(port), POSTHORN_ALLOWED_HOSTS: names };
    const isHealthy = () =>
      promisify(execFile)(process.execPath, args, { cwd: packageRoot, env }).then(
        () => true,
        ({ code }: { code: number }) => (code === 1 ? false : code),
      );
    expect(await isHealthy()).toBe(false);
    await harness.posthorn.startDispatcher();
    expect(await isHealthy()).toBe(true);
  });
});
