import { chmod, open as openFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { schemaVersion } from '../../src/store/tables.ts';
import { databaseUrl } from '../support/postgres.ts';
import { engines } from '../support/stores.ts';
import { freshDatabase, open, run, temporaryFolder } from './here.ts';
import { startServer } from './process.ts';

interface Report {
  healthy: boolean;
  findings: { check: string; state: string; message: string }[];
}

describe('doctor', () => {
  it('finds a serving installation healthy', async () => {
    const { env } = await freshDatabase();
    await (await open(env)).startDispatcher();
    const report = await examine(env, 0);
    expect(report.healthy).toBe(true);
    expect(report.findings.map(({ check, state }) => `${check} ${state}`)).toEqual([
      'environment ok',
      'database ok',
      'secret_key ok',
      'clock ok',
      'egress ok',
      'delivery ok',
    ]);
    const { code, stdout } = await run(['doctor'], env);
    expect(code).toBe(0);
    expect(
      stdout
        .split('\n')
        .slice(0, -1)
        .every((line) => line.startsWith('✓ ')),
    ).toBe(true);
  });

  it('fails where nothing delivers', async () => {
    const { env } = await freshDatabase();
    await run(['migrate'], env);
    expect((await examine(env, 1)).findings.at(-1)).toEqual({
      check: 'delivery',
      state: 'failed',
      message: 'No process delivers: start "posthorn serve".',
    });
  });

  it('makes no database', async () => {
    const { env, folder } = await freshDatabase();
    const { findings } = await examine(env, 1);
    expect(findings.at(-1)).toMatchObject({
      check: 'database',
      state: 'failed',
      message: `${join(folder, 'p.db')} is not made yet: the first start makes it, "posthorn serve".`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('reports a wrong environment', async () => {
    const { findings } = await examine({ POSTHORN_RETENTION: 'forever' }, 1);
    expect(findings).toEqual([
      {
        check: 'environment',
        state: 'failed',
        message:
          'POSTHORN_RETENTION="forever" is not a duration, a whole number with ms, s, m, h or d; for example POSTHORN_RETENTION=30d',
      },
    ]);
  });

  it('warns of what is allowed but unusual', async () => {
    const { env, folder } = await freshDatabase();
    await run(['migrate'], env);
    await chmod(join(folder, 'secret.key'), 0o644);
    const { findings } = await examine({ ...env, POSTHORN_ALLOW_TARGETS: '10.0.0.0/8', POSTHORN_PROT: '1' }, 1);
    expect(findings.filter(({ state }) => state === 'warning')).toEqual([
      { check: 'environment', state: 'warning', message: expect.stringContaining('POSTHORN_PROT is not a variable') },
      {
        check: 'secret_key',
        state: 'warning',
        message: expect.stringMatching(/can be read by others: chmod 600 .*secret\.key$/),
      },
      {
        check: 'egress',
        state: 'warning',
        message: 'POSTHORN_ALLOW_TARGETS excepts 10.0.0.0/8 from the egress policy.',
      },
    ]);
  });

  it('reports a secret key that does not fit, and one that is missing', async () => {
    const { env, folder } = await freshDatabase();
    await run(['migrate'], env);
    const secretKey = async (more = {}) =>
      (await examine({ ...env, ...more }, 1)).findings.find(({ check }) => check === 'secret_key');
    expect(await secretKey({ POSTHORN_SECRET_KEY: Buffer.alloc(32, 1).toString('base64') })).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('does not fit'),
    });
    await rm(join(folder, 'secret.key'));
    expect(await secretKey()).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/secret\.key is missing, .* restore the file from a backup/),
    });
    expect(await readdir(folder)).toEqual(['p.db']);
  });

  it('finds damage in the middle of the file', async () => {
    const { env, folder } = await freshDatabase();
    await (await open(env)).stop(0);
    const path = join(folder, 'p.db');
    const { size } = await stat(path);
    const file = await openFile(path, 'r+');
    await file.write(Buffer.alloc(3 * 4_096, 0xa5), 0, 3 * 4_096, Math.floor(size / 8_192) * 4_096);
    await file.close();
    const { findings } = await examine(env, 1);
    expect(findings.at(-1)).toMatchObject({
      check: 'database',
      state: 'failed',
      message: expect.stringMatching(
        /^DATABASE_URL names \S+p\.db, which is damaged \(.+\): stop whatever uses it, and /,
      ),
    });
  });

  it('says which folder is none', async () => {
    const folder = await temporaryFolder();
    const { findings } = await examine({ DATABASE_URL: `file:${folder}` }, 1);
    expect(findings.at(-1)).toMatchObject({
      check: 'database',
      message: expect.stringContaining(`DATABASE_URL names ${folder}, which is a folder: name a file in it`),
    });
  });
});

describe('doctor changes nothing', () => {
  const untouched = async (folder: string, work: () => Promise<unknown>) => {
    const content = async () =>
      Promise.all(
        (await readdir(folder)).map(async (name) => {
          // What readers of the log say to each other.
          const bytes = name.endsWith('-shm') ? null : await readFile(join(folder, name));
          return { name, bytes };
        }),
      );
    const before = await content();
    await work();
    expect(await content()).toEqual(before);
  };
  const inside = (path: string, statements: string) => {
    const database = new Database(path);
    database.exec(statements);
    database.close();
  };

  it('in an empty file, and in that of another program', async () => {
    const { env, folder } = await freshDatabase();
    await writeFile(join(folder, 'p.db'), '');
    await untouched(folder, async () => {
      expect((await examine(env, 1)).findings.at(-1)?.message).toContain('is not made yet: the first start makes it');
    });
    inside(join(folder, 'p.db'), 'create table notes (text)');
    await untouched(folder, async () => {
      expect((await examine(env, 1)).findings.at(-1)?.message).toContain('holds the tables of another program');
    });
  });

  it('in a database that is up to date, whatever its journal is', async () => {
    const { env, folder } = await freshDatabase();
    await run(['migrate'], env);
    for (const journal of ['delete', 'wal']) {
      inside(join(folder, 'p.db'), `pragma journal_mode = ${journal}; delete from workspaces`);
      await untouched(folder, async () => {
        expect((await examine(env, 1)).findings.at(-1)?.check).toBe('delivery');
      });
    }
  });

  it('where a process was killed', async () => {
    const { env, folder } = await freshDatabase();
    const server = await startServer(env);
    server.child.kill('SIGKILL');
    await server.ended;
    expect(await readdir(folder)).toContain('p.db-wal');
    await untouched(folder, async () => {
      expect((await run(['doctor'], env)).stdout).toContain('no page is damaged');
    });
  });

  it.each(engines)('in a database of another version on $name', async (engine) => {
    const database = await engine.create();
    onTestFinished(() => database.close());
    const env = { DATABASE_URL: database.url, POSTHORN_SECRET_KEY: Buffer.alloc(32, 1).toString('base64') };
    await database.open();
    const setVersion = (value: string) =>
      database.db
        .updateTable('meta')
        .set({ value: Buffer.from(value) })
        .where('name', '=', 'schema_version')
        .execute();
    const last = async () => (await examine(env, 1)).findings.at(-1);
    await setVersion('0');
    expect(await last()).toEqual({
      check: 'database',
      state: 'failed',
      message: `The ${engine.name} database is of an older version: the next start brings it up to date.`,
    });
    await setVersion('99');
    expect(await last()).toMatchObject({
      check: 'database',
      state: 'failed',
      message: expect.stringContaining('has schema version 99, and this program knows'),
    });
    const [version] = await database.db.selectFrom('meta').selectAll().where('name', '=', 'schema_version').execute();
    expect(Buffer.from(version?.value ?? '').toString()).toBe('99');
    await setVersion(String(schemaVersion));
    expect((await last())?.message).toBe('No process delivers: start "posthorn serve".');
    expect(await database.db.selectFrom('workspaces').selectAll().execute()).toEqual([]);
  });

  it('in an empty database on PostgreSQL', async () => {
    const name = `doctor_${crypto.randomUUID().replaceAll('-', '')}`;
    const server = new Client({ connectionString: inject('postgresUrl') });
    await server.connect();
    await server.query(`create database ${name}`);
    onTestFinished(async () => {
      await server.query(`drop database ${name} with (force)`);
      await server.end();
    });
    const url = databaseUrl(inject('postgresUrl'), name);
    const env = { DATABASE_URL: url, POSTHORN_SECRET_KEY: Buffer.alloc(32, 1).toString('base64') };
    for (const _time of [1, 2]) {
      expect((await examine(env, 1)).findings.at(-1)).toEqual({
        check: 'database',
        state: 'failed',
        message: 'What the postgres database is to hold is not made yet: the first start makes it, "posthorn serve".',
      });
    }
  });
});

async function examine(env: Record<string, string>, code: number): Promise<Report> {
  const ended = await run(['doctor', '--json'], env);
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code, stderr: '' });
  return JSON.parse(ended.stdout) as Report;
}
