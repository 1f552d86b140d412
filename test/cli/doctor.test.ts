import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshDatabase, open, run } from './here.ts';

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
      message: expect.stringContaining('does not exist'),
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

  it('reports a secret key that does not fit', async () => {
    const { env } = await freshDatabase();
    await run(['migrate'], env);
    const { findings } = await examine({ ...env, POSTHORN_SECRET_KEY: Buffer.alloc(32, 1).toString('base64') }, 1);
    expect(findings.at(-1)).toMatchObject({
      check: 'secret_key',
      state: 'failed',
      message: expect.stringContaining('does not fit'),
    });
  });
});

async function examine(env: Record<string, string>, code: number): Promise<Report> {
  const ended = await run(['doctor', '--json'], env);
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code, stderr: '' });
  return JSON.parse(ended.stdout) as Report;
}
