import { toolGroups } from '../core/vocabulary.ts';
import { parseAllowTargets } from '../net/allowlist.ts';
import { addressRanges, bindHost, databaseUrl, hostNames, publicUrl } from './addresses.ts';
import {
  base64Bytes,
  duration,
  durations,
  headerSafe,
  integer,
  list,
  manyOf,
  onOff,
  oneOf,
  ValueFault,
} from './values.ts';

/** One environment variable. The README's table and every message about it are made from this. */
export interface Variable<T, D extends string | null> {
  /** Read as if it had been given; null when there is none. */
  default: D;
  /** What the table shows where the default is not a fixed value. */
  defaultText?: string;
  /** Markdown, one cell of a table. */
  meaning: string;
  /** Stands after `NAME=` in messages, quoted for a shell where that is needed. */
  example: string;
  /** Holds something that no message may repeat. */
  secret?: true;
  /** Throws ValueFault. */
  parse(text: string): T;
}

const dayMs = 86_400_000;
const variable = <T, const D extends string | null>(one: Variable<T, D>): Variable<T, D> => one;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Every variable that Posthorn reads, in the order of the documentation. */
export const variables = {
  DATABASE_URL: variable({
    default: 'file:./data/posthorn.db',
    meaning: '`file:PATH` (folders are made, `~/` is the home folder) or `postgres://…`',
    example: 'file:./data/posthorn.db',
    secret: true,
    parse: databaseUrl,
  }),
  HOST: variable({
    default: '127.0.0.1',
    meaning: 'The address to bind. Anything but loopback needs `POSTHORN_ALLOWED_HOSTS`',
    example: '127.0.0.1',
    parse: bindHost,
  }),
  PORT: variable({
    default: '8787',
    meaning: 'The port to bind; `0` picks a free one',
    example: '8787',
    parse: integer(0, 65_535),
  }),
  POSTHORN_PUBLIC_URL: variable({
    default: null,
    defaultText: 'from `HOST`, `PORT`',
    meaning: 'How the world reaches this server; also what may not be a target',
    example: 'https://hooks.example.com',
    secret: true,
    parse: publicUrl,
  }),
  POSTHORN_ALLOWED_HOSTS: variable({
    default: null,
    defaultText: 'loopback names',
    meaning: 'Host and Origin names accepted, comma-separated; must be given to bind anything but loopback',
    example: 'hooks.example.com,localhost',
    parse: hostNames,
  }),
  POSTHORN_TRUSTED_PROXIES: variable({
    default: null,
    defaultText: 'none',
    meaning:
      'Addresses and CIDRs of the proxies in front, comma-separated: failed sign-ins count against the address that they write into `X-Forwarded-For`',
    example: '127.0.0.1,10.0.0.0/8',
    parse: addressRanges,
  }),
  POSTHORN_ADMIN_KEY: variable({
    default: null,
    defaultText: 'made when there is no key',
    meaning: 'A key with every scope on workspace `default`: any string of 32 characters or more, never stored',
    example: '"$(openssl rand -hex 32)"',
    secret: true,
    parse: headerSafe(32),
  }),
  POSTHORN_API_KEY: variable({
    default: null,
    defaultText: 'none',
    meaning:
      'The principal of a stdio process; none: a local principal with every scope but `webhooks:approve`, `keys:admin`, `payloads:read`',
    example: 'tp_live_…',
    secret: true,
    parse: headerSafe(1),
  }),
  POSTHORN_SECRET_KEY: variable({
    default: null,
    defaultText: 'file `secret.key` (0600) beside the SQLite file',
    meaning:
      '32 bytes in base64 that encrypt endpoint secrets at rest; with PostgreSQL it must be given. One that does not fit the database stops the start',
    example: '"$(openssl rand -base64 32)"',
    secret: true,
    parse: base64Bytes(32),
  }),
  POSTHORN_ALLOW_TARGETS: variable({
    default: null,
    defaultText: 'none',
    meaning:
      "The operator's exception to the egress policy: comma-separated CIDRs and host names; for these scheme, address and port rules are lifted",
    example: '127.0.0.0/8,hooks.internal',
    parse: allowTargets,
  }),
  POSTHORN_BRAND: variable({
    default: 'TrustPager',
    meaning: 'In `X-<Brand>-…` header names and the prefix of keys',
    example: 'TrustPager',
    parse: brand,
  }),
  POSTHORN_RETRY_SCHEDULE: variable({
    default: '5s,5m,30m,2h,5h,10h,14h,20h,24h',
    meaning: 'Waits before the 2nd, 3rd … attempt, each ±20 %',
    example: '5s,5m,30m,2h',
    parse: durations(100),
  }),
  POSTHORN_ATTEMPT_TIMEOUT: variable({
    default: '15s',
    meaning: 'For the whole exchange: DNS, connect, request, response',
    example: '15s',
    parse: duration(1, 600_000),
  }),
  POSTHORN_DISABLE_AFTER_FAILURES: variable({
    default: '20',
    meaning:
      'Failed attempts without a success between; an endpoint is disabled when `POSTHORN_DISABLE_AFTER` is reached too',
    example: '20',
    parse: integer(1, 1_000_000),
  }),
  POSTHORN_DISABLE_AFTER: variable({
    default: '24h',
    meaning: 'Time of failing without a success between; see `POSTHORN_DISABLE_AFTER_FAILURES`',
    example: '24h',
    parse: duration(0, 3_650 * dayMs),
  }),
  POSTHORN_CONCURRENCY: variable({
    default: '256',
    meaning: 'Attempts in flight of this process',
    example: '256',
    parse: integer(1, 10_000),
  }),
  POSTHORN_ENDPOINT_CONCURRENCY: variable({
    default: '64',
    meaning: 'Attempts in flight of this process for one endpoint, at most',
    example: '64',
    parse: integer(1, 10_000),
  }),
  POSTHORN_RETENTION: variable({
    default: '30d',
    meaning: 'Events, finished deliveries and attempts older than this are pruned in small steps',
    example: '30d',
    parse: duration(1_000, 36_500 * dayMs),
  }),
  POSTHORN_NEW_HOSTS: variable({
    default: 'allow',
    meaning: '`approve`: an endpoint on a host new to its workspace waits as `pending_approval`',
    example: 'approve',
    parse: oneOf(['allow', 'approve']),
  }),
  POSTHORN_TOOLS: variable({
    default: 'subscriptions,events',
    meaning: `Groups of MCP tools that exist: ${toolGroups.map((group) => `\`${group}\``).join(', ')}`,
    example: 'subscriptions,events',
    parse: manyOf(toolGroups),
  }),
  POSTHORN_READ_ONLY: variable({
    default: 'off',
    defaultText: 'none',
    meaning: '`1`: only MCP tools that change nothing',
    example: '1',
    parse: onOff,
  }),
  POSTHORN_PUBLISH_RATE: variable({
    default: null,
    defaultText: 'none',
    meaning: 'Events a minute and key, then 429 with `Retry-After`',
    example: '6000',
    parse: integer(1, 1_000_000_000),
  }),
  POSTHORN_METRICS_TOKEN: variable({
    default: null,
    defaultText: 'none',
    meaning: 'Bearer token for `/metrics`; must be given to have it beyond loopback',
    example: '"$(openssl rand -hex 16)"',
    secret: true,
    parse: headerSafe(1),
  }),
  POSTHORN_DISPATCH: variable({
    default: 'on',
    meaning: '`off`: this process does not deliver',
    example: 'off',
    parse: onOff,
  }),
  POSTHORN_LOG_LEVEL: variable({
    default: 'info',
    meaning: 'JSON lines on stderr; stdout belongs to results and, under stdio, to the protocol',
    example: 'info',
    parse: oneOf(logLevels),
  }),
} as const;

function allowTargets(value: string): string[] {
  const entries = list(value);
  try {
    return parseAllowTargets(entries.join());
  } catch (error) {
    throw new ValueFault(`has a wrong entry: ${(error as Error).message}`);
  }
}

function brand(value: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]$/.test(value)) {
    throw new ValueFault('cannot stand in a header name: use 2 to 32 letters, digits and hyphens, a letter first');
  }
  if (value.replaceAll(/[^A-Za-z]/g, '').length < 2) throw new ValueFault('needs two letters or more');
  return value;
}
