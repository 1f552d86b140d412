import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serverDifferences, settingsText, underSettings } from '../../src/config/database-settings.ts';
import { loadConfig } from '../../src/config.ts';

const shared = {
  POSTHORN_PUBLIC_URL: 'https://hooks.example.com',
  POSTHORN_ALLOW_TARGETS: '127.0.0.0/8,hooks.internal,fd00::/8',
  POSTHORN_BRAND: 'Acme',
  POSTHORN_RETRY_SCHEDULE: '0s,90s,1d',
  POSTHORN_ATTEMPT_TIMEOUT: '1500ms',
  POSTHORN_DISABLE_AFTER_FAILURES: '7',
  POSTHORN_DISABLE_AFTER: '0s',
  POSTHORN_RETENTION: '36h',
  POSTHORN_NEW_HOSTS: 'approve',
  POSTHORN_PUBLISH_RATE: '60',
};
const server = loadConfig({ ...shared, HOST: '::1', PORT: '9000' });
const { given: _given, ...ofServer } = server;

const recorded = (values: object) => JSON.stringify({ ...JSON.parse(settingsText(loadConfig({}))), ...values });
const under = (env: Record<string, string>, text: string) => underSettings(loadConfig(env), text);

describe('a process beside a server', () => {
  it('takes what its environment does not set, and where the server listens', () => {
    const { config, warnings } = under({}, settingsText(server));
    expect(warnings).toEqual([]);
    const { allowedHosts: _hosts, ...taken } = config;
    expect(taken).toEqual({ ...ofServer, allowedHosts: undefined, given: [] });
    expect(under({ HOST: 'localhost', PORT: '0' }, settingsText(server))).toMatchObject({
      config: { host: '::1', port: 9_000 },
      warnings: [],
    });
  });

  it('takes nothing else: no key, no secret, nothing of how it works itself', () => {
    const own = {
      POSTHORN_ADMIN_KEY: 'an admin key of 32 characters or more',
      POSTHORN_API_KEY: 'tp_live_own',
      POSTHORN_SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
      POSTHORN_METRICS_TOKEN: 'token',
      POSTHORN_CONCURRENCY: '3',
      POSTHORN_TOOLS: 'automations',
      POSTHORN_READ_ONLY: '1',
      POSTHORN_DISPATCH: 'off',
      POSTHORN_LOG_LEVEL: 'debug',
    };
    const text = settingsText(loadConfig(own));
    expect(Object.keys(JSON.parse(text))).toEqual([...Object.keys(shared), 'HOST', 'PORT']);
    for (const secret of ['an admin key', 'tp_live_own', own.POSTHORN_SECRET_KEY, 'token']) {
      expect(text).not.toContain(secret);
    }
    expect(under({}, text).config).toEqual(loadConfig({}));
  });

  it('takes a default again where the server has lost its variable', () => {
    expect(under({}, settingsText(loadConfig({})))).toEqual({ config: loadConfig({}), warnings: [] });
  });

  it('keeps what it sets itself, and says so where that differs', () => {
    const env = {
      POSTHORN_ALLOW_TARGETS: '10.0.0.0/8',
      POSTHORN_PUBLIC_URL: 'https://other.example.com',
      POSTHORN_RETENTION: '36h',
      POSTHORN_BRAND: 'Mine',
    };
    const { config, warnings } = under(env, settingsText(server));
    expect(config).toMatchObject({
      allowTargets: ['10.0.0.0/8'],
      publicUrl: 'https://other.example.com',
      brand: 'Mine',
    });
    const begins = 'holds in this process alone: the server on this database has';
    expect(warnings).toEqual([
      `a POSTHORN_PUBLIC_URL of its own ${begins} a POSTHORN_PUBLIC_URL of its own`,
      `POSTHORN_ALLOW_TARGETS=10.0.0.0/8 ${begins} POSTHORN_ALLOW_TARGETS=127.0.0.0/8,hooks.internal,fd00::/8`,
      `POSTHORN_BRAND=Mine ${begins} POSTHORN_BRAND=Acme`,
    ]);
    expect(under({ POSTHORN_ALLOW_TARGETS: '::1' }, settingsText(loadConfig({}))).warnings).toEqual([
      `POSTHORN_ALLOW_TARGETS=::1 ${begins} no POSTHORN_ALLOW_TARGETS`,
    ]);
  });

  it('may be stricter about new hosts than the server, and never looser', () => {
    const loose = under({ POSTHORN_NEW_HOSTS: 'allow' }, settingsText(server));
    expect(loose.config.newHosts).toBe('approve');
    expect(loose.warnings).toEqual([
      'POSTHORN_NEW_HOSTS=allow does not hold: the server on this database has POSTHORN_NEW_HOSTS=approve',
    ]);
    expect(under({ POSTHORN_NEW_HOSTS: 'approve' }, settingsText(loadConfig({}))).config.newHosts).toBe('approve');
  });

  it('leaves out what it does not understand, and says so', () => {
    const text = recorded({ POSTHORN_RETENTION: 'a fortnight', POSTHORN_BRAND: null, PORT: 80, POSTHORN_LATER: 'x' });
    const { config, warnings } = under({}, text);
    expect(config).toEqual(loadConfig({}));
    expect(warnings).toEqual(
      ['POSTHORN_BRAND', 'POSTHORN_RETENTION', 'PORT'].map(
        (name) => `${name} of the server on this database is not understood, and left out`,
      ),
    );
  });

  it.each([
    ['another word', recorded({ POSTHORN_NEW_HOSTS: 'ask' })],
    ['nothing', recorded({ POSTHORN_NEW_HOSTS: undefined })],
    ['null', recorded({ POSTHORN_NEW_HOSTS: null })],
    ['no object', '7'],
    ['no JSON', '{'],
  ])('lets no new host in where the server recorded %s for it', (_what, text) => {
    const { config, warnings } = under({ POSTHORN_NEW_HOSTS: 'allow' }, text);
    expect(config.newHosts).toBe('approve');
    expect(warnings[0]).toBe(
      'POSTHORN_NEW_HOSTS of the server on this database is not understood, and counts as approve',
    );
  });

  it('survives any text there', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(under({}, text).config.newHosts).toBe('approve');
      }),
    );
  });
});

it('a server says in what it differs from another one, but for where they listen', () => {
  const other = loadConfig({ ...shared, POSTHORN_NEW_HOSTS: 'allow', HOST: 'localhost', PORT: '1' });
  expect(serverDifferences(server, settingsText(other))).toEqual([
    'POSTHORN_NEW_HOSTS=approve here, and POSTHORN_NEW_HOSTS=allow in a server that runs on this database too',
  ]);
  expect(serverDifferences(server, settingsText(server))).toEqual([]);
});
