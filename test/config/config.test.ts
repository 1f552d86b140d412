import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Config, ConfigError, loadConfig, localUrl, unknownVariables, variables } from '../../src/config.ts';
import { defaultToolGroups } from '../../tools/index.ts';

type Name = keyof typeof variables;

const key = Buffer.alloc(32, 7);
const minutes = 60_000;
const hours = 60 * minutes;
const days = 24 * hours;

interface Case {
  field: keyof Config;
  /** What an empty environment gives. */
  default: unknown;
  good: [text: string, value: unknown][];
  /** The whole message, after the name. */
  wrong: [text: string, message: string][];
}

const cases: Record<Name, Case> = {
  DATABASE_URL: {
    field: 'databaseUrl',
    default: 'file:./data/posthorn.db',
    good: [
      ['file:x.db', 'file:x.db'],
      ['file:~/x/p.db', `file:${join(homedir(), 'x/p.db')}`],
      ['file:~x.db', 'file:~x.db'],
      ['file:///var/lib/p.db', 'file:/var/lib/p.db'],
    ],
    wrong: [
      [
        'mysql://u:hunter2@db/x',
        ' is neither file:PATH nor postgres://…; for example DATABASE_URL=file:./data/posthorn.db',
      ],
      ['file:', ' names no file after file:; for example DATABASE_URL=file:./data/posthorn.db'],
      ['file::memory:', ' names no file after file:; for example DATABASE_URL=file:./data/posthorn.db'],
      [
        'file://elsewhere/p.db',
        ' is not a file: URL of this machine; for example DATABASE_URL=file:./data/posthorn.db',
      ],
    ],
  },
  HOST: {
    field: 'host',
    default: '127.0.0.1',
    good: [
      ['localhost', 'localhost'],
      ['[::1]', '::1'],
    ],
    wrong: [['http://x', '="http://x" is neither a host name nor an address; for example HOST=127.0.0.1']],
  },
  PORT: {
    field: 'port',
    default: 8787,
    good: [['0', 0]],
    wrong: [
      ['99999', '="99999" is not a whole number from 0 to 65535; for example PORT=8787'],
      ['80a', '="80a" is not a whole number from 0 to 65535; for example PORT=8787'],
      ['-1', '="-1" is not a whole number from 0 to 65535; for example PORT=8787'],
    ],
  },
  POSTHORN_PUBLIC_URL: {
    field: 'publicUrl',
    default: null,
    good: [['https://Hooks.example.com/', 'https://hooks.example.com']],
    wrong: [
      [
        'hooks.example.com',
        ' is not an http:// or https:// URL; for example POSTHORN_PUBLIC_URL=https://hooks.example.com',
      ],
      [
        'https://u:hunter2@x.example',
        ' holds credentials, which it may not; for example POSTHORN_PUBLIC_URL=https://hooks.example.com',
      ],
      [
        'https://x.example?a=hunter2',
        ' holds a query or a fragment, which it may not; for example POSTHORN_PUBLIC_URL=https://hooks.example.com',
      ],
    ],
  },
  POSTHORN_ALLOWED_HOSTS: {
    field: 'allowedHosts',
    default: ['localhost', '127.0.0.1', '::1'],
    good: [['Hooks.example.com:8787, [::1],::1 ', ['hooks.example.com', '::1', '::1']]],
    wrong: [
      [
        'a.example,',
        '="a.example," has an empty entry (entry 2); for example POSTHORN_ALLOWED_HOSTS=hooks.example.com,localhost',
      ],
      [
        'a.example,https://b.example',
        '="a.example,https://b.example" has an entry that is not a plain host name, without scheme and path (entry 2); for example POSTHORN_ALLOWED_HOSTS=hooks.example.com,localhost',
      ],
      [
        '*',
        '="*" has an entry that is not a plain host name, without scheme and path (entry 1); for example POSTHORN_ALLOWED_HOSTS=hooks.example.com,localhost',
      ],
    ],
  },
  POSTHORN_TRUSTED_PROXIES: {
    field: 'trustedProxies',
    default: [],
    good: [['127.0.0.1, 10.0.0.0/8,FD00::/8', ['127.0.0.1/32', '10.0.0.0/8', 'fd00::/8']]],
    wrong: [
      [
        '10.0.0.0/8,caddy',
        '="10.0.0.0/8,caddy" has an entry that is neither an address nor a CIDR (entry 2); for example POSTHORN_TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8',
      ],
      [
        '::/0',
        '="::/0" has an entry that is every address that there is (entry 1); for example POSTHORN_TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8',
      ],
    ],
  },
  POSTHORN_ADMIN_KEY: {
    field: 'adminKey',
    default: null,
    good: [['a'.repeat(32), 'a'.repeat(32)]],
    wrong: [
      [
        'hunter2',
        ' has 7 characters, at least 32 are needed; for example POSTHORN_ADMIN_KEY="$(openssl rand -hex 32)"',
      ],
      [
        `hunter2${'ü'.repeat(32)}`,
        ' has characters that a header cannot carry, printable ASCII is possible; for example POSTHORN_ADMIN_KEY="$(openssl rand -hex 32)"',
      ],
    ],
  },
  POSTHORN_API_KEY: {
    field: 'apiKey',
    default: null,
    good: [['tp_live_x', 'tp_live_x']],
    wrong: [
      [
        'hunter2ü',
        ' has characters that a header cannot carry, printable ASCII is possible; for example POSTHORN_API_KEY=tp_live_…',
      ],
    ],
  },
  POSTHORN_SECRET_KEY: {
    field: 'secretKey',
    default: null,
    good: [
      [key.toString('base64'), key],
      [key.toString('base64url'), key],
    ],
    wrong: [
      ['hunter2', ' is not base64 of exactly 32 bytes; for example POSTHORN_SECRET_KEY="$(openssl rand -base64 32)"'],
      [
        Buffer.alloc(31).toString('base64'),
        ' is not base64 of exactly 32 bytes; for example POSTHORN_SECRET_KEY="$(openssl rand -base64 32)"',
      ],
    ],
  },
  POSTHORN_ALLOW_TARGETS: {
    field: 'allowTargets',
    default: [],
    good: [['127.0.0.0/8, hooks.internal', ['127.0.0.0/8', 'hooks.internal']]],
    wrong: [
      [
        '10.0.0.0/8, ,redis',
        '="10.0.0.0/8, ,redis" has an empty entry (entry 2); for example POSTHORN_ALLOW_TARGETS=127.0.0.0/8,hooks.internal',
      ],
      [
        '10.0.0.0/33',
        '="10.0.0.0/33" has a wrong entry: "10.0.0.0/33" is not a CIDR, an IP address or a host name, such as 10.0.0.0/8, 127.0.0.1 or hooks.internal; for example POSTHORN_ALLOW_TARGETS=127.0.0.0/8,hooks.internal',
      ],
    ],
  },
  POSTHORN_BRAND: {
    field: 'brand',
    default: 'TrustPager',
    good: [['Acme-2', 'Acme-2']],
    wrong: [
      [
        'A B',
        '="A B" cannot stand in a header name: use 2 to 32 letters, digits and hyphens, a letter first; for example POSTHORN_BRAND=TrustPager',
      ],
      ['A1', '="A1" needs two letters or more; for example POSTHORN_BRAND=TrustPager'],
    ],
  },
  POSTHORN_RETRY_SCHEDULE: {
    field: 'retryScheduleMs',
    default: [5_000, 5 * minutes, 30 * minutes, 2 * hours, 5 * hours, 10 * hours, 14 * hours, 20 * hours, 24 * hours],
    good: [['0s, 250ms,1d', [0, 250, days]]],
    wrong: [
      [
        '5s,5x',
        '="5s,5x" has an entry that is not a duration, a whole number with ms, s, m, h or d (entry 2); for example POSTHORN_RETRY_SCHEDULE=5s,5m,30m,2h',
      ],
      [',', '="," has an empty entry (entry 1); for example POSTHORN_RETRY_SCHEDULE=5s,5m,30m,2h'],
      ['5s,,5s', '="5s,,5s" has an empty entry (entry 2); for example POSTHORN_RETRY_SCHEDULE=5s,5m,30m,2h'],
      ['5s,', '="5s," has an empty entry (entry 2); for example POSTHORN_RETRY_SCHEDULE=5s,5m,30m,2h'],
      [
        '366d',
        '="366d" has an entry that is too long, the most is 365d (entry 1); for example POSTHORN_RETRY_SCHEDULE=5s,5m,30m,2h',
      ],
    ],
  },
  POSTHORN_ATTEMPT_TIMEOUT: {
    field: 'attemptTimeoutMs',
    default: 15_000,
    good: [['300ms', 300]],
    wrong: [
      ['0s', '="0s" is too short, the least is 1ms; for example POSTHORN_ATTEMPT_TIMEOUT=15s'],
      ['15', '="15" is not a duration, a whole number with ms, s, m, h or d; for example POSTHORN_ATTEMPT_TIMEOUT=15s'],
      ['11m', '="11m" is too long, the most is 10m; for example POSTHORN_ATTEMPT_TIMEOUT=15s'],
    ],
  },
  POSTHORN_DISABLE_AFTER_FAILURES: {
    field: 'disableAfterFailures',
    default: 20,
    good: [['1', 1]],
    wrong: [['0', '="0" is not a whole number from 1 to 1000000; for example POSTHORN_DISABLE_AFTER_FAILURES=20']],
  },
  POSTHORN_DISABLE_AFTER: {
    field: 'disableAfterMs',
    default: days,
    good: [['0s', 0]],
    wrong: [
      [
        'soon',
        '="soon" is not a duration, a whole number with ms, s, m, h or d; for example POSTHORN_DISABLE_AFTER=24h',
      ],
    ],
  },
  POSTHORN_CONCURRENCY: {
    field: 'concurrency',
    default: 256,
    good: [['1', 1]],
    wrong: [['0', '="0" is not a whole number from 1 to 10000; for example POSTHORN_CONCURRENCY=256']],
  },
  POSTHORN_ENDPOINT_CONCURRENCY: {
    field: 'endpointConcurrency',
    default: 64,
    good: [
      ['8', 8],
      ['1000', 256],
    ],
    wrong: [['many', '="many" is not a whole number from 1 to 10000; for example POSTHORN_ENDPOINT_CONCURRENCY=64']],
  },
  POSTHORN_RETENTION: {
    field: 'retentionMs',
    default: 30 * days,
    good: [['7d', 7 * days]],
    wrong: [['0s', '="0s" is too short, the least is 1s; for example POSTHORN_RETENTION=30d']],
  },
  POSTHORN_NEW_HOSTS: {
    field: 'newHosts',
    default: 'allow',
    good: [['Approve', 'approve']],
    wrong: [['deny', '="deny" is not one of allow, approve; for example POSTHORN_NEW_HOSTS=approve']],
  },
  POSTHORN_TOOLS: {
    field: 'toolGroups',
    default: ['subscriptions', 'events'],
    good: [['events, configs,events', ['events', 'configs']]],
    wrong: [
      [',events', '=",events" has an empty entry (entry 1); for example POSTHORN_TOOLS=subscriptions,events'],
      [
        'event',
        '="event" has an entry that is not one of subscriptions, events, configs, automations (entry 1); for example POSTHORN_TOOLS=subscriptions,events',
      ],
    ],
  },
  POSTHORN_READ_ONLY: {
    field: 'readOnly',
    default: false,
    good: [
      ['1', true],
      ['off', false],
      ['TRUE', true],
    ],
    wrong: [
      ['2', '="2" is neither on nor off (1, 0, true, false, yes and no do too); for example POSTHORN_READ_ONLY=1'],
    ],
  },
  POSTHORN_PUBLISH_RATE: {
    field: 'publishPerMinute',
    default: null,
    good: [['600', 600]],
    wrong: [['10/s', '="10/s" is not a whole number from 1 to 1000000000; for example POSTHORN_PUBLISH_RATE=6000']],
  },
  POSTHORN_METRICS_TOKEN: {
    field: 'metricsToken',
    default: null,
    good: [['t0ken', 't0ken']],
    wrong: [
      [
        'hunter2ü',
        ' has characters that a header cannot carry, printable ASCII is possible; for example POSTHORN_METRICS_TOKEN="$(openssl rand -hex 16)"',
      ],
    ],
  },
  POSTHORN_DISPATCH: {
    field: 'dispatch',
    default: true,
    good: [['off', false]],
    wrong: [
      [
        'maybe',
        '="maybe" is neither on nor off (1, 0, true, false, yes and no do too); for example POSTHORN_DISPATCH=off',
      ],
    ],
  },
  POSTHORN_LOG_LEVEL: {
    field: 'logLevel',
    default: 'info',
    good: [['warn', 'warn']],
    wrong: [
      [
        'loud',
        '="loud" is not one of trace, debug, info, warn, error, fatal, silent; for example POSTHORN_LOG_LEVEL=info',
      ],
    ],
  },
};

const names = Object.keys(variables) as Name[];

describe.each(names)('%s', (name) => {
  const { field, default: fallback, good, wrong } = cases[name];

  it('has its default when unset, empty or blank', () => {
    for (const env of [{}, { [name]: '' }, { [name]: '  ' }]) expect(loadConfig(env)[field]).toEqual(fallback);
  });

  it.each(good)('reads %s', (text, value) => {
    expect(loadConfig({ [name]: ` ${text} ` })[field]).toEqual(value);
  });

  it.each(wrong)('refuses %s', (text, message) => {
    const refusal = faultOf({ [name]: text });
    expect(refusal).toBe(name + message);
    expect(refusal).not.toContain('hunter2');
    expect(refusal).not.toContain('\n');
  });

  it('is documented', () => {
    const { meaning, example } = variables[name];
    expect(meaning).toMatch(/^.{10,}[^.]$/);
    expect(example).not.toBe('');
  });
});

describe('loadConfig', () => {
  it('reads examples that need no shell', () => {
    const plain = names.filter((name) => !variables[name].example.startsWith('"') && name !== 'POSTHORN_API_KEY');
    const env = Object.fromEntries(plain.map((name) => [name, variables[name].example]));
    expect(loadConfig(env)).toMatchObject({ publicUrl: 'https://hooks.example.com', dispatch: false, readOnly: true });
  });

  it.each(['0.0.0.0', '::', 'posthorn.example.com', '192.168.1.2'])(
    'binds %s only with POSTHORN_ALLOWED_HOSTS',
    (host) => {
      expect(faultOf({ HOST: host })).toBe(
        `POSTHORN_ALLOWED_HOSTS must be given, since HOST=${host} can be reached from outside; for example POSTHORN_ALLOWED_HOSTS=hooks.example.com,localhost`,
      );
      expect(loadConfig({ HOST: host, POSTHORN_ALLOWED_HOSTS: 'a.example' }).allowedHosts).toEqual(['a.example']);
      expect(loadConfig({ HOST: host }, { binds: false }).host).toBe(host);
    },
  );

  it.each(['localhost', '127.0.0.1', '127.8.9.10', '::1', '[::1]', '::ffff:127.0.0.1'])(
    'binds %s as loopback',
    (host) => {
      expect(loadConfig({ HOST: host }).allowedHosts).toContain(host.replaceAll(/[[\]]/g, ''));
    },
  );

  it('wants a secret key with PostgreSQL', () => {
    const url = 'postgres://posthorn:hunter2@db/posthorn';
    expect(faultOf({ DATABASE_URL: url })).toBe(
      'POSTHORN_SECRET_KEY must be given with PostgreSQL; for example POSTHORN_SECRET_KEY="$(openssl rand -base64 32)"',
    );
    const env = { DATABASE_URL: url, POSTHORN_SECRET_KEY: key.toString('base64') };
    expect(loadConfig(env)).toMatchObject({ databaseUrl: url, secretKey: key });
  });

  it('keeps control characters out of its one line', () => {
    const refusal = faultOf({ POSTHORN_BRAND: 'a\n\u001b[31mb\u202e' });
    expect(refusal).toMatch(/^POSTHORN_BRAND="a\?\?\[31mb\?" cannot stand/);
  });

  it('shortens what it repeats', () => {
    expect(faultOf({ PORT: '9'.repeat(100_000) }).length).toBeLessThan(400);
  });
});

describe('unknownVariables', () => {
  it('names the variable that was meant and never a value', () => {
    expect(
      unknownVariables({
        POSTHORN_RETRY_SHEDULE: 'hunter2',
        POSTHORN_COLOUR: 'hunter2',
        OTHER: 'x',
        POSTHORN_TOOLS: 'events',
      }),
    ).toEqual([
      'POSTHORN_RETRY_SHEDULE is not a variable of Posthorn; did you mean POSTHORN_RETRY_SCHEDULE?',
      'POSTHORN_COLOUR is not a variable of Posthorn; did you mean POSTHORN_TOOLS?',
    ]);
  });

  it('says so when nothing is near', () => {
    expect(unknownVariables({ POSTHORN_THE_QUICK_BROWN_FOX_JUMPS: '1' })).toEqual([
      'POSTHORN_THE_QUICK_BROWN_FOX_JUMPS is not a variable of Posthorn and does nothing',
    ]);
  });
});

it('knows the groups that tools have', () => {
  expect(loadConfig({}).toolGroups).toEqual(defaultToolGroups);
});

it('writes IPv6 hosts in brackets', () => {
  expect([localUrl('::1', 1), localUrl('localhost', 80)]).toEqual(['http://[::1]:1', 'http://localhost:80']);
});

function faultOf(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}
