import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { scopes } from '../../src/core/vocabulary.ts';
import { signInBody } from '../../src/http/dashboard/sign-in.ts';
import { packageRoot } from '../../src/package.ts';
import { freshDatabase, open, run } from './here.ts';

type Json = Record<string, unknown>;

describe('keys', () => {
  it('are made for agents, shown once, listed and revoked', async () => {
    const { env } = await freshDatabase();
    const made = await run(['keys', 'create', 'claude\n\u001b[31mdesktop'], env);
    const key = made.stdout.trim();
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tp_live_[0-9A-Za-z]{40}\n$/) });
    expect(made.stderr).toMatch(
      /^key_[0-9a-z]{26} with webhooks:read, webhooks:write, webhooks:delete, events:read, events:write\. The key above is shown this once\.\n$/,
    );

    const listed = await run(['keys', 'list'], env);
    expect(listed.stdout).toContain('claude ·[31mdesktop');
    expect(listed.stdout).not.toContain('\u001b');
    expect(listed.stdout).not.toContain(key);
    const id = /key_\w+/.exec(listed.stdout)?.[0] ?? '';

    const { core } = await open(env);
    expect(await core.authenticate(key, { face: 'rest', client: null })).toMatchObject({ kind: 'key' });
    expect(await run(['keys', 'revoke', id], env)).toEqual({
      code: 0,
      stdout: `${id} is revoked.\n`,
      stderr: '',
    });
    await expect(core.authenticate(key, { face: 'rest', client: null })).rejects.toThrow('revoked');
    expect((await run(['keys', 'list'], env)).stdout).toMatch(new RegExp(`${id} .* revoked `));
  });

  it('speak JSON', async () => {
    const { env } = await freshDatabase();
    const args = ['keys', 'create', 'x', '--scopes', 'events:write, events:read', '--expires-in', '90d', '--json'];
    const made = JSON.parse((await run(args, env)).stdout) as Json;
    expect(made).toMatchObject({
      name: 'x',
      scopes: ['events:write', 'events:read'],
      key: expect.stringMatching(/^tp_live_/),
    });
    const listed = JSON.parse((await run(['keys', 'list', '--json'], env)).stdout) as { keys: Json[] };
    const { key: _, ...shown } = made;
    expect(listed.keys).toEqual([shown]);
    const revoked = JSON.parse((await run(['keys', 'revoke', String(made['id']), '--json'], env)).stdout) as Json;
    expect(revoked).toMatchObject({ id: made['id'], revoked_at: expect.any(String) });
  });

  it('are made for people as the sign-in page says, with every scope', async () => {
    const { env } = await freshDatabase();
    const hint = /<code>posthorn (keys create .+?)<\/code>/.exec(String(signInBody(null, null, '/')))?.[1] ?? '';
    const { stdout } = await run([...hint.split(' '), '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({ scopes });
  });

  it('begin with the brand', async () => {
    const { env } = await freshDatabase();
    const { stdout } = await run(['keys', 'create', 'agent'], { ...env, POSTHORN_BRAND: 'Acme' });
    expect(stdout).toMatch(/^ac_live_[0-9A-Za-z]{40}\n$/);
  });

  it('belong to one workspace', async () => {
    const { env } = await freshDatabase();
    await run(['workspaces', 'create', 'acme'], env);
    const made = await run(['keys', 'create', 'x', '--workspace', 'acme', '--json'], env);
    const { id } = JSON.parse(made.stdout) as { id: string };
    expect((await run(['keys', 'list', '--workspace', 'acme'], env)).stdout).toContain(id);
    expect(await run(['keys', 'list'], env)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('There is no key yet'),
    });
    expect(await run(['keys', 'revoke', id], env)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^posthorn: not_found: .+\n$/),
    });
    expect(await run(['keys', 'list', '--workspace', 'other'], env)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'posthorn: not_found: There is no workspace "other".\n',
    });
  });
});

describe('workspaces', () => {
  it('are made and listed', async () => {
    const { env } = await freshDatabase();
    const made = await run(['workspaces', 'create', 'acme', '--json'], env);
    expect(JSON.parse(made.stdout)).toMatchObject({ id: expect.stringMatching(/^wsp_/), name: 'acme' });
    const { workspaces } = JSON.parse((await run(['workspaces', 'list', '--json'], env)).stdout) as {
      workspaces: Json[];
    };
    expect(workspaces).toContainEqual(JSON.parse(made.stdout));
    expect((await run(['workspaces', 'list'], env)).stdout).toMatch(/^wsp_\w+ .* acme$/m);
  });

  it('refuse names that are taken or hard to type', async () => {
    const { env } = await freshDatabase();
    await run(['workspaces', 'create', 'acme'], env);
    expect(await run(['workspaces', 'create', 'acme'], env)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'posthorn: There is a workspace "acme" already: choose another name.\n',
    });
    for (const name of ['a b', '', '.hidden', 'x'.repeat(101)]) {
      expect(await run(['workspaces', 'create', name], env)).toEqual({
        code: 2,
        stdout: '',
        stderr:
          "posthorn: validation_failed: The workspace's name does not fit: use letters, digits, dots, hyphens and underscores, a letter or digit first, 100 characters at most.\n",
      });
    }
  });
});

describe('publish', () => {
  it('takes data from the command line, a file and stdin', async () => {
    const { env, folder } = await freshDatabase();
    const file = join(folder, 'data.json');
    await writeFile(file, '{"id":"con_2"}');
    const publish = async (data: string, stdin = '') => {
      const { code, stdout } = await run(['publish', 'contact.created', '--data', data, '--json'], env, stdin);
      expect(code).toBe(0);
      return JSON.parse(stdout) as Json;
    };
    const answers = [await publish('{"id":"con_1"}'), await publish(`@${file}`), await publish('-', '{"id":"con_3"}')];
    for (const answer of answers) expect(answer).toEqual({ id: expect.stringMatching(/^evt_/), deliveries: 0 });
    expect(new Set(answers.map(({ id }) => id)).size).toBe(3);
  });

  it('reads a file from where npm was called, which is not where it runs the program', async () => {
    const { env, folder } = await freshDatabase();
    await writeFile(join(folder, 'c.json'), '{"id":"con_1"}');
    const publish = ['publish', 'contact.created', '--data', '@c.json', '--json'];
    const { stdout } = await promisify(execFile)(
      'npm',
      ['--prefix', packageRoot, 'run', '--silent', 'posthorn', '--', ...publish],
      { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, ...env } },
    );
    expect(JSON.parse(stdout)).toMatchObject({ deliveries: 0 });
  });

  it('says that an id was published before, and that nobody delivers', async () => {
    const { env } = await freshDatabase();
    const args = ['publish', 'contact.created', '--id', 'mine'];
    expect(await run(args, env)).toEqual({
      code: 0,
      stdout: 'mine is stored: 0 deliveries\n',
      stderr: '',
    });
    expect((await run(args, env)).stdout).toBe('mine was published before: 0 deliveries\n');
    expect(await run([...args, '--data', '{"other":1}'], env)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^posthorn: event_id_conflict: /),
    });
  });

  it('refuses an unknown type', async () => {
    const { env } = await freshDatabase();
    expect(await run(['publish', 'contact.create'], env)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^posthorn: unknown_event_type: .*contact\.created.*\n$/),
    });
  });
});

it('migrate makes the tables', async () => {
  const { env } = await freshDatabase();
  const made = { code: 0, stdout: '{"engine":"sqlite","up_to_date":true}\n', stderr: '' };
  expect(await run(['migrate', '--json'], env)).toEqual(made);
  expect((await run(['migrate'], env)).stdout).toBe('The tables (sqlite) are up to date.\n');
});
