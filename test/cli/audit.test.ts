import SqliteDatabase from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { freshDatabase, open, run } from './here.ts';

/** A database with two workspaces, two keys and an endpoint, made from the command line and by a client that lies. */
async function made() {
  const { env } = await freshDatabase();
  await run(['workspaces', 'create', 'acme'], env);
  await run(['keys', 'create', 'first', '--workspace', 'acme'], env);
  await run(['keys', 'create', 'second', '--workspace', 'acme'], env);
  const posthorn = await open(env);
  const principal = await posthorn.operator.principal('acme');
  const via = { face: 'rest', client: '\u001b]0;owned\u0007curl' } as const;
  await posthorn.core.createSubscription({ ...principal, via }, { url: 'https://a.example/', events: ['*'] });
  const inDatabase = (statement: string) => {
    const db = new SqliteDatabase(env['DATABASE_URL']?.slice('file:'.length) ?? '');
    db.exec(statement);
    db.close();
  };
  return { env, inDatabase };
}

describe('audit verify', () => {
  it('goes through every workspace, and ends with 0 when nothing is missing', async () => {
    const { env } = await made();
    const { code, stdout, stderr } = await run(['audit', 'verify'], env);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^✓ default \(wsp_\w{26}\): 1 row, ending in [0-9a-f]{64}\n✓ acme \(wsp_\w{26}\): 4 rows, ending in [0-9a-f]{64}\n$/,
    );
    const json = JSON.parse((await run(['audit', 'verify', '--json', '--workspace', 'acme'], env)).stdout);
    expect(json).toMatchObject({ whole: true, workspaces: [{ workspace: 'acme', rows: 4, broken: null }] });
  });

  it.each([
    [
      "update audit set face = 'mcp' where seq = 2 and action = 'key.create'",
      'row 2 is not as it was written',
      'changed',
    ],
    ["delete from audit where action = 'key.create' and seq = 2", 'row 2 is missing', 'missing'],
    ['delete from audit where seq = 4', 'row 4 is missing', 'missing'],
    ['update workspaces set audit_count = 3 where audit_count = 4', 'row 4 was added behind the end', 'added'],
  ])('ends with 1 and names the first row that is wrong: %s', async (statement, sentence, fault) => {
    const { env, inDatabase } = await made();
    inDatabase(statement);
    const { code, stdout, stderr } = await run(['audit', 'verify'], env);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(new RegExp(`^✓ default .*\\n✗ acme \\(wsp_\\w{26}\\): ${sentence}\\n$`));
    const asJson = await run(['audit', 'verify', '--json'], env);
    expect(asJson.code).toBe(1);
    const seq = Number(/\d+/.exec(sentence)?.[0]);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ whole: false, workspaces: [{}, { broken: { seq, fault } }] });
    expect((await run(['audit', 'verify', '--workspace', 'default'], env)).code).toBe(0);
  });

  it('knows no workspace that does not exist', async () => {
    const { env } = await made();
    const { code, stderr } = await run(['audit', 'verify', '--workspace', 'nowhere'], env);
    expect([code, stderr]).toEqual([1, expect.stringContaining('not_found')]);
  });
});

describe('audit list', () => {
  it('shows who did what, and nothing that steers a terminal', async () => {
    const { env } = await made();
    const { code, stdout } = await run(['audit', 'list', '--workspace', 'acme'], env);
    expect(code).toBe(0);
    const [, newest, ...rest] = stdout.trimEnd().split('\n');
    expect(newest).toMatch(/^4 +\S+Z +local +rest \]0;ownedcurl +subscription\.create +sub_\w+$/);
    expect(rest.map((line) => line.split(/ {2,}/)[4])).toEqual(['key.create', 'key.create', 'workspace.create']);
    const { audit } = JSON.parse((await run(['audit', 'list', '--json'], env)).stdout);
    expect(audit).toMatchObject([{ seq: 1, action: 'workspace.create', face: 'cli' }]);
  });
});
