import { type Config, loadConfig, variables } from '../config.ts';
import { formatDuration } from '../core/rules/times.ts';

/** What decides what may be sent where, and how: it belongs to the database, whichever process sends. No secrets. */
const shared = {
  POSTHORN_PUBLIC_URL: 'publicUrl',
  POSTHORN_ALLOW_TARGETS: 'allowTargets',
  POSTHORN_BRAND: 'brand',
  POSTHORN_RETRY_SCHEDULE: 'retryScheduleMs',
  POSTHORN_ATTEMPT_TIMEOUT: 'attemptTimeoutMs',
  POSTHORN_DISABLE_AFTER_FAILURES: 'disableAfterFailures',
  POSTHORN_DISABLE_AFTER: 'disableAfterMs',
  POSTHORN_RETENTION: 'retentionMs',
  POSTHORN_NEW_HOSTS: 'newHosts',
  POSTHORN_PUBLISH_RATE: 'publishPerMinute',
} as const;
/** Where the server listens, which may be no target: a process that does not listen has no place of its own. */
const place = { HOST: 'host', PORT: 'port' } as const;
const recorded = { ...shared, ...place };

type Shared = keyof typeof shared;
type Recorded = keyof typeof recorded;
const sharedNames = Object.keys(shared) as Shared[];
const recordedNames = Object.keys(recorded) as Recorded[];

/** What a server with this configuration records: each setting as the environment would give it, null for none. */
export function settingsText(config: Config): string {
  return JSON.stringify(Object.fromEntries(recordedNames.map((name) => [name, textOf(name, config)])));
}

/**
 * The configuration of a process that serves nobody but its client, on a database where a server recorded `text`: what its
 * own environment does not set is the server's. What it sets holds, except that it cannot let in hosts that the server
 * wants approved. `warnings`: a sentence for each that differs, or that is not understood.
 */
export function underSettings(config: Config, text: string): { config: Config; warnings: string[] } {
  const { texts, warnings } = understood(text);
  const server = loadConfig(texts, { binds: false });
  const taken: Record<string, unknown> = {};
  for (const name of recordedNames) {
    if (texts[name] === undefined) continue;
    const isOwn = name in shared && config.given.includes(name);
    const differs = textOf(name, config) !== textOf(name, server);
    // The agent's client writes this environment: an approval that it could switch off would guard nothing.
    const isStricter = name === 'POSTHORN_NEW_HOSTS' && server.newHosts === 'approve';
    if (isOwn && differs) warnings.push(differenceOf(name, config, server, isStricter));
    if (!isOwn || isStricter) taken[recorded[name]] = server[recorded[name]];
  }
  return { config: { ...config, ...taken }, warnings };
}

/** A sentence for each setting in which this server differs from what another one recorded that still runs. */
export function serverDifferences(config: Config, text: string): string[] {
  const { texts } = understood(text);
  const other = loadConfig(texts, { binds: false });
  return sharedNames
    .filter((name) => textOf(name, config) !== textOf(name, other))
    .map((name) => `${shown(name, config)} here, and ${shown(name, other)} in a server that runs on this database too`);
}

/** What of it can be read, by the readers of the environment. A later version may have written it. */
function understood(text: string): { texts: Partial<Record<Recorded, string>>; warnings: string[] } {
  const values = parsed(text);
  const texts: Partial<Record<Recorded, string>> = {};
  const warnings: string[] = [];
  for (const name of recordedNames) {
    const value = values[name];
    if (isReadable(name, value)) {
      texts[name] = value ?? '';
    } else if (name === 'POSTHORN_NEW_HOSTS') {
      texts[name] = 'approve';
      warnings.push(`${name} of the server on this database is not understood, and counts as approve`);
    } else if (value !== undefined) {
      warnings.push(`${name} of the server on this database is not understood, and left out`);
    }
  }
  return { texts, warnings };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return { ...(JSON.parse(text) as Record<string, unknown> | null) };
  } catch {
    return {};
  }
}

function isReadable(name: Recorded, value: unknown): value is string | null {
  if (value === null) return variables[name].default === null;
  if (typeof value !== 'string') return false;
  try {
    variables[name].parse(value);
    return true;
  } catch {
    return false;
  }
}

function textOf(name: Recorded, config: Config): string | null {
  const field = recorded[name];
  const value = config[field];
  if (value === null || (Array.isArray(value) && value.length === 0)) return null;
  return [value]
    .flat()
    .map((each) => (field.endsWith('Ms') ? formatDuration(Number(each)) : String(each)))
    .join(',');
}

function differenceOf(name: Recorded, own: Config, server: Config, isStricter: boolean): string {
  if (isStricter) return `${shown(name, own)} does not hold: the server on this database has ${shown(name, server)}`;
  return `${shown(name, own)} holds in this process alone: the server on this database has ${shown(name, server)}`;
}

/** `NAME=value` as it could be set. */
function shown(name: Recorded, config: Config): string {
  const value = textOf(name, config);
  if (value === null) return `no ${name}`;
  const one: { secret?: true } = variables[name];
  return one.secret ? `a ${name} of its own` : `${name}=${value}`;
}
